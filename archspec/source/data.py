"""Plain data that knows its place: dicts, lists and strings with spans.

Numbers, booleans and null stay plain, so every span of a value is kept by what holds
it. Data is shared between specs that extend one another: read it, never change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archspec.diagnostics import Span


class Map(dict[str, Any]):
    """A mapping, and where it, its keys and its values stand.

    One that was made from a plain dict has no `span`, and lacks those of its items.
    """

    __slots__ = ("key_spans", "span", "value_spans")
    span: Span
    key_spans: dict[str, Span]
    value_spans: dict[str, Span]

    def __init__(self, items: dict[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(items)
        if not isinstance(items, Map):
            self.key_spans, self.value_spans = {}, {}
            return
        self.key_spans, self.value_spans = items.key_spans.copy(), items.value_spans.copy()
        if hasattr(items, "span"):
            self.span = items.span


class List(list[Any]):
    """A sequence, and where it and its values stand."""

    __slots__ = ("span", "value_spans")
    span: Span
    value_spans: list[Span]


class Text(str):
    """A string, where it stands, and whether it was written in quotes."""

    __slots__ = ("quoted", "span")
    span: Span
    quoted: bool


def locate(data: object, path: Sequence[str | int], key: bool = False) -> Span | None:
    """The span of the value (or of the key) that `path` leads to, if it has one.

    Steps that lead nowhere are skipped: pydantic puts the tags of unions into its
    paths, and what is missing is reported where it is missed.
    """
    span: Span | None = getattr(data, "span", None)
    for step in path:
        if isinstance(data, dict) and step in data:
            span = getattr(data, "key_spans" if key else "value_spans", {}).get(step)
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            span = data.value_spans[step] if isinstance(data, List) else None
            data = data[step]
    return span


def copy(data: Mapping[str, Any]) -> Map:
    """The maps and lists anew, everything else shared; places are kept."""
    result = Map({key: _copied(value) for key, value in data.items()})
    if isinstance(data, Map):
        result.key_spans, result.value_spans = dict(data.key_spans), dict(data.value_spans)
        if hasattr(data, "span"):
            result.span = data.span
    return result


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return copy(value)
    if not isinstance(value, list):
        return value
    parts = [_copied(part) for part in value]
    if not isinstance(value, List):
        return parts
    result = List(parts)
    result.span, result.value_spans = value.span, list(value.value_spans)
    return result
