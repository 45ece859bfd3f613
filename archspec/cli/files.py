"""Rendered files and their targets, for `build` and `train`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from archspec.cli.lines import say
from archspec.codegen import untouched
from archspec.files import read_if_there, write_files


class Target(NamedTuple):
    """A rendered file: its path, and the current content (None for no file, or a device)."""

    path: Path
    text: str
    before: bytes | None

    @property
    def is_current(self) -> bool:
        """Whether the file exists exactly as rendered."""
        return self.before is not None and _text(self.before) == self.text

    @property
    def is_edited(self) -> bool:
        """Whether there is a file that archspec did not write."""
        return self.before is not None and not untouched(_text(self.before) or "")


def targets_in(folder: Path, files: Mapping[str, str]) -> list[Target]:
    """The files, and their current contents in the directory; raises `UnreadableFile`."""
    paths = {folder / name: text for name, text in files.items()}
    return [Target(path, text, _held(path)) for path, text in paths.items()]


def text_of(path: Path) -> str:
    """The text of a file; "" if it is not text."""
    return _text(_held(path) or b"") or ""


def write(targets: Iterable[Target]) -> None:
    """Write and report all of them or none; creates their directories."""
    wanted = list(targets)
    for folder in {target.path.parent for target in wanted}:
        folder.mkdir(parents=True, exist_ok=True)
    before = {target.path: target.before for target in wanted}
    write_files({target.path: target.text for target in wanted}, before)
    for path in before:
        say(f"wrote {path.as_posix()}")


def _held(path: Path) -> bytes | None:
    if path.exists() and not path.is_file() and not path.is_dir():
        return None  # a device or a pipe has no content to lose
    return read_if_there(path)


def _text(data: bytes) -> str | None:
    """With normalized line ends; None if it is not UTF-8."""
    try:
        return data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return None
