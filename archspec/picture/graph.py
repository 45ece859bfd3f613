"""The rows of a picture in execution order, and the rows that each one reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

from archspec.analysis import Analysis
from archspec.diagnostics import visible
from archspec.ir.bodies import INPUT
from archspec.picture import words
from archspec.picture.flow import flow_of
from archspec.picture.merging import fewer
from archspec.picture.rows import (
    Graph,
    Node,
    blocks_row,
    body,
    branches_row,
    followed,
    layers_row,
    name_of,
    plain,
)
from archspec.picture.steps import Box, Cost, Join, Step, Tensor, Unit, boxes_in, cost_of, is_stage


def graph_of(analysis: Analysis) -> Graph:
    """The rows of a network; their costs add up to the network's totals."""
    builder = _Builder(analysis)
    builder.run(flow_of(analysis), -1, {INPUT: -1})
    graph = Graph(analysis, tuple(builder.nodes))
    return _distinct(fewer(graph) if graph.linear else graph)


def _distinct(graph: Graph) -> Graph:
    """Use the whole path as the title of blocks whose names are in several places of the network.

    `branches.3` of the last stage is one, because earlier stages have `branches.0`.
    """
    places = defaultdict[str, set[str]](set)
    for node in graph.nodes:
        places[_family(node)] |= {node.path.rpartition(".")[0]}
    for node in graph.nodes:
        if node.kind and len(places[_family(node)]) > 1:
            node.title = visible(node.path)
    return graph


def _family(node: Node) -> str:
    """The name of a row without its number, if it has blocks."""
    outer, _, last = node.title.rpartition(".")
    return (outer if last[:1].isdigit() else node.title) if node.kind else ""


class _Builder:
    def __init__(self, analysis: Analysis) -> None:
        self.nodes: list[Node] = []
        self.aside = analysis.aside

    def add(self, node: Node, inputs: Iterable[int]) -> int:
        """The place of a new row."""
        node.inputs = list(inputs)
        node.aside = node.path.partition(".")[0] in self.aside
        if node.aside:
            node.lines = (f"training only, reads {self.title(node.inputs[0])}", "training only")
        self.nodes.append(node)
        return len(self.nodes) - 1

    def title(self, place: int) -> str:
        """A row by its name; the network's input is -1."""
        if place < 0:
            return "input"
        node = self.nodes[place]
        return name_of(node.units[-1:], None) if node.kind else node.title

    def run(self, steps: Iterable[Step], x: int, names: dict[str, int]) -> int:
        """Adds rows for steps that read `x`; the last of them."""
        for _, group in groupby(steps, _key):
            x = self.step([*group], x, names)
        return x

    def step(self, equal: list[Step], x: int, names: dict[str, int]) -> int:
        match equal[0]:
            case Tensor(name=name, saved=True):
                names[name] = x
                return x
            case Tensor(name=name):
                return names.get(name, x)
            case Box() as box:
                if box.follows and self.joins_last(x):
                    self.nodes[x] = followed(self.nodes[x], box)
                    return x
                return self.add(layers_row([s for s in equal if isinstance(s, Box)]), [x])
            case Join() as join:
                return self.join(join, x, names)
        units = [step for step in equal if isinstance(step, Unit)]
        if is_stage(unit := units[0]):
            return self.run_stage(unit, x, names)
        if _opens(unit):
            return self.opened(unit, x, names)
        others = [names.get(outer, x) for _, outer in unit.inputs]
        node = blocks_row(units)
        node.sign = _entering(unit)
        place = self.add(node, dict.fromkeys([x, *others]))
        names |= dict.fromkeys((outer for _, outer in unit.outputs), place)
        return place

    def joins_last(self, x: int) -> bool:
        """Whether the last row is a join, which takes an activation that follows."""
        if x < 0 or x != len(self.nodes) - 1:
            return False
        return self.nodes[x].joins

    def run_stage(self, stage: Unit, x: int, names: dict[str, int]) -> int:
        units = [step for step in stage.steps if isinstance(step, Unit)]
        if any(map(_opens, units)):
            return self.run(units, x, names)
        for _, group in groupby(units, lambda unit: unit.y.spatial):
            x = self.add(blocks_row([*group], stage), [x])
        return x

    def opened(self, unit: Unit, x: int, names: dict[str, int]) -> int:
        inner = {INPUT: x} | {own: names.get(outer, x) for own, outer in unit.inputs}
        last = self.run(unit.steps, x, inner)
        names |= {outer: inner.get(own, last) for own, outer in unit.outputs}
        return names[unit.outputs[0][1]] if unit.outputs else last

    def join(self, join: Join, x: int, names: dict[str, int]) -> int:
        if not any(_reads(branch) for branch in join.branches):
            return self.add(branches_row(join), [x])
        inputs, on_way, cost = list[int](), list[tuple[str, ...]](), Cost()
        for branch in join.branches:
            boxes = [step for step in branch if isinstance(step, Box)]
            if len(boxes) + sum(isinstance(step, Tensor) for step in branch) < len(branch):
                source, boxes = self.run(branch, x, names), []
            else:
                source = self.run([s for s in branch if isinstance(s, Tensor)], x, names)
            cost = cost.plus(cost_of(boxes))
            if source not in inputs:
                inputs.append(source)
                on_way.append(tuple(plain(box.title or box.name, box.y) for box in boxes))
        node = Node("", words.JOINS[join.sign], join.y, cost, "other", sign=join.sign)
        node.on_way = tuple(on_way)
        return self.add(node, inputs)


def _reads(steps: Iterable[Step]) -> bool:
    """Whether a step reads a tensor by this name."""
    return any(isinstance(step, Tensor) and not step.saved for step in steps)


def _key(step: Step) -> object:
    """A key that is equal for consecutive steps that form one row."""
    match step:
        case Box():
            return step.title, step.notes, step.y
        case Unit(inputs=(), outputs=()) if step.kind and not _opens(step):
            kernels = [box.kernel for box in body(step.steps) if box.takes]
            return step.kind, step.y, *kernels
    return step  # itself alone


def _opens(unit: Unit) -> bool:
    """Whether the parts of a block are rows: it contains stages, or it outputs several images."""
    stages = [step for step in unit.steps if isinstance(step, Unit) and is_stage(step)]
    sizes = {box.y.spatial for box in boxes_in(unit.steps)}
    several = len(unit.outputs) > 1 and (stages or len(sizes) > 1)
    return bool(several) or any(len(stage.steps) > 1 for stage in stages)


def _entering(unit: Unit) -> str:
    """How a block combines its other input tensors with its input."""
    if not unit.inputs:
        return ""
    joins = (step for step in unit.steps if isinstance(step, Join))
    return next((join.sign for join in joins if any(map(_reads, join.branches))), "")
