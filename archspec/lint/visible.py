"""Text of strangers, made safe to show: no control character in it reaches a terminal."""

from __future__ import annotations


def visible(text: str) -> str:
    """The text with control, bidi and invisible characters, and line ends, as escapes."""
    return text if text.isprintable() else "".join(map(character, text))


def character(one: str) -> str:
    """One character as it is shown."""
    if one.isprintable():
        return one
    return one.encode("unicode_escape").decode()
