"""Files, each checked once: from the cache, or anew, on as many cores as it pays to use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archspec.diagnostics import UnreadableFile
from archspec.lint.check import Checked, check_text, nothing_found
from archspec.record import record
from archspec.source.files import display_path, read_bytes
from archspec.source.seen import looking
from archspec.source.shared import Store

if TYPE_CHECKING:
    from archspec.lint.cache import Cache

MANY = 10  # from so many files on it pays to share what they have in common
WORTH_A_CORE = 150  # files: what starting a process costs
CHUNK = 50

_store: Store | None = None  # of a worker process


@record
class Fresh:
    """A file that was read: what was found, in which bytes, and what else was looked at."""

    checked: Checked
    text: bytes = b""
    seen: frozenset[str] = frozenset()


def check_files(
    files: Iterable[Path], cache: Cache | None = None, jobs: int = 0
) -> Iterator[Checked]:
    """Each file's findings, in order; `jobs` processes at most, 0 for one a core."""
    wanted = list(files)
    known = [_remembered(file, cache) for file in wanted]
    fresh = _fresh([file for file, found in zip(wanted, known, strict=True) if not found], jobs)
    for found in known:
        yield found or _kept(next(fresh), cache)
    if cache is not None:
        cache.save()


def _remembered(path: Path, cache: Cache | None) -> Checked | None:
    from archspec.lint.plain import Unknown, from_plain

    file = display_path(path)
    found = cache.find(file, _text(path)) if cache else None
    if found is None:
        return None
    try:
        return from_plain(found.checked, file, frozenset(map(display_path, found.seen)))
    except Unknown:
        return None


def _text(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except UnreadableFile:
        return b""


def _kept(fresh: Fresh, cache: Cache | None) -> Checked:
    if cache is not None and not fresh.checked.unreadable:
        from archspec.lint.plain import to_plain

        cache.keep(fresh.checked.file, fresh.text, fresh.seen, to_plain(fresh.checked))
    return fresh.checked


def _fresh(files: list[Path], jobs: int) -> Iterator[Fresh]:
    count = min(jobs or cores(), len(files) // WORTH_A_CORE)
    if count < 2:
        store = Store() if len(files) >= MANY else None
        yield from (check_path(file, store) for file in files)
        return
    from concurrent.futures import ProcessPoolExecutor

    chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
    with ProcessPoolExecutor(count) as pool:
        for done in pool.map(_check_chunk, chunks):
            yield from done


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_chunk(files: list[Path]) -> list[Fresh]:
    global _store
    _store = _store or Store()
    return [check_path(file, _store) for file in files]


def check_path(path: Path, store: Store | None = None) -> Fresh:
    """Reads and checks a file; with a `store` it may use what files before it had in common."""
    file = display_path(path)
    try:
        text = read_bytes(path)
    except UnreadableFile as error:
        return Fresh(Checked(file, unreadable=str(error)))
    with looking() as seen:
        checked = nothing_found(text, file, store) if store else None
        checked = checked or check_text(text, file)
    return Fresh(checked, text, frozenset(seen.paths()))
