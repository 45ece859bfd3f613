"""What a check looked at beside the text itself: files that were there or were not, and folders.

`looking` remembers it, so that the cache of lint knows when a finding may have changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from archspec.record import field, record
from archspec.source.shared import shared_file


@record(eq=False, frozen=False)
class Seen:
    """Paths as they were asked for: files, there or not, and folders whose names were read."""

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    def paths(self) -> set[str]:
        """All of them; folders end with a slash."""
        return self.files | {f"{folder}/" for folder in self.folders}


_now: Seen | None = None


@contextmanager
def looking() -> Iterator[Seen]:
    """Remembers what is looked at inside the `with` block."""
    global _now
    before, _now = _now, Seen()
    try:
        yield _now
    finally:
        _now = before


def is_file(path: str | Path) -> bool:
    """Whether there is such a file."""
    path = str(path)
    if _now is not None:
        _now.files.add(path)
    return shared_file(is_file, path, partial(os.path.isfile, path))


def stems(folder: str | Path) -> list[str]:
    """The names of the YAML files in a folder, without suffix."""
    if _now is not None:
        _now.folders.add(str(folder))
    return shared_file(stems, str(folder), partial(_stems, folder))


def _stems(folder: str | Path) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
