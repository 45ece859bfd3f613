"""The layout of an encoder and a decoder: side by side, with a line per skip connection.

A U-Net goes down on the left and up on the right (Ronneberger et al., 2015, figure 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.picture import words
from archspec.picture.drawing import BODY, SMALL, WIDTH, Circle, Group, Item, Line, Text, width
from archspec.picture.rows import Graph, Node
from archspec.picture.spine import Column, bar, box, height, slab

BOX = 132  # wide
LEFT, RIGHT = 156, 392  # edges of the two columns of boxes
PITCH = 56  # from row to row
NUMBERS = 98  # wide
JOIN = 7.5  # the radius of a join, which touches its box


def ladder_of(graph: Graph) -> list[float]:
    """The level of each row of an encoder and a decoder with skips between equal sizes.

    The encoder goes down to the deepest level, one per row, and the decoder goes up. Empty for
    other networks.
    """
    nodes = graph.nodes
    if any(node.aside or node.joins for node in nodes):
        return []
    if any(node.inputs[:1] != [place - 1] for place, node in enumerate(nodes)):
        return []
    skips = {place: node.inputs[1:] for place, node in enumerate(nodes) if node.inputs[1:]}
    if not skips or any(len(sources) > 1 for sources in skips.values()):
        return []
    deepest = min(skips) - 1
    levels = [float(place) for place in range(deepest + 1)]
    level = float(deepest)
    for place in range(deepest + 1, len(nodes)):
        if place in skips:
            [source] = skips[place]
            alike = nodes[source].y.spatial == nodes[place].y.spatial
            if not alike or source >= level:
                return []
            level = source
        else:
            level -= 0.01
        levels.append(level)
    return levels


def ladder(graph: Graph, levels: Sequence[float], top: float) -> Column:
    """Draw the rows, with figures on the outside and skip connections between."""
    keys = sorted({*levels})
    ys = [top + 32 + PITCH * keys.index(level) for level in levels]
    deepest = ys.index(max(ys))
    items = list[Item](_headings(top))
    spans = dict[Node, tuple[float, float]]()
    for place, (node, y) in enumerate(zip(graph.nodes, ys, strict=True)):
        x = LEFT if place <= deepest else RIGHT
        wide = RIGHT + BOX - LEFT if place == deepest else BOX
        drawn = [*box(node, x, y, wide, height(node))]
        drawn += _numbers(graph, node, 0 if x == LEFT else RIGHT + BOX + 14, y)
        items.append(Group(node.path, tuple(drawn)))
        spans[node] = y, y + height(node)
    items += _downward(graph.nodes[:deepest], ys)
    items += _upward(graph, deepest, ys)
    return Column(tuple(items), spans, max(ys) + 31, WIDTH, "skip connection")


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


def _downward(nodes: Sequence[Node], ys: Sequence[float]) -> Iterator[Item]:
    x, y = LEFT + BOX / 2, ys[0]
    yield Line(((x, y - 14), (x, y)), arrow=True)
    yield Text(x, y - 19, "input", BODY, "middle", "muted")
    for node, above, below in zip(nodes, ys, ys[1:], strict=False):
        yield Line(((x, _end(node, above)), (x, below)), arrow=True)


def _upward(graph: Graph, deepest: int, ys: Sequence[float]) -> Iterator[Item]:
    x, below = RIGHT + BOX / 2, ys[deepest]
    for node, y in zip(graph.nodes[deepest + 1 :], ys[deepest + 1 :], strict=True):
        yield Line(((x, below), (x, _end(node, y))), arrow=True)
        below = y
        for source in node.inputs[1:]:
            yield from _skip(node, graph.nodes[source], y + height(node) / 2)
    yield Line(((x, below), (x, below - 14)), arrow=True)
    yield Text(x, below - 19, "output", BODY, "middle", "muted")


def _skip(node: Node, start: Node, y: float) -> Iterator[Item]:
    edge = LEFT + BOX + (6 if start.times > 1 else 0)
    end = RIGHT - 2 * JOIN if node.sign else RIGHT
    yield Line(((edge, y), (end, y)), "skip", 1.5, True)
    if node.sign:
        yield Circle(RIGHT - JOIN, y, JOIN, node.sign)
    text = words.sizes(start.y.sizes)
    if width(text, SMALL) < end - edge - 8:
        yield Text((edge + end) / 2 - 2, y - 5, text, SMALL, "middle", "skip")


def _end(node: Node, y: float) -> float:
    """The bottom of a row's box, including the outlines that mark repeated blocks."""
    return y + height(node) + (4.8 if node.times > 1 else 0)
