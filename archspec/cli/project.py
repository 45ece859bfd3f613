"""The files of the project that a command is run in."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("blocks", "specs/blocks")


def block_folders() -> list[Path]:
    """The folders of blocks that are there."""
    return [folder for folder in map(Path, FOLDERS) if folder.is_dir()]


def block_files() -> list[Path]:
    """The files of the project's own blocks."""
    return [file for folder in block_folders() for file in sorted(folder.glob("*.yaml"))]
