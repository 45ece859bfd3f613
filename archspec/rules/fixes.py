"""Edits that fix a finding."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import Edit, Fix, Span
from archspec.language.lines import Lines
from archspec.places import At
from archspec.source.document import Mark


def removal(lines: Lines, layer: At, head: str, argument: str) -> Fix | None:
    """Remove an argument of a layer from the text, if that leaves clean text."""
    given = lines.mark(layer.below(head))
    if given is None or given.keys is None or argument not in given.keys or len(given.keys) == 1:
        return None
    taken = _taken(argument, given)
    return Fix(f"remove `{argument}`", (Edit(taken, ""),)) if taken else None


def _taken(name: str, given: Mark) -> Span | None:
    """The text to remove: in a mapping in braces on one line up to the neighbor, otherwise the
    line.
    """
    keys, whole = given.keys or {}, given.span
    parts: Any = given.parts
    values: dict[str, Span] = {key: parts[key].span for key in keys}
    names = list(keys)
    place = names.index(name)
    key, value = keys[name], values[name]
    if whole.line == whole.end_line:
        if place:
            before = values[names[place - 1]]
            return Span(key.file, key.line, before.end_column, key.line, value.end_column)
        return Span(key.file, key.line, key.column, key.line, keys[names[1]].column)
    last = values[names[-1]]
    braces = (whole.end_line, whole.end_column) != (last.end_line, last.end_column)
    if braces or key.line != value.end_line:
        return None
    return Span(key.file, key.line, 1, key.line + 1, 1)
