"""Findings from the cache, or computed if the cache does not have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from archspec.diagnostics import UnreadableFile
from archspec.files import read_bytes
from archspec.lint.cache import Cache
from archspec.lint.checked import Checked, Codes, Fresh
from archspec.lint.deferred import checker, read_config
from archspec.lint.discover import configuration
from archspec.lint.serialize import checked_from, codes_from, settings_from
from archspec.lint.settings import Settings
from archspec.paths import AnyPath, display_path


def rule_codes(cache: Cache | None = None) -> Codes:
    """Rule name -> code."""
    known = codes_from(cache.codes()) if cache else {}
    if not known:
        known = checker().codes
        if cache:
            cache.keep_codes(known)
    return known


def project_settings(
    paths: Iterable[str] = (), *, codes: Codes, cache: Cache | None = None
) -> Settings:
    """The settings of the project that these paths are in, or of the current directory.

    Raises `SettingsError`, and `UnreadableFile` for a file that may have settings.
    """
    file = configuration(paths)
    return _settings(file, codes, cache) if file else Settings()


def _settings(file: str, codes: Codes, cache: Cache | None) -> Settings:
    key = f"settings\0{file}"
    text = _bytes(file)
    found = cache.find(key, text) if cache and text is not None else None
    known = settings_from(found.value) if found else None
    if known is None:
        known = read_config(file, codes)
        if cache and text is not None:
            cache.keep(key, text, {file, known.baseline, *known.paths}, known)
    return known


def check_files(
    files: Iterable[AnyPath], cache: Cache | None = None, jobs: int = 0, beside: Iterable[str] = ()
) -> Iterator[Checked]:
    """Each file's findings, in order; at most `jobs` processes, 0 for one per core.

    The specs in `beside` that use one of the files follow.
    """
    wanted = list(map(display_path, files))
    found = _looked_up([*wanted, *beside], cache, jobs)
    yield from (one.checked for one in islice(found, len(wanted)))
    yield from users(found, wanted)


def users(found: Iterable[Fresh], files: Iterable[str]) -> Iterator[Checked]:
    """The results for specs that use one of the files; only the files themselves are fixed."""
    used = frozenset(files)
    for one in found:
        if not used.isdisjoint(map(display_path, one.seen)):
            findings = (finding._replace(fix=None) for finding in one.checked.findings)
            yield one.checked._replace(findings=tuple(findings))


def _looked_up(files: list[str], cache: Cache | None, jobs: int) -> Iterator[Fresh]:
    codes = rule_codes(cache)
    known = [_find(file, cache, codes) for file in files]
    missing = [file for file, found in zip(files, known, strict=True) if not found]
    fresh = checker().files(missing, jobs) if missing else iter(())
    for found in known:
        yield found or _kept(next(fresh), cache)
    if cache:
        cache.save()


def _find(file: str, cache: Cache | None, codes: Codes) -> Fresh | None:
    text = _bytes(file) if cache else None
    found = cache.find(file, text) if cache and text is not None else None
    checked = checked_from(found.value, file, found.seen, codes) if found else None
    return Fresh(checked, seen=frozenset(found.seen)) if found and checked else None


def _kept(fresh: Fresh, cache: Cache | None) -> Fresh:
    if cache and not fresh.checked.unreadable:
        cache.keep(fresh.checked.file, fresh.text, fresh.seen, fresh.checked)
    return fresh


def _bytes(file: str) -> bytes | None:
    try:
        return read_bytes(file)
    except UnreadableFile:  # reported when it is read again
        return None
