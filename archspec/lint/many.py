"""Files checked without the cache, on as many cores as pay off."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from archspec.diagnostics import UnreadableFile
from archspec.files import read_bytes, similar
from archspec.lint.check import check_text, parses
from archspec.lint.checked import Checked, Checker, Fresh
from archspec.lint.comments import suppressions
from archspec.memo import Memo
from archspec.rules import RULES
from archspec.source.folder import Files

WORTH_A_CORE = 150  # files: the cost of starting a process
CHUNK = 50


def check_anew(files: list[str], jobs: int) -> Iterator[Fresh]:
    """Each file's findings, in order; at most `jobs` processes, 0 for one per core."""
    count = min(jobs or cores(), len(files) // WORTH_A_CORE)
    if count < 2:
        yield from _check(files)
        return
    from concurrent.futures import ProcessPoolExecutor  # most runs need no pool

    chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
    with ProcessPoolExecutor(count) as pool:
        for done in pool.map(_check_chunk, chunks):
            yield from done


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_chunk(files: list[str]) -> list[Fresh]:
    return list(_check(files))


def _check(files: Iterable[str]) -> Iterator[Fresh]:
    """Files in order, computing what they share only once."""
    memo, seen = Memo(), Files()
    return (check_path(file, memo.trimmed(), seen) for file in files)


def check_path(file: str, memo: Memo | None = None, files: Files | None = None) -> Fresh:
    """Read and check a file, with results shared by files before it."""
    seen = files.view() if files else Files()
    try:
        text = read_bytes(file)
        checked = check_text(text, file, memo=memo, files=seen)
    except UnreadableFile as error:  # the file, or one that it needs
        error.hint = error.hint or ("" if os.path.lexists(file) else similar(file))
        return Fresh(Checked(file, unreadable=str(error)))
    return Fresh(checked, text, frozenset(seen.seen))


CHECKER = Checker(
    {name: rule.code for name, rule in RULES.items()}, check_anew, check_text, parses, suppressions
)
