"""The rows of a picture, and their names: a layer, equal layers, or blocks of one kind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from archspec.analysis import Analysis
from archspec.diagnostics import plural, visible
from archspec.ir import Shape
from archspec.picture import words
from archspec.picture.steps import Box, Cost, Join, Step, Unit, boxes_in, cost_of
from archspec.records import Record

SEPARATOR = f"{words.THIN}\u00b7 "


@dataclass(eq=False)
class Node:
    """A row: a layer, `times` equal layers, blocks of one kind, or a join with its `sign`.

    `inputs` are the rows that it reads; -1 is the network's input. `units` are its blocks. `lines`
    are texts for its second line, the longest first. `aside` is True for a row that only runs in
    training.
    """

    path: str
    title: str
    y: Shape
    cost: Cost
    shape: str = "conv"  # of its box
    kind: str = ""
    times: int = 1
    lines: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()
    inputs: list[int] = field(default_factory=list)
    sign: str = ""  # of a join, and of the join of a block that takes another tensor
    aside: bool = False
    on_way: tuple[tuple[str, ...], ...] = ()  # the layers on the way from each input

    @property
    def joins(self) -> bool:
        """Whether it is a join of rows."""
        return bool(self.sign and not self.kind)


class Graph(Record):
    """A network as rows in execution order."""

    analysis: Analysis
    nodes: tuple[Node, ...]

    @property
    def linear(self) -> bool:
        """Whether each row reads only the row before it."""
        main = [place for place, node in enumerate(self.nodes) if not node.aside]
        before = dict(zip(main, [-1, *main], strict=False))
        return all(set(self.nodes[place].inputs) <= {before[place]} for place in main)

    @property
    def readers(self) -> defaultdict[int, list[int]]:
        """The rows that read each row."""
        found = defaultdict[int, list[int]](list)
        for place, node in enumerate(self.nodes):
            for source in node.inputs:
                found[source].append(place)
        return found

    @property
    def input(self) -> Shape:
        """The shape of the network's input."""
        assert self.analysis.network is not None
        return self.analysis.network.input

    def output(self, place: int) -> Shape:
        """The output shape of a row; -1 is the network's input."""
        return self.nodes[place].y if place >= 0 else self.input


# Rows -------------------------------------------------------------------------------------


def layers_row(boxes: Sequence[Box]) -> Node:
    box = boxes[-1]
    note = (", ".join(box.notes),) if box.notes else ()
    title = box.title or box.name
    return Node(box.path, title, box.y, cost_of(boxes), box.kind, "", len(boxes), note)


def plain(title: str, y: Shape) -> str:
    """The title of a layer without its channels."""
    return title.replace(f", {y.channels}", "", 1)


def followed(node: Node, box: Box) -> Node:
    """A join with the activation after it."""
    lines = (", ".join(filter(None, [*node.lines, box.title])),)
    return replace(node, cost=node.cost.plus(box.cost), y=box.y, lines=lines)


def branches_row(join: Join) -> Node:
    """A row for branches and their join that are in no block."""
    boxes = [box for branch in join.branches for box in branch if isinstance(box, Box)]
    path = next((box.path for box in boxes if box.path), "")
    unit = Unit(path, words.JOINS[join.sign], join.y, (join,))
    if len(boxes) == 1 and not boxes[0].takes:  # a parameter, a pool
        title = f"{words.JOINS[join.sign]} {boxes[0].title or boxes[0].name}"
        return Node(path, title, join.y, join.cost, "other")
    return Node(path, unit.kind, join.y, join.cost, _shape([unit]), "", 1, _lines([unit]), (unit,))


def blocks_row(units: Sequence[Unit], stage: Unit | None = None) -> Node:
    path, last = stage.path if stage else units[0].path, units[-1]
    row = Node(path, name_of(units, stage), last.y, cost_of(units), _shape(units), last.kind)
    row.times, row.lines, row.units = len(units), _lines(units), tuple(units)
    return row


