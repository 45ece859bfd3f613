"""What commands say, line by line: text from outside is escaped here and obeyed nowhere."""

from __future__ import annotations

import sys

from archspec.diagnostics import visible


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
