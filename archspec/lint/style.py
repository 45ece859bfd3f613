"""Colors, for a terminal."""

import os
from typing import NamedTuple, TextIO

_CODES = {"bold": "1", "error": "1;31", "warning": "1;33", "frame": "1;34", "help": "1;36"}


class Style(NamedTuple):
    """Colors text, or leaves it as it is."""

    color: bool = False

    def __call__(self, what: str, text: str) -> str:
        return f"\x1b[{_CODES[what]}m{text}\x1b[0m" if self.color and text else text


PLAIN = Style()


def style_for(stream: TextIO, choice: str = "auto") -> Style:
    """By `--color`, then `NO_COLOR`, then `FORCE_COLOR`; otherwise only on a terminal."""
    if choice != "auto":
        return Style(choice == "always")
    if os.environ.get("NO_COLOR"):
        return PLAIN
    return Style(bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream))


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
