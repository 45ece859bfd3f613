"""The layout of a chain: rows below each other, with feature map, output shape, and cost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from archspec.ir import Shape as Sizes
from archspec.picture import words
from archspec.picture.drawing import (
    BODY,
    HEAD,
    SMALL,
    Group,
    Item,
    Line,
    Rect,
    Shape,
    Text,
    box_of,
    fitted,
    fitting,
    width,
)
from archspec.picture.rows import Graph, Node
from archspec.picture.steps import Cost

SPINE = 442  # wide
BOX = 164  # wide
MAP, OUTPUT, PARAMS, MACS = 177, 212, 366, 442  # columns; numbers end there
BAR = 68  # wide
GAP = 13  # between boxes
DEEP = (3, 2.4)  # by which the outlines of repeated blocks are moved


class Column(NamedTuple):
    """The drawn rows: the top and bottom of each box, and of all rows."""

    items: tuple[Item, ...]
    spans: dict[Node, tuple[float, float]]
    bottom: float
    wide: float
    skip: str = "shortcut"  # the meaning of a line in this color


def spine(graph: Graph, top: float) -> Column:
    """Draw all rows below the headings at `top`, and their totals."""
    images = graph.input.rank == 2 and not any(node.y.last for node in graph.nodes)
    items = list(headings(top, ("C", "H", "W") if images else ()))
    y = top + 18
    items += _input(graph, y)
    y += 43
    spans = dict[Node, tuple[float, float]]()
    main = [node for node in graph.nodes if not node.aside]
    after = [node for node in graph.nodes if node.aside]
    for node in [*main, *after]:
        high = height(node)
        if not node.aside:
            items.append(Line(((BOX / 2, y - GAP), (BOX / 2, y)), arrow=True))
        items.append(Group(node.path, tuple(_row(graph, node, y))))
        spans[node] = y, y + high
        y += high + (2 * DEEP[1] if node.times > 1 else 0) + GAP
    items += _total(graph, y - GAP + 8)
    return Column(tuple(items), spans, y + 10, SPINE)


def headings(y: float, axes: tuple[str, ...]) -> Iterator[Item]:
    """The names of the columns, and the line below them."""
    yield Text(0, y, "Layer", SMALL, fill="muted")
    yield Text(OUTPUT, y, f"Output {words.sizes(axes)}".strip(), SMALL, fill="muted")
    yield Text(PARAMS, y, "Parameters", SMALL, "end", "muted")
    yield Text(MACS, y, "MACs", SMALL, "end", "muted")
    yield Line(((0, y + 6), (SPINE, y + 6)), "rule", 0.8)


def _input(graph: Graph, y: float) -> list[Item]:
    middle = y + 20
    return [
        Text(BOX / 2, middle + 3.5, "input", HEAD, "middle", "muted"),
        *slab(MAP, middle, graph.input),
        Text(OUTPUT, middle + 3.5, words.sizes(graph.input.sizes), BODY),
    ]


def _total(graph: Graph, y: float) -> Iterator[Item]:
    yield Line(((0, y), (SPINE, y)), "rule", 0.8)
    yield Text(0, y + 15, "Total", HEAD, bold=True)
    total = Cost(graph.analysis.params, graph.analysis.macs)
    for x, number in zip((PARAMS, MACS), total, strict=True):
        yield Text(x, y + 15, words.count(number), HEAD, "end", bold=True)


def height(node: Node) -> float:
    """The height of a row's box."""
    return 31 if node.lines or node.kind else 24


def _row(graph: Graph, node: Node, y: float) -> Iterator[Item]:
    high = height(node)
    yield from box(node, 0, y, BOX, high)
    middle = y + high / 2
    yield from slab(MAP, middle, node.y)
    yield Text(OUTPUT, middle + 3.5, words.sizes(node.y.sizes), BODY)
    analysis = graph.analysis
    pairs = zip((PARAMS, MACS), node.cost, (analysis.params, analysis.macs), strict=True)
    for x, number, whole in pairs:
        yield from amount(x, middle, number, whole)


