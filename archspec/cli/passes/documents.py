"""Documents as YAML, with the location of each value in a comment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from archspec.diagnostics import Span, visible
from archspec.source.document import Document, Step
from archspec.source.writer import dumped

WIDTH = 80
LAST_COLUMN = 64  # the column of comments, unless a value does not fit before it

Path = tuple[Step, ...]
Line = tuple[str, str]  # text and comment
Place = Callable[[Span], str]


def line_and_column(span: Span) -> str:
    """`12:5`."""
    return f"{span.line}:{span.column}"


def file_and_line(span: Span) -> str:
    """`specs/resnet18.yaml:12`, or the setting that a value comes from."""
    return visible(span.file if span.file.startswith("--set ") else f"{span.file}:{span.line}")


def with_places(document: Document, place: Place) -> str:
    """The data as YAML, with the location of each value in comments."""
    lines = list(_Writer(document, place).nested(document.data, ()))
    lengths = [len(text) for text, _ in lines if len(text) <= LAST_COLUMN]
    column = max(lengths, default=0)
    return "\n".join(f"{text:{column}}  # {place}" if place else text for text, place in lines)


class _Writer:
    """Mappings and lists as lines; a list of scalars is one value."""

    def __init__(self, document: Document, place: Place) -> None:
        self.document, self.place = document, place

    def nested(self, value: Any, path: Path) -> Iterator[Line]:
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._item(item, (*path, number))
        else:
            for key, item in value.items():
                yield from self._entry(key, item, (*path, key))

    def _entry(self, key: str, value: Any, path: Path) -> Iterator[Line]:
        if not _is_nested(value):
            yield from self._single({key: value}, value, path)
            return
        yield _yaml({key: {}}, False).removesuffix(" {}"), ""
        yield from _indented(self.nested(value, path), "  ")

    def _item(self, value: Any, path: Path) -> Iterator[Line]:
        if not _is_nested(value):
            yield from self._single([value], value, path)
        else:
            yield from _indented(self.nested(value, path), "- ")

    def _single(self, written: Any, value: Any, path: Path) -> Iterator[Line]:
        flow = None if value and isinstance(value, list) else False
        *lines, last = _yaml(written, flow).split("\n")
        yield from ((line, "") for line in lines)
        span = self.document.span(path)
        yield last, self.place(span) if span else ""


def _is_nested(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, (dict, list)) for item in value)
    return isinstance(value, dict) and bool(value)


def _indented(lines: Iterator[Line], first: str) -> Iterator[Line]:
    for number, (text, place) in enumerate(lines):
        yield (" " * len(first) if number else first) + text, place


def _yaml(data: Any, flow: bool | None) -> str:
    """Data as YAML; with `flow=None`, its lists of scalars are in brackets."""
    return dumped(data, flow, WIDTH).removesuffix("\n")
