"""What the cache knows, and what is checked or read because it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archspec.diagnostics import UnreadableFile
from archspec.files import read_bytes
from archspec.lint.cache import Cache
from archspec.lint.checked import Checked, Codes, Fresh
from archspec.lint.deferred import checker, read_config
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


def read_settings(file: str, codes: Codes, cache: Cache | None) -> Settings:
    """The settings of a configuration file; raises `SettingsError`."""
    key = f"settings\0{file}"
    text = _bytes(file)
    found = cache.find(key, text) if cache else None
    known = settings_from(found.value) if found else None
    if known is None:
        known = read_config(file, codes)
        if cache:
            cache.keep(key, text, {file, known.baseline, *known.paths}, known)
    return known


def check_files(
    files: Iterable[AnyPath], cache: Cache | None = None, jobs: int = 0
) -> Iterator[Checked]:
    """Each file's findings, in order; `jobs` processes at most, 0 for one per core."""
    wanted = list(map(display_path, files))
    codes = rule_codes(cache)
    known = [_find(file, cache, codes) for file in wanted]
    missing = [file for file, found in zip(wanted, known, strict=True) if not found]
    fresh = checker().files(missing, jobs) if missing else iter(())
    for found in known:
        yield found or _kept(next(fresh), cache)
    if cache:
        cache.save()


def _find(file: str, cache: Cache | None, codes: Codes) -> Checked | None:
    found = cache.find(file, _bytes(file)) if cache else None
    return checked_from(found.value, file, found.seen, codes) if found else None


def _kept(fresh: Fresh, cache: Cache | None) -> Checked:
    if cache and not fresh.checked.unreadable:
        cache.keep(fresh.checked.file, fresh.text, fresh.seen, fresh.checked)
    return fresh.checked


def _bytes(file: str) -> bytes:
    try:
        return read_bytes(file)
    except UnreadableFile:
        return b""
