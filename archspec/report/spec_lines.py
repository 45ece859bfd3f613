"""A resolved spec and the blocks that it uses as lines of YAML, each with its location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from archspec.diagnostics import Span
from archspec.places import At, Path
from archspec.records import Record
from archspec.source.document import Document
from archspec.source.writer import dumped

WIDTH = 88  # of a line that holds a whole map or list
ENDLESS = 1 << 20
STEP = "  "

Notes = Mapping[Path, tuple[str, ...]]  # below the value at a path: comments


class Line(Record):
    """One line of YAML.

    `paths` are the values that start on it. `span` is its location in a file: None for a line that
    only opens a mapping or a list, and for a comment about defaults (`default`).
    """

    text: str
    paths: tuple[Path, ...] = ()
    span: Span | None = None
    default: bool = False

    def after(self, start: str, *paths: Path) -> Line:
        """The line with a prefix, and with more values that start on it."""
        return Line(start + self.text, (*paths, *self.paths), self.span, self.default)


def spec_lines(document: Document, notes: Notes, order: Sequence[str] = ()) -> list[Line]:
    """The lines of a document, with these keys first.

    A value on a single line of a file stays on one line here, if it fits. `notes` become comments
    below their values.
    """
    keys = [*(key for key in order if key in document.data), *document.data]
    data = {key: document.data[key] for key in keys}
    return list(_Writer(document, notes).inside(data, ()))


class _Writer:
    def __init__(self, document: Document, notes: Notes) -> None:
        self.document, self.notes = document, notes

    def inside(self, value: Any, path: Path) -> Iterator[Line]:
        """The entries of a mapping, or the items of a list."""
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._entry(key, item, (*path, key))
        else:
            for place, item in enumerate(value):
                yield from self._item(item, (*path, place))

    def _entry(self, key: str, value: Any, path: Path) -> Iterator[Line]:
        short = self._short(value, path)
        if short is not None and len(_key(key)) + len(short) < WIDTH:
            yield Line(f"{_key(key)}: {short}", (path,), self.document.span(path))
        elif _nested(value):
            yield Line(f"{_key(key)}:", (path,))
            yield from (line.after(STEP) for line in self.inside(value, path))
        else:
            first, *more = dumped({key: value}, False, WIDTH).rstrip("\n").split("\n")
            yield Line(first, (path,), self.document.span(path))
            yield from map(Line, more)
        yield from self._notes(path)

    def _item(self, value: Any, path: Path) -> Iterator[Line]:
        short = self._short(value, path, item=True)
        if short is not None and (len(short) < WIDTH or not _nested(value)):
            yield Line(f"- {short}", (path,), self.document.span(path))
        else:
            first, *more = self.inside(value, path)
            yield first.after("- ", path)
            yield from (line.after(STEP) for line in more)
        yield from self._notes(path)

    def _short(self, value: Any, path: Path, item: bool = False) -> str | None:
        """The value, if it is on one line; a mapping of one key in a list has no braces."""
        if _nested(value) and not self._is_one_line(value, path):
            return None
        if item and isinstance(value, Mapping) and len(value) == 1:
            ((key, inner),) = value.items()
            return f"{_key(key)}: {_flow(inner)}"
        return _flow(value)

    def _notes(self, path: Path) -> Iterator[Line]:
        return (Line(f"{STEP}# {text}", default=True) for text in self.notes.get(path, ()))

    def _is_one_line(self, value: Any, path: Path) -> bool:
        """Whether all of it is written on one line of one file."""
        places = {(span.file, span.line) for span in self._spans(value, path) if span}
        return len(places) == 1

    def _spans(self, value: Any, path: Path) -> Iterator[Span | None]:
        yield self.document.span(path, key=True)
        if _nested(value):
            for step, item in _steps(value):
                yield from self._spans(item, (*path, step))
        else:
            yield self.document.span(path)


def _nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list)) and bool(value)


def _steps(value: Any) -> Iterator[tuple[str | int, Any]]:
    return iter(value.items() if isinstance(value, Mapping) else enumerate(value))


def _flow(value: Any) -> str:
    """A value on one line."""
    return dumped(value, True, ENDLESS).removesuffix("\n").removesuffix("\n...")


@cache
def _key(key: str) -> str:
    return _flow(key)


class Places:
    """Finds the line of a location.

    `sections` are the lines of the spec (`""`) and of block files, and where each starts. `inner`
    has the paths of blocks that are part of the spec.
    """

    def __init__(self, own_blocks: frozenset[str]) -> None:
        self.own_blocks = own_blocks
        self._at: dict[tuple[str, Path], int] = {}

    def add(self, block: str, lines: list[Line], first: int) -> None:
        """Add the lines of the spec or of a block, which start as number `first`."""
        self._at[block, ()] = first
        for number, line in enumerate(lines, first):
            for path in line.paths:
                self._at.setdefault((block, path), number)

    def line(self, at: At | None) -> int | None:
        """The number of the line that contains a location, or the value around it."""
        if at is None or at.parts:
            return None
        block, path = at.block, at.path
        if block in self.own_blocks:
            block, path = "", ("blocks", block, *path)
        if (block, ()) not in self._at:
            return None
        around = ((block, path[:end]) for end in range(len(path), -1 if block else 0, -1))
        return next((self._at[key] for key in around if key in self._at), None)