def amount(x: float, y: float, number: int, whole: int) -> Iterator[Item]:
    """A number with its share of the total, as a percentage and as a bar."""
    if not number:
        return
    yield Text(x, y - 0.5, words.count(number), BODY, "end")
    yield Text(x - BAR, y - 0.5, words.share(number, whole), SMALL, fill="muted")
    yield from bar(x - BAR, y + 4.5, BAR, number, whole)


def bar(x: float, y: float, wide: float, number: int, whole: int) -> Iterator[Item]:
    """A bar for a share of the total."""
    yield Rect(x, y, wide, 3.2, "track", "", 1.6, solid=False)
    filled = max(1.2, wide * number / whole) if whole else 1.2
    yield Rect(x, y, min(filled, wide), 3.2, "bar", "", 1.2, solid=False)


def box(node: Node, x: float, y: float, wide: float, high: float) -> Iterator[Item]:
    """The box of a row, with its text."""
    yield from outline(node, x, y, wide, high)
    times = f"{words.TIMES}{words.THIN}{node.times}" if node.times > 1 else ""
    if times:
        line = y + 13 if high >= 31 else y + high / 2 + 3.8
        yield Text(x + wide - 8, line, times, 11, "end", bold=True)
    used = width(times, 11, True) + 5 if times else 0
    draw = _two_lines if high >= 31 else _one_line
    yield from draw(node, x, y, wide, used)


def outline(node: Node, x: float, y: float, wide: float, high: float) -> Iterator[Item]:
    """The outline of a row; repeated blocks have a stack of three outlines."""
    for step in (2, 1) if node.times > 1 else ():
        back = box_of(node.shape, x + step * DEEP[0], y + step * DEEP[1], wide, high)
        yield back._replace(solid=False)
    yield box_of(node.shape, x, y, wide, high, "stroke" if node.aside else "")


def _one_line(node: Node, x: float, y: float, wide: float, used: float) -> Iterator[Item]:
    """A centered title; `used` is the width of the number of blocks."""
    edge = 16 if node.shape == "pool" else 8
    title = Text(x + (wide - used) / 2, y + 15.6, node.title, HEAD, "middle", bold=True)
    yield fitted(title, wide - 2 * edge - used)


def _two_lines(node: Node, x: float, y: float, wide: float, used: float) -> Iterator[Item]:
    """A title with the kind of block, and the layers of the block."""
    edge = 16 if node.shape == "pool" else 8
    room = wide - 2 * edge
    title = fitted(Text(x + edge, y + 13, node.title, HEAD, bold=True), room - used)
    yield title
    left = room - used - width(title.text, HEAD, True) - 6
    if left > 24 and node.kind:
        shade = "ink" if node.shape == "linear" else "muted"  # muted is too faint on it
        end = x + wide - edge - used
        yield fitted(Text(end, y + 13, node.kind, anchor="end", fill=shade), left)
    line = fitting(node.lines, room)
    longest = node.lines[0] if node.lines else ""
    yield Text(x + edge, y + 25.5, line, full="" if line == longest else longest)


def slab(x: float, middle: float, y: Sizes) -> Iterator[Item]:
    """A feature map: height and depth show the image size, width the channels, on a log scale."""
    image = max(y.spatial, default=0)
    side = 3.6 * math.log2(image) + 1 if image > 1 else 3.5
    high, wide = 0.87 * side, 1.7 * math.log2(max(y.channels, 1)) + 1.35
    across, up = 0.42 * side, 0.23 * side
    top = middle - (high - up) / 2
    a, b, c, d = x, x + wide, x + wide + across, x + across
    bottom, back = top + high, top - up
    yield Shape(((a, top), (d, back), (c, back), (b, top)), "top", line=0.7)
    yield Shape(((a, top), (b, top), (b, bottom), (a, bottom)), "front", line=0.7)
    yield Shape(((b, top), (c, back), (c, bottom - up), (b, bottom)), "side", line=0.7)
