"""A flowchart for Markdown, which GitHub and GitLab draw."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.analysis import Analysis
from archspec.language import Spec
from archspec.picture import words
from archspec.picture.graph import graph_of
from archspec.picture.rows import Graph, Node
from archspec.picture.svg import LIGHT

BOXES = {"conv": '["{}"]', "pool": '[\\"{}"/]', "linear": '(["{}"])', "other": '("{}")'}
KINDS = ("conv", "pool", "linear")
PLAIN = frozenset(" .,-\u2013/()[]+:_=\u00d7\u00b7\u2026")


def render(analysis: Analysis, spec: Spec, depth: int | None) -> str:
    """The rows of the picture, and the rows that each one reads."""
    return "\n".join(_lines(graph_of(analysis)))


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart TD"
    yield f'  input("{_text(f"input {words.sizes(graph.input.sizes)}")}")'
    for place, node in enumerate(graph.nodes):
        yield f"  r{place}{_box(node)}"
    for place, node in enumerate(graph.nodes):
        arrow = "-.->" if node.aside else "-->"
        for source in node.inputs:
            yield f"  {'input' if source < 0 else f'r{source}'} {arrow} r{place}"
    for kind in KINDS:
        if rows := [f"r{place}" for place, node in enumerate(graph.nodes) if node.shape == kind]:
            colors = f"fill:{LIGHT[kind]},stroke:{LIGHT['stroke']},color:{LIGHT['ink']}"
            yield f"  classDef {kind} {colors}"
            yield f"  class {','.join(rows)} {kind}"


def _box(node: Node) -> str:
    if node.joins:
        return f'(("{_text(node.sign)}"))'
    times = f" {words.TIMES} {node.times}" if node.times > 1 else ""
    kind = f" ({node.kind})" if node.kind else ""
    lines = [f"{node.title}{kind}{times}", *node.lines[:1], words.sizes(node.y.sizes)]
    text = "<br>".join(map(_text, lines))
    return BOXES[node.shape].format(text)


def _text(text: str) -> str:
    """Escape text for Mermaid and HTML, by character codes."""
    spaced = text.replace(words.THIN, " ")
    return "".join(one if one.isalnum() or one in PLAIN else f"#{ord(one)};" for one in spaced)