def _shape(units: Sequence[Unit]) -> str:
    """The main layer of the boxes: a convolution if there is one."""
    kinds = {box.kind for unit in units for box in boxes_in([unit])}
    return next((kind for kind in ("conv", "linear", "pool") if kind in kinds), "other")


def name_of(units: Sequence[Unit], stage: Unit | None) -> str:
    if stage:
        whole = len(units) == len(stage.steps)
        ends = "" if whole else f".{_range(units)}"
        return visible(_short_path(stage.path) + ends)
    if len(units) == 1:
        return visible(_short_path(units[0].path))
    outer = _short_path(units[0].path).rpartition(".")[0]
    return visible(".".join(filter(None, [outer, _range(units)])))


def _range(units: Sequence[Unit]) -> str:
    return from_to(units[0].name, units[-1].name)


def from_to(first: str, last: str) -> str:
    """Two names as a range: `Mixed_6b–e`, `4–6`."""
    if first == last:
        return first
    same = "".join(a for a, b in takewhile(_equal, zip(first, last, strict=False)))
    same = re.sub(r"\d+$", "", same) if last[len(same) :][:1].isdigit() else same
    return f"{first}\u2013{last[len(same) :]}"


def _equal(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def _short_path(path: str) -> str:
    """The last part of a path, with the sequence before it if it is a number."""
    outer, _, name = path.rpartition(".")
    return f"{outer.rpartition('.')[2]}.{name}" if outer and name.isdecimal() else name


# The second line --------------------------------------------------------------------------


def _lines(units: Sequence[Unit]) -> tuple[str, ...]:
    """The kernels and channels of the convolutions in a body, then shorter texts for the same."""
    rows = [[box for box in body(unit.steps) if box.takes] for unit in units]
    typical = rows[-1]
    like = [row for row in rows if len(row) == len(typical)]
    columns = [[*column] for column in zip(*like, strict=True)]
    kernels = [column[-1].kernel for column in columns]
    channels = [_channels(column) for column in columns]
    widths = [unit.y.channels for unit in units]
    leave = plural(widths[0], "channel") if len({*widths}) == 1 else f"{_spread(widths)} channels"
    if not columns:
        boxes = [box.title or box.name for unit in units[-1:] for box in body(unit.steps)]
        return (SEPARATOR.join(boxes), leave)
    pairs = [", ".join(filter(None, pair)) for pair in zip(kernels, channels, strict=True)]
    bare = [channel or kernel for kernel, channel in zip(kernels, channels, strict=True)]
    branches = _branches(units[-1].steps)
    full = [SEPARATOR.join(pairs), SEPARATOR.join(bare)]
    if branches > 1:
        return (f"{branches} branches, {leave}", leave)
    return (*full, f"{plural(len(columns), 'convolution')}, {leave}", leave)


def _channels(column: Sequence[Box]) -> str:
    numbers = [int(box.channels) for box in column if box.channels]
    return _spread(numbers) if numbers else ""


def _spread(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}\u2013{high}"


def body(steps: Iterable[Step]) -> Iterator[Box]:
    """The boxes on the main path, without shortcuts and gates."""
    for step in steps:
        match step:
            case Box():
                yield step
            case Unit(steps=inner):
                yield from body(inner)
            case Join(sign=sign, branches=branches):
                if sign != words.TIMES or all(branches):
                    longest: tuple[Step, ...] = max(branches, key=_weight)
                    yield from body(longest)


def _weight(branch: Sequence[Step]) -> tuple[int, int]:
    return cost_of(branch).macs, len(branch)


def _branches(steps: Iterable[Step]) -> int:
    """The largest number of branches with convolutions in a block."""
    most = 1
    for step in steps:
        if isinstance(step, Unit):
            most = max(most, _branches(step.steps))
        elif isinstance(step, Join):
            wide = sum(any(box.takes for box in boxes_in(branch)) for branch in step.branches)
            if step.sign == "C":
                most = max(most, wide)
            most = max(most, *(_branches(branch) for branch in step.branches))
    return most
