"""Where the shipped `specs/` and `templates/` lie, in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Inside the package if it is there (a wheel), beside it otherwise (a checkout)."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


SPECS = folder("specs")
ZOO = SPECS / "zoo"
BLOCKS = SPECS / "blocks"
TEMPLATES = folder("templates")
