"""An entry as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import dedent, indent, wrap

from archspec.reference.entries import Code, Entry, Part, Table

LINK = re.compile(r"\[([^][]+)\]\([^()]+\)")
NARROWEST = 24  # of a column that is wrapped
GAP = "  "


def as_text(entry: Entry, width: int) -> str:
    """An entry in lines of at most `width` characters, except in its example."""
    parts = [f"{entry.name} ({entry.kind})", *(_text(part, width) for part in entry.parts)]
    parts += [f"File: {entry.file}"] if entry.file else []
    return "\n\n".join(filter(None, parts))


def plain(text: str) -> str:
    """Markdown without its links."""
    return LINK.sub(r"\1", text)


def _text(part: Part, width: int) -> str:
    if isinstance(part, Code):
        return f"{part.heading}:\n\n{indent(dedent(part.text).rstrip(), '    ')}"
    if isinstance(part, Table):
        return "\n".join(_table(part, width))
    return "\n\n".join("\n".join(_wrapped(one, width)) for one in part.split("\n\n"))


def _table(table: Table, width: int) -> Iterator[str]:
    """Aligned columns; the widest are wrapped."""
    columns = [column for column in zip(table.head, *table.rows, strict=True) if any(column[1:])]
    wide = [max(map(len, column)) for column in columns]
    while sum(wide) > width - len(GAP) * len(wide) and max(wide) > NARROWEST:
        wide[wide.index(max(wide))] -= 1
    for row in zip(*columns, strict=True):
        yield from _row(row, wide)


def _row(row: Sequence[str], wide: Sequence[int]) -> Iterator[str]:
    """A row of cells, in as many lines as its longest cell needs."""
    cells = [_wrapped(cell, room) or [""] for cell, room in zip(row, wide, strict=True)]
    for parts in zip_longest(*cells, fillvalue=""):
        line = GAP.join(f"{part:{room}}" for part, room in zip(parts, wide, strict=True))
        yield f"{GAP}{line}".rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(plain(text), width, break_on_hyphens=False)
