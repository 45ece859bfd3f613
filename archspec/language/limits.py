"""How much a spec may give to be read as expressions, which takes far longer than its YAML."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import Diagnostic, SpecError
from archspec.expression import MAX_LENGTH
from archspec.source.document import Document

MOST_CHARACTERS = 100_000  # the shipped spec that has most has 592


def characters(document: Document, whose: str, before: int = 0) -> int:
    """`before`, and the characters of all values of a file that may be expressions.

    Where they are too many, `SpecError` says whose. Data that is from no file is not counted.
    """
    if document.top is None:
        return before
    count = before
    values: list[tuple[tuple[str | int, ...], Any]] = [((), document.data)]
    for path, value in values:  # it grows meanwhile
        if isinstance(value, dict):
            values += (((*path, key), part) for key, part in value.items())
        elif isinstance(value, list):
            values += (((*path, place), part) for place, part in enumerate(value))
        elif isinstance(value, str) and len(value) <= MAX_LENGTH:
            count += len(value)
            if count > MOST_CHARACTERS:
                raise _too_many(document, path, whose)
    return count


def _too_many(document: Document, path: tuple[str | int, ...], whose: str) -> SpecError:
    message = f"the expressions of {whose} have more than {MOST_CHARACTERS:,} characters"
    hint = "write what they have in common once, as an argument of a block"
    return SpecError([Diagnostic("too-large", message, document.span(path), hint)])
