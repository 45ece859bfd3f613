"""A table for a README: one row per stage, with its output and its cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from archspec.analysis import Analysis
from archspec.diagnostics import plural, visible
from archspec.language import Spec
from archspec.picture import words
from archspec.picture.graph import graph_of
from archspec.picture.rows import Node
from archspec.rounding import rounded

_SPECIAL = re.compile(r"([\\`*_\[\]#!|~])")


def render(analysis: Analysis, spec: Spec, depth: int | None) -> str:
    """The rows of the picture as a table, and their totals."""
    return "\n".join(_lines(analysis))


def _lines(analysis: Analysis) -> Iterator[str]:
    facts = f"input {words.sizes(analysis.input)}, {plural(analysis.depth, 'weighted layer')}"
    yield f"**{_text(visible(analysis.name))}**: {_text(facts)}"
    yield ""
    yield "| layer | | output | parameters | MACs |"
    yield "| --- | --- | --- | --: | --: |"
    for node in graph_of(analysis).nodes:
        yield _row(node)
    totals = (f"**{rounded(number)}**" for number in (analysis.params, analysis.macs))
    yield f"| **total** | | **{words.sizes(analysis.output)}** | {' | '.join(totals)} |"


def _row(node: Node) -> str:
    times = f"{words.TIMES}{words.THIN}{node.times}" if node.times > 1 else ""
    repeated = " ".join(filter(None, [node.kind, times]))
    what = ": ".join(filter(None, [repeated, *node.lines[:1]]))
    cells = [node.title, what, words.sizes(node.y.sizes), *map(words.count, node.cost)]
    return f"| {' | '.join(map(_text, cells))} |"


def _text(text: str) -> str:
    """Escape text for Markdown and HTML."""
    return escape(_SPECIAL.sub(r"\\\1", text), quote=False)
