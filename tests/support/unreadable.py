"""Things that have a file's name and cannot be read as a file."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[[Path, pytest.MonkeyPatch], None]


def _folder(path: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    path.mkdir()


def _dangling(path: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    path.symlink_to("nowhere")


def _circle(path: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    path.symlink_to(path.name)


def _pipe(path: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(path)


def _locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("body: [{conv: channels}]\n")
    lock(path, monkeypatch)


#: What there is, and a part of the reason that is given.
KINDS: dict[str, tuple[Make, str]] = {
    "folder": (_folder, "directory"),
    "dangling": (_dangling, "it is a symlink to a missing file"),
    "circle": (_circle, "link"),
    "pipe": (_pipe, "not a regular file"),
    "locked": (_locked, "permission denied"),
}


def lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has every look at a path, and at what is in it, refused; root, too, whom no mode stops."""
    start = os.path.abspath(path)

    def refused(name: str, itself: bool) -> None:
        look = getattr(os, name)

        def guarded(path: Any = ".", *args: Any, **more: Any) -> Any:
            whole = "" if isinstance(path, int) else os.path.abspath(os.fspath(path))
            if whole.startswith(f"{start}/") or (itself and whole == start):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return look(path, *args, **more)

        monkeypatch.setattr(os, name, guarded)

    for name in ("open", "listdir", "scandir"):
        refused(name, itself=True)
    for name in ("stat", "lstat"):
        refused(name, itself=False)
