"""The layout of an encoder and a decoder: side by side, with a line per skip connection.

A U-Net goes down on the left and up on the right (Ronneberger et al., 2015, figure 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archspec.picture import words
from archspec.picture.drawing import BODY, SMALL, WIDTH, Circle, Group, Item, Line, Text, width
from archspec.picture.rows import Graph, Node
from archspec.picture.spine import Column, bar, box, height, slab

BOX = 132  # wide
LEFT, RIGHT = 156, 392  # edges of the two columns of boxes
PITCH = 56  # from row to row
NUMBERS = 98  # wide
JOIN = 7.5  # the radius of a join, which touches its box


@dataclass(frozen=True)
class Ladder:
    """Rows of the encoder and of the decoder from the top; the deepest one is in the encoder."""

    down: dict[int, float]
    up: dict[int, float]


def ladder_of(graph: Graph) -> Ladder | None:
    """The ladder of an encoder and a decoder with skips between equal sizes; None for others."""
    nodes = graph.nodes
    if any(node.aside or (node.sign and not node.kind) for node in nodes):
        return None
    if any(node.inputs[:1] != [place - 1] for place, node in enumerate(nodes)):
        return None
    skips = {place: node.inputs[1:] for place, node in enumerate(nodes) if node.inputs[1:]}
    if not skips or any(len(sources) > 1 for sources in skips.values()):
        return None
    deepest = min(skips) - 1
    down = {place: float(place) for place in range(deepest + 1)}
    up, row = dict[int, float](), float(deepest)
    for place in range(deepest + 1, len(nodes)):
        if place in skips:
            [source] = skips[place]
            alike = nodes[source].y.spatial == nodes[place].y.spatial
            if not alike or source >= row or source > deepest:
                return None
            row = source
        else:
            row -= 0.01
        up[place] = float(row)
    return Ladder(down, up)


def ladder(graph: Graph, where: Ladder, top: float) -> Column:
    """Draw the rows, with figures on the outside and skip connections between."""
    keys = sorted({*where.down.values(), *where.up.values()})
    ys = {key: top + 32 + PITCH * place for place, key in enumerate(keys)}
    deepest = max(where.down)
    items = list[Item](_headings(top))
    spans = dict[Node, tuple[float, float]]()
    for places, x in ((where.down, LEFT), (where.up, RIGHT)):
        for place, key in places.items():
            node, y = graph.nodes[place], ys[key]
            wide = RIGHT + BOX - LEFT if place == deepest else BOX
            drawn = [*box(node, x, y, wide, height(node))]
            drawn += _numbers(graph, node, 0 if x == LEFT else RIGHT + BOX + 14, y)
            items.append(Group(node.path, tuple(drawn)))
            spans[node] = y, y + height(node)
    items += _downward(graph, where, ys)
    items += _upward(graph, where, ys)
    return Column(tuple(items), spans, max(ys.values()) + 31, WIDTH, "skip connection")


def _headings(y: float) -> Iterator[Item]:
    text = "Output, parameters, MACs"
    yield Text(0, y, text, SMALL, fill="muted")
    yield Text(WIDTH, y, text, SMALL, "end", "muted")


def _numbers(graph: Graph, node: Node, x: float, y: float) -> Iterator[Item]:
    """Feature map, output shape, and cost; the bar is the share of the multiply-adds."""
    params, macs = node.cost
    yield from slab(x, y + 15, node.y)
    yield Text(x + 44, y + 8, words.sizes(node.y.sizes), BODY)
    yield Text(x + 44, y + 20.5, words.count(params), SMALL, fill="muted")
    yield Text(x + 44 + NUMBERS, y + 20.5, words.count(macs), SMALL, "end")
    if macs:
        yield from bar(x + 44, y + 25, NUMBERS, macs, graph.analysis.macs)


def _downward(graph: Graph, where: Ladder, ys: dict[float, float]) -> Iterator[Item]:
    x, y = LEFT + BOX / 2, ys[0]
    yield Line(((x, y - 14), (x, y)), arrow=True)
    yield Text(x, y - 19, "input", BODY, "middle", "muted")
    for place, key in where.down.items():
        if place:
            above = where.down[place - 1]
            yield Line(((x, _end(graph, place - 1, ys[above])), (x, ys[key])), arrow=True)


def _upward(graph: Graph, where: Ladder, ys: dict[float, float]) -> Iterator[Item]:
    x = RIGHT + BOX / 2
    below = ys[max(where.down.values())]
    for place, key in where.up.items():
        y = ys[key]
        yield Line(((x, below), (x, _end(graph, place, y))), arrow=True)
        below = y
        for source in graph.nodes[place].inputs[1:]:
            yield from _skip(graph, place, source, y + height(graph.nodes[place]) / 2)
    if where.up:
        yield Line(((x, below), (x, below - 14)), arrow=True)
        yield Text(x, below - 19, "output", BODY, "middle", "muted")


def _skip(graph: Graph, place: int, source: int, y: float) -> Iterator[Item]:
    node, start = graph.nodes[place], graph.nodes[source]
    edge = LEFT + BOX + (6 if start.times > 1 else 0)
    end = RIGHT - 2 * JOIN if node.sign else RIGHT
    yield Line(((edge, y), (end, y)), "skip", 1.5, True)
    if node.sign:
        yield Circle(RIGHT - JOIN, y, JOIN, node.sign)
    text = words.sizes(start.y.sizes)
    if width(text, SMALL) < end - edge - 8:
        yield Text((edge + end) / 2 - 2, y - 5, text, SMALL, "middle", "skip")


def _end(graph: Graph, place: int, y: float) -> float:
    """The bottom of a row's box, including the outlines that mark repeated blocks."""
    node = graph.nodes[place]
    return y + height(node) + (4.8 if node.times > 1 else 0)
