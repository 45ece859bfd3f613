"""A network as a list of steps, from the tree of `ir`.

A box is a layer with the norm and the activation after it. Costs are those of the analysis, so they
add up to its totals.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from archspec.analysis import Analysis
from archspec.diagnostics import plural, visible
from archspec.ir import Op, Shape
from archspec.ir.bodies import (
    INPUT,
    Add,
    Apply,
    Body,
    Chain,
    Concat,
    Give,
    Interpolate,
    Load,
    Multiply,
    Save,
    Slice,
    Split,
    parts_of,
)
from archspec.ir.tree import BlockInstance, BlockSite, Container, OpSite, RowSite
from archspec.ir.visitor import visits
from archspec.picture import words
from archspec.picture.steps import Box, Cost, Join, Step, Tensor, Unit, is_stage
from archspec.records import Record


def flow_of(analysis: Analysis) -> tuple[Step, ...]:
    """The steps of a network, including those that only run in training."""
    network = analysis.network
    assert network is not None
    costs = defaultdict[str, deque[Cost]](deque)
    for row, visit in zip(analysis.rows, visits(network), strict=True):
        costs[visit.path].append(Cost(row.params, row.macs))
    reader = _Reader(costs, network.root, "", {INPUT: network.input})
    return fused(reader.steps(network.root.body, network.input)[0])


class _Reader(Record, eq=False):
    """Reads the body of a block or a sequence, in the order of `visits`.

    `costs` has the costs of the uses of each layer that are not read yet, by its path, and `shapes`
    the shapes of named tensors.
    """

    costs: dict[str, deque[Cost]]
    whole: Container
    path: str
    shapes: dict[str, Shape]

    def steps(self, body: Body, x: Shape) -> tuple[list[Step], Shape]:
        """The steps of a body, and its output shape."""
        match body:
            case Apply():
                return self.apply(body, x)
            case Chain(steps=parts):
                found = list[Step]()
                for part in parts:
                    more, x = self.steps(part, x)
                    found += more
                return found, x
            case Save(name=name):
                self.shapes[name] = x
                return [Tensor(name, saved=True)], x
            case Load(name=name):
                return [Tensor(name)], self.shapes.get(name, x)
            case Interpolate(like=name):
                like = self.shapes.get(name, x)
                y = x._replace(spatial=like.spatial[-body.rank :] if body.rank else ())
                return [Box(self.path, "other", "resize", y)], y
            case Slice(start=start, stop=stop):
                a, b = start.value.number, stop.value.number
                y = x._replace(channels=int(b) - int(a))
                return [Box(self.path, "other", f"channels {a}\u2013{b}", y)], y
            case Add() | Multiply() | Concat() | Split():
                return self.join(body, x)
        return [], x  # it reads nothing that is drawn: the end of a body, or dimensions of size 1

    def join(self, body: Add | Multiply | Concat | Split, x: Shape) -> tuple[list[Step], Shape]:
        parts = _parts(body, x)
        found = [self.steps(*pair) for pair in zip(body.branches, parts, strict=True)]
        leaving = [y for _, y in found]
        if isinstance(body, (Add, Multiply)):
            sign = "+" if isinstance(body, Add) else words.TIMES
            y = max(leaving, key=lambda shape: shape.elements)
        else:
            sign = "C"
            y = _concatenated(leaving, body.dim if isinstance(body, Concat) else 1)
        branches = tuple(
            fused(_split(body, part, steps)) for part, (steps, _) in zip(parts, found, strict=True)
        )
        return [Join(sign, branches, y)], y

    def apply(self, body: Apply, x: Shape) -> tuple[list[Step], Shape]:
        name = self.whole.shortcuts.get(body.layer, body.layer)
        path, site = (f"{self.path}.{name}" if self.path else name), body.site
        if isinstance(site, OpSite):
            return self.layer(site, path), site.y
        if site is None:
            return [], x
        return [self.unit(site, body, path, x)], site.y

    def layer(self, site: OpSite, path: str) -> list[Step]:
        """The box of a layer; none for an identity, or for stochastic depth with a rate of 0."""
        waiting = self.costs[path]
        if not waiting:
            return []
        cost = waiting.popleft()
        return [] if site.op.key == "identity" else [_box(site.op, path, site.y, cost)]

    def unit(self, site: BlockSite | RowSite, body: Apply, path: str, x: Shape) -> Step:
        inner = site.container
        names = inner.inputs if isinstance(inner, BlockInstance) else ()
        inputs = tuple(zip(names, body.inputs, strict=False))
        outputs = tuple(zip(_given(inner.body), body.outputs, strict=False))
        shapes = {own: self.shapes[outer] for own, outer in inputs if outer in self.shapes}
        reader = _Reader(self.costs, inner, path, {INPUT: x} | shapes)
        steps = fused(reader.steps(inner.body, x)[0])
        given = {outer: reader.shapes[own] for own, outer in outputs if own in reader.shapes}
        self.shapes.update(dict.fromkeys(body.outputs, site.y) | given)
        kind = site.use.block if isinstance(site, BlockSite) else ""  # a sequence uses none
        title = visible(kind or "").replace("_", " ")
        return Unit(path, title, site.y, steps, inputs, outputs)


def _given(body: Body) -> tuple[str, ...]:
    while isinstance(body, Chain) and body.steps:
        body = body.steps[-1]
    return body.names if isinstance(body, Give) else ()


def _parts(body: Body, x: Shape) -> list[Shape]:
    """The input of each branch."""
    branches = parts_of(body)
    if not isinstance(body, Split):
        return [x] * len(branches)
    sizes = [int(size.value.number) for size in body.sizes]
    sizes = sizes or [x.channels // len(branches)] * len(branches)
    return [x._replace(channels=size) for size in sizes]


def _split(body: Body, part: Shape, steps: Sequence[Step]) -> list[Step]:
    """The steps of a branch; in a split, they start with the slice of channels that it takes."""
    if not isinstance(body, Split):
        return [*steps]
    return [Box("", "other", plural(part.channels, "channel"), part), *steps]


def _concatenated(shapes: list[Shape], dim: int) -> Shape:
    columns = [list(shape.sizes) for shape in shapes]
    whole = max(columns, key=len)
    axis = dim - 1 if dim > 0 else len(whole) + dim
    whole[axis] = sum(column[axis] for column in columns if axis < len(column))
    last = shapes[0].last
    return Shape(whole[-1], tuple(whole[:-1]), True) if last else Shape(whole[0], tuple(whole[1:]))


def _box(op: Op, path: str, y: Shape, cost: Cost) -> Box:
    kernel, channels = words.short(op, y)
    follows = words.joins_previous(op)
    pads = words.is_padding(op)
    title = words.note(op) if follows else "" if pads else words.title(op, y)
    return Box(
        path,
        words.kind_of(op),
        visible(path.rpartition(".")[2]) if op.constant else title,
        y,
        cost,
        (),
        kernel,
        channels,
        follows,
        words.is_quiet(op) or pads,
        op.projects or op.attends,
        words.scale(op),
        words.words(op),
    )


def fused(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, with norms, activations, and padding merged into the box of a neighbor."""
    found = list[Step]()
    for step in _flat(steps):
        before = found[-1] if found else None
        joined = None
        if isinstance(step, Box) and isinstance(before, Box):
            joined = _joined(before, step)
        if joined:
            found[-1] = joined
        else:
            found.append(step)
    return tuple(found)


def _joined(before: Box, box: Box) -> Box | None:
    """Two boxes as one, if one belongs to the other."""
    cost = before.cost.plus(box.cost)
    if box.follows and (before.takes or (box.quiet and before.kind != "other")):
        notes = (*before.notes, *filter(None, [box.title]))
        return replace(before, y=box.y, cost=cost, notes=notes)
    if (before.follows and box.follows) or before.quiet:
        text = ", ".join(filter(None, [before.title, box.title]))
        return replace(box, title=text, cost=cost, follows=before.follows and box.follows)
    return None


def _flat(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps, with sequences, and blocks of a single box, replaced by their contents."""
    for step in steps:
        if isinstance(step, Unit) and _is_transparent(step):
            yield from step.steps
        else:
            yield step


def _is_transparent(unit: Unit) -> bool:
    if unit.inputs or len(unit.outputs) > 1:
        return False
    if not unit.kind:
        return not is_stage(unit)
    return len(unit.steps) == 1 and isinstance(unit.steps[0], Box)
