"""The location of the built-in `specs/` and `templates/`, in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Inside the package if it exists there (a wheel), otherwise next to it (a checkout)."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


SPECS = folder("specs")
ZOO = SPECS / "zoo"
BLOCKS = SPECS / "blocks"
TEMPLATES = folder("templates")
