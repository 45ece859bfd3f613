"""Fewer rows: for a page that has no room for more, and for layers that belong on a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

from archspec.picture.flow import cost_of
from archspec.picture.rows import SEPARATOR, Graph, Node, blocks_row, from_to, name_of, plain

MOST_ROWS = 16


def fewer(graph: Graph) -> Graph:
    """Where rows are too many: those of one kind and image size as one; then all of one size.

    What runs while training alone comes last.
    """
    merger = _Merger(graph)
    for alike in (_of_one_kind, _of_one_size):
        if len(merger.rows) > MOST_ROWS:
            merger.merge(alike)
    return merger.graph


def condensed(graph: Graph) -> Graph:
    """One row for a stem of several layers, and one for each kind of block."""
    merger = _Merger(graph)
    first = next((place for place, node in enumerate(merger.rows) if node.kind), 0)
    stem = merger.rows[:first] if first > 3 else []
    merger.merge(lambda node: "stem" if node in stem else _of_one_kind(node))
    if stem:
        _name_stem(merger.rows[0], stem)
    return merger.graph


class _Merger:
    """The rows of a linear network while they become fewer."""

    def __init__(self, graph: Graph) -> None:
        self.whole = graph
        self.rows = [node for node in graph.nodes if not node.aside]
        self.merged = dict[Node, Node]()

    def merge(self, alike: Callable[[Node], object]) -> None:
        """Makes one row of those in a series for which `alike` is equal."""
        groups = [[*group] for _, group in groupby(self.rows, alike)]
        self.rows = [_one(group) for group in groups]
        for row, group in zip(self.rows, groups, strict=True):
            self.merged |= dict.fromkeys(group, row)

    @property
    def graph(self) -> Graph:
        """The network with these rows, each of which reads the one before."""
        places = {row: place for place, row in enumerate(self.rows)}
        rows = [replace(row, inputs=[place - 1]) for row, place in places.items()]
        for node in (node for node in self.whole.nodes if node.aside):
            row = self.whole.nodes[node.inputs[0]]
            while row not in places:
                row = self.merged[row]
            rows.append(replace(node, inputs=[places[row]]))
        return replace(self.whole, nodes=tuple(rows))


def _name_stem(row: Node, stem: Sequence[Node]) -> None:
    row.title, row.kind = "stem", f"{sum(node.times for node in stem)} layers"
    row.lines = (SEPARATOR.join(node.title.replace(" conv", "") for node in stem),)
    row.units = ()


def _of_one_kind(node: Node) -> object:
    return (node.kind, node.y.spatial) if node.kind else node


def _of_one_size(node: Node) -> object:
    return node.y.spatial if node.y.spatial else node


def _one(nodes: Sequence[Node]) -> Node:
    """Rows in a series as one."""
    if len(nodes) == 1:
        return nodes[0]
    first, last = nodes[0], nodes[-1]
    if len({node.kind for node in nodes}) == 1 and last.units:
        found = blocks_row([unit for node in nodes for unit in node.units])
        found.title = from_to(_end(first, 0), _end(last, -1))
        return found
    title = " \u2013 ".join(node.title.partition(",")[0] for node in (first, last))
    kinds = SEPARATOR.join(dict.fromkeys(node.kind or node.title for node in nodes))
    lines = (kinds, f"{sum(node.times for node in nodes)} layers")
    shape = max(nodes, key=lambda node: node.cost.macs).shape
    units = tuple(unit for node in nodes for unit in node.units)
    return Node(first.path, title, last.y, cost_of(nodes), shape, lines=lines, units=units)


def _end(row: Node, place: int) -> str:
    """The name of a stage of blocks, or of its first or last block, if its name is a range."""
    return name_of(row.units[place:][:1], None) if "\u2013" in row.title else row.title


# Layers on lines --------------------------------------------------------------------------


def with_lines(graph: Graph) -> Graph:
    """The network, with layers that only make an image fit for what reads it on the way there.

    Behind a fork these are the strided convolutions and the upsampling between resolutions.
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
    """Whether a row is one layer that changes the size of the image."""
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
