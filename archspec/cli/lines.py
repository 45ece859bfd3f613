"""Output of commands, line by line: untrusted text is escaped here, never interpreted."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from archspec.diagnostics import visible

FEWEST, MOST = 20, 100  # columns that are comfortable to read


def columns() -> int:
    """The width for text: `COLUMNS` or the width of the terminal, minus two.

    `shutil.get_terminal_size` is slow to import.
    """
    wide = 80
    with suppress(AttributeError, ValueError, OSError):  # closed, or not a terminal
        given = int(os.environ.get("COLUMNS") or 0)
        wide = given or os.get_terminal_size(sys.__stdout__.fileno()).columns or wide  # type: ignore[union-attr]
    return max(FEWEST, min(wide - 2, MOST))


def say(*lines: str) -> None:
    """Print lines on standard output."""
    for text in lines:
        print(visible(text))


def note(*lines: str) -> None:
    """Print lines on standard error."""
    for text in lines:
        print(visible(text), file=sys.stderr)


def fail(message: str, hint: str = "") -> None:
    """Print an error on standard error, and what to do."""
    note(f"error: {message}")
    if hint:
        note(f"help: {hint}")
