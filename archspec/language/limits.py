"""How much of a spec may be expressions, which take far longer to read than plain YAML."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import Diagnostic, SpecError
from archspec.expression import MAX_LENGTH
from archspec.source.document import Document

MOST_CHARACTERS = 100_000  # the largest built-in spec has 1,514


def characters(document: Document, whose: str, before: int = 0) -> int:
    """`before`, plus the characters of all values in a file that may be expressions.

    Raises `SpecError` if there are too many. Data that is not from a file is not counted.
    """
    if document.top is None:
        return before
    count = before + _in(document.data)
    if count > MOST_CHARACTERS:
        message = f"the expressions of {whose} exceed {MOST_CHARACTERS:,} characters"
        hint = "move what they share to an argument of a block"
        place = document.span(_where_too_many(document.data, before))
        raise SpecError([Diagnostic("too-large", message, place, hint)])
    return count


def _in(value: Any) -> int:
    """The number of characters in all strings of a value that may be expressions."""
    if isinstance(value, str):
        return len(value) if len(value) <= MAX_LENGTH else 0
    if isinstance(value, dict):
        return sum(map(_in, value.values()))
    return sum(map(_in, value)) if isinstance(value, list) else 0


def _where_too_many(value: Any, before: int) -> tuple[str | int, ...]:
    """The path of the first string that exceeds the limit."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for step, part in parts if isinstance(value, (dict, list)) else ():
        if before + _in(part) > MOST_CHARACTERS:
            return (step, *_where_too_many(part, before))
        before += _in(part)
    return ()
