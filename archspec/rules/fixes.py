"""Edits that mend a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Edit, Fix, Span

if TYPE_CHECKING:
    from archspec.language.layers import Layer


def removal(layer: Layer, argument: str) -> Fix | None:
    """Takes an argument of a layer out of the text, where that leaves clean text."""
    raw: Any = layer.raw
    given: Any = raw.get(layer.head) if isinstance(raw, dict) else None
    keys: dict[str, Span] = getattr(given, "key_spans", {})
    span: Span | None = getattr(given, "span", None)
    if span is None or argument not in keys or len(keys) == 1:
        return None
    taken = _taken(argument, keys, given.value_spans, span)
    return Fix(f"remove `{argument}`", (Edit(taken, ""),)) if taken else None


def _taken(name: str, keys: dict[str, Span], values: dict[str, Span], whole: Span) -> Span | None:
    """What goes: of a map in braces on one line up to the neighbour, else the line."""
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
