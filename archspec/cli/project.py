"""The files of the project in which a command runs."""

from __future__ import annotations

from pathlib import Path

from archspec.resources import BLOCKS

FOLDERS = ("blocks", "specs/blocks")


def block_folders() -> list[Path]:
    """The existing directories of blocks, without archspec's own in its checkout."""
    own = BLOCKS.resolve()
    return [f for f in map(Path, FOLDERS) if f.is_dir() and f.resolve() != own]


def block_files() -> list[Path]:
    """The files of the project's own blocks."""
    return [file for folder in block_folders() for file in sorted(folder.glob("*.yaml"))]
