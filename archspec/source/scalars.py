"""The meaning of an unquoted word: YAML 1.2's core schema, booleans `true` and `false`."""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

MAX_DIGITS = 30

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "false": False,
}
_NUMBER_START = frozenset("0123456789.+-")
_INTEGER = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_TUPLE = r"\(([^()]*,[^()]*)\)"
_BASES = {"0x": 16, "0o": 8}
_BOOLEANS = {
    "yes": "true",
    "on": "true",
    "true": "true",
    "no": "false",
    "off": "false",
    "false": "false",
}


class TooLong(ValueError):
    """A number with more digits than any size or rate has."""


def scalar(text: str) -> Scalar:
    """The value of an unquoted scalar; a float may be infinite or not a number."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_START else text


def reads_as_text(text: str) -> bool:
    """Whether an unquoted scalar is a string."""
    try:
        return type(scalar(text)) is str
    except TooLong:
        return False


def _number(text: str) -> Scalar:
    if text.isascii() and text.isdigit():
        return int(_bounded(text))
    if _INTEGER.fullmatch(text):
        return int(_bounded(text), _BASES.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(_bounded(text))
    if re.fullmatch(_NOT_FINITE, text):
        return float(text.replace(".", ""))
    return text


def _bounded(text: str) -> str:
    if len(text) > MAX_DIGITS and sum(map(str.isalnum, text)) > MAX_DIGITS:
        raise TooLong
    return text


def list_of(text: str) -> str:
    """A tuple of Python as a YAML list: `(3, 3)` is `[3, 3]`; "" for other text."""
    found = re.fullmatch(_TUPLE, text.strip())
    parts = (part.strip() for part in found[1].split(",")) if found else ()
    return f"[{', '.join(filter(None, parts))}]" if found else ""


def boolean_hint(text: str) -> str:
    """The hint for a word that other YAML readers take for a boolean."""
    word = _BOOLEANS.get(text.lower(), "")
    if text == word:
        return f"remove the quotes: `{word}`" if word else ""
    return f"use `{word}`; `{text}` is a string in YAML 1.2" if word else ""
