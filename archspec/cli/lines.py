"""What commands say, line by line: text from outside is escaped here and obeyed nowhere."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from archspec.diagnostics import visible

FEWEST, MOST = 20, 100  # columns that can be read


def columns() -> int:
    """How wide a text may be: `COLUMNS` or the terminal's width, less two.

    `shutil.get_terminal_size` takes long to import.
    """
    wide = 80
    with suppress(AttributeError, ValueError, OSError):  # closed, or no terminal
        given = int(os.environ.get("COLUMNS") or 0)
        wide = given or os.get_terminal_size(sys.__stdout__.fileno()).columns or wide  # type: ignore[union-attr]
    return max(FEWEST, min(wide - 2, MOST))


def say(*lines: str) -> None:
    """Lines on standard output."""
    for text in lines:
        print(visible(text))


def note(*lines: str) -> None:
    """Lines on standard error."""
    for text in lines:
        print(visible(text), file=sys.stderr)


def fail(message: str, hint: str = "") -> None:
    """An error on standard error, and what to do."""
    note(f"error: {message}")
    if hint:
        note(f"help: {hint}")
