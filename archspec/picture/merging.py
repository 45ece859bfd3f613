"""Fewer rows: if they do not fit on a page, and for layers that are drawn as part of a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from archspec.diagnostics import plural
from archspec.picture.rows import SEPARATOR, Graph, Node, blocks_row, from_to, name_of, plain
from archspec.picture.steps import cost_of

MOST_ROWS = 16


def fewer(graph: Graph) -> Graph:
    """Merge rows if there are too many: blocks of one kind and image size, then all of one size.

    Layers that only run in training come last.
    """
    merger = _Merger(graph)
    for alike in (_of_one_kind, _of_one_size):
        if len(merger.rows) > MOST_ROWS:
            merger.merge(alike)
    return merger.graph


def condensed(graph: Graph) -> Graph:
    """Merge a stem of several layers into one row, and each kind of block into one row."""
    merger = _Merger(graph)
    first = next((place for place, node in enumerate(merger.rows) if node.kind), 0)
    stem = merger.rows[:first] if first > 3 else []
    merger.merge(lambda node: "stem" if node in stem else _of_one_kind(node))
    if stem:
        _name_stem(merger.rows[0], stem)
    return merger.graph


class _Merger:
    """The rows of a linear network, which are merged step by step."""

    def __init__(self, graph: Graph) -> None:
        self.whole = graph
        self.rows = [node for node in graph.nodes if not node.aside]
        self.merged = dict[Node, Node]()

    def merge(self, alike: Callable[[Node], object]) -> None:
        """Merge consecutive rows for which `alike` returns the same."""
        groups = [[*group] for _, group in groupby(self.rows, alike)]
        self.rows = [_one(group) for group in groups]
        for row, group in zip(self.rows, groups, strict=True):
            self.merged |= dict.fromkeys(group, row)

    @property
    def graph(self) -> Graph:
        """The network with the merged rows, each of which reads the one before it."""
        places = {row: place for place, row in enumerate(self.rows)}
        rows = [replace(row, inputs=[place - 1]) for row, place in places.items()]
        for node in (node for node in self.whole.nodes if node.aside):
            row = self.whole.nodes[node.inputs[0]]
            while row not in places:
                row = self.merged[row]
            rows.append(replace(node, inputs=[places[row]]))
        return replace(self.whole, nodes=tuple(rows))


def _name_stem(row: Node, stem: Sequence[Node]) -> None:
    row.title, row.kind = "stem", plural(sum(node.times for node in stem), "layer")
    row.lines = (SEPARATOR.join(node.title.replace(" conv", "") for node in stem),)
    row.units = ()


def _of_one_kind(node: Node) -> object:
    return (node.kind, node.y.spatial) if node.kind else node


def _of_one_size(node: Node) -> object:
    return node.y.spatial if node.y.spatial else node


def _one(nodes: Sequence[Node]) -> Node:
    """Consecutive rows as one row."""
    if len(nodes) == 1:
        return nodes[0]
    first, last = nodes[0], nodes[-1]
    if len({node.kind for node in nodes}) == 1 and last.units:
        found = blocks_row([unit for node in nodes for unit in node.units])
        found.title = from_to(_end(first, 0), _end(last, -1))
        return found
    title = " \u2013 ".join(node.title.partition(",")[0] for node in (first, last))
    kinds = SEPARATOR.join(dict.fromkeys(node.kind or node.title for node in nodes))
    lines = (kinds, plural(sum(node.times for node in nodes), "layer"))
    shape = max(nodes, key=lambda node: node.cost.macs).shape
    units = tuple(unit for node in nodes for unit in node.units)
    return Node(first.path, title, last.y, cost_of(nodes), shape, lines=lines, units=units)


def _end(row: Node, place: int) -> str:
    """The title of a row or, if that is a range, the name of its first or last block."""
    return name_of(row.units[place:][:1], None) if "\u2013" in row.title else row.title


# Layers on lines --------------------------------------------------------------------------


def with_lines(graph: Graph) -> Graph:
    """Draw layers that only resize an image for their reader as part of the line to it.

    Below a fork, these are the strided convolutions and the upsampling between resolutions.
    """
    nodes = [replace(node, inputs=[*node.inputs]) for node in graph.nodes]
    readers = graph.readers
    forks = [source for source, found in readers.items() if len(found) > 1 and source >= 0]
    first = min(forks, default=len(nodes))
    gone = set[int]()
    for place, node in enumerate(nodes):
        if place <= first or not _resizes(nodes, place) or len(readers[place]) != 1:
            continue
        reader = nodes[readers[place][0]]
        if node.inputs[0] not in reader.inputs and (reader.kind or reader.sign):
            _absorb(reader, place, node)
            gone.add(place)
    kept = [place for place in range(len(nodes)) if place not in gone]
    places = {-1: -1} | {old: new for new, old in enumerate(kept)}
    for place in kept:
        nodes[place].inputs = [places[source] for source in nodes[place].inputs]
    return replace(graph, nodes=tuple(nodes[place] for place in kept))


def _resizes(nodes: Sequence[Node], place: int) -> bool:
    """Whether a row is a single layer that changes the image size."""
    node = nodes[place]
    if node.kind or node.sign or node.times > 1 or len(node.inputs) != 1 or node.inputs[0] < 0:
        return False
    return node.y.rank > 0 and node.y.spatial != nodes[node.inputs[0]].y.spatial


def _absorb(reader: Node, place: int, node: Node) -> None:
    at = reader.inputs.index(place)
    ways = [*reader.on_way, *[()] * (len(reader.inputs) - len(reader.on_way))]
    ways[at] = (plain(node.title, node.y), *ways[at])
    reader.inputs[at], reader.on_way = node.inputs[0], tuple(ways)
    reader.cost = reader.cost.plus(node.cost)
