"""Text of strangers, made safe to show: nothing in it that a terminal or a reader obeys."""

from __future__ import annotations

import re

# Printable ASCII needs no look at the tables of Unicode, and nearly all text is.
_PLAIN = re.compile(r"[ -~]*\Z")


def visible(text: str) -> str:
    """The text with control, bidi and invisible characters, and line ends, as escapes."""
    if _PLAIN.match(text):
        return text
    return "".join(map(character, text))


def character(one: str) -> str:
    """One character as it is shown."""
    if one.isprintable():
        return one
    return one.encode("unicode_escape").decode()
