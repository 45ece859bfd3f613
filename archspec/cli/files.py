"""Rendered files and the folder that they go to, for `build` and `train`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from archspec.cli.lines import say
from archspec.codegen import untouched
from archspec.files import write_files


def text_of(path: Path) -> str | None:
    """What a file says; None where there is none."""
    return path.read_text(encoding="utf-8") if path.is_file() else None


def changed_in(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Those that are not in the folder as they are here."""
    return {name: text for name, text in files.items() if text_of(folder / name) != text}


def is_edited(text: str | None) -> bool:
    """Whether a file holds what archspec did not write."""
    return text is not None and not untouched(text)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """All of them or none, and says so; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    write_files({folder / name: text for name, text in files.items()})
    for name in files:
        say(f"wrote {(folder / name).as_posix()}")
