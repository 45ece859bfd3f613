"""Rendered files and the folder that they go to, for `build` and `train`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from archspec.cli.lines import say
from archspec.codegen import untouched
from archspec.files import read_if_there, write_files


class Target(NamedTuple):
    """A rendered file: where it goes, and what is there (None if nothing is, or a device)."""

    path: Path
    text: str
    before: bytes | None

    @property
    def is_current(self) -> bool:
        """Whether the file is there as it was rendered."""
        return self.before is not None and _text(self.before) == self.text

    @property
    def is_edited(self) -> bool:
        """Whether a file is there that archspec did not write."""
        return self.before is not None and not untouched(_text(self.before) or "")


def targets_in(folder: Path, files: Mapping[str, str]) -> list[Target]:
    """The files, and what the folder holds of them; raises `UnreadableFile`."""
    paths = {folder / name: text for name, text in files.items()}
    return [Target(path, text, _held(path)) for path, text in paths.items()]


def text_of(path: Path) -> str:
    """What a file says; nothing if it is not text."""
    return _text(_held(path) or b"") or ""


def write(targets: Iterable[Target]) -> None:
    """All of them or none, and says so; their folders are made."""
    wanted = list(targets)
    for folder in {target.path.parent for target in wanted}:
        folder.mkdir(parents=True, exist_ok=True)
    before = {target.path: target.before for target in wanted}
    write_files({target.path: target.text for target in wanted}, before)
    for path in before:
        say(f"wrote {path.as_posix()}")


def _held(path: Path) -> bytes | None:
    if path.exists() and not path.is_file() and not path.is_dir():
        return None  # a device or a pipe has nothing to lose
    return read_if_there(path)


def _text(data: bytes) -> str | None:
    """With line ends as one; None if it is not UTF-8."""
    try:
        return data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return None
