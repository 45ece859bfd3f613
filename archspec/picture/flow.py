"""A network as a list of steps: boxes, blocks, and branches with their join.

The tree of `ir` becomes boxes. A box is a layer with the norm and the activation after it. Costs
are those of the analysis, so they add up to its totals.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from archspec.analysis import Analysis
from archspec.diagnostics import visible
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
from archspec.ir.tree import BlockInstance, BlockSite, Container, OpSite, RowSite, Site
from archspec.ir.visitor import visits
from archspec.picture import words


class Cost(NamedTuple):
    """Parameters and multiply-adds."""

    params: int = 0
    macs: int = 0

    def plus(self, other: Cost) -> Cost:
        """The sum of two costs."""
        return Cost(self.params + other.params, self.macs + other.macs)


FREE = Cost()


@dataclass(frozen=True, eq=False)
class Box:
    """A layer, with the norm and the activation that follow it as `notes`.

    `kind` is "conv", "pool", "linear", or "other". `kernel` and `channels` are its short form.
    """

    path: str
    kind: str
    title: str
    y: Shape
    cost: Cost = FREE
    notes: tuple[str, ...] = ()
    kernel: str = ""
    channels: str = ""
    follows: bool = False  # joins the box before it
    quiet: bool = False  # joins any neighbor
    takes: bool = False  # a norm or an activation may join it
    scale: str = ""  # `, /2`
    name: str = ""  # of the layer, where it has no title


@dataclass(frozen=True, eq=False)
class Unit:
    """A use of a block, or a sequence, which has no `kind`.

    `inputs` and `outputs` are its named tensors, each with its name inside and outside of the
    block.
    """

    path: str
    kind: str
    y: Shape
    steps: tuple[Step, ...]
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()

    @property
    def cost(self) -> Cost:
        """The total cost of its steps."""
        return cost_of(self.steps)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, eq=False)
class Join:
    """Branches of one input, and the operation that joins them: "+", "×", or "C" (concatenate)."""

    sign: str
    branches: tuple[tuple[Step, ...], ...]
    y: Shape

    @property
    def cost(self) -> Cost:
        """The total cost of the branches."""
        return cost_of(step for branch in self.branches for step in branch)


@dataclass(frozen=True)
class Tensor:
    """A named tensor: the input of the next step, or the output `saved` under that name."""

    name: str
    saved: bool = False
    cost: Cost = FREE


Step = Box | Unit | Join | Tensor


class Costly(Protocol):
    """Anything with a cost: a step or a row."""

    @property
    def cost(self) -> Cost: ...


def cost_of(steps: Iterable[Costly]) -> Cost:
    """The total cost of steps or rows."""
    total = Cost()
    for step in steps:
        total = total.plus(step.cost)
    return total


def boxes_in(steps: Iterable[Step]) -> Iterator[Box]:
    """All boxes at any depth, in execution order."""
    for step in steps:
        match step:
            case Box():
                yield step
            case Unit(steps=inner):
                yield from boxes_in(inner)
            case Join(branches=branches):
                for branch in branches:
                    yield from boxes_in(branch)


def flow_of(analysis: Analysis) -> tuple[Step, ...]:
    """The steps of a network, including those that only run in training."""
    network = analysis.network
    assert network is not None
    reader = _Reader(analysis)
    return reader.container(network.root, "", network.input)[0]


class _Reader:
    """Reads bodies in the order of `visits`, and takes the cost of each layer from the analysis."""

    def __init__(self, analysis: Analysis) -> None:
        network = analysis.network
        assert network is not None
        self.rows = defaultdict[str, deque[Cost]](deque)
        for row, visit in zip(analysis.rows, visits(network), strict=True):
            self.rows[visit.path].append(Cost(row.params, row.macs))

    def container(self, whole: Container, path: str, x: Shape) -> tuple[tuple[Step, ...], Shape]:
        """The steps of a block or a sequence, and its output shape."""
        shapes = {INPUT: x}
        steps, y = self.steps(whole.body, x, whole, path, shapes)
        return fused(steps), y

    def steps(
        self, body: Body, x: Shape, whole: Container, path: str, shapes: dict[str, Shape]
    ) -> tuple[list[Step], Shape]:
        """The steps of a body."""
        match body:
            case Apply():
                return self.apply(body, x, whole, path, shapes)
            case Chain(steps=parts):
                found = list[Step]()
                for part in parts:
                    more, x = self.steps(part, x, whole, path, shapes)
                    found += more
                return found, x
            case Save(name=name):
                shapes[name] = x
                return [Tensor(name, saved=True)], x
            case Load(name=name):
                return [Tensor(name)], shapes.get(name, x)
            case Interpolate(like=name):
                like = shapes.get(name, x)
                y = x._replace(spatial=like.spatial[-body.rank :] if body.rank else ())
                return [Box(path, "other", "resize", y)], y
            case Slice(start=start, stop=stop):
                a, b = start.value.number, stop.value.number
                y = x._replace(channels=int(b) - int(a))
                return [Box(path, "other", f"channels {a}\u2013{b}", y)], y
            case Add() | Multiply() | Concat() | Split():
                return self.join(body, x, whole, path, shapes)
        return [], x  # it reads nothing that is drawn: the end of a body, or dimensions of size 1

    def join(
        self,
        body: Add | Multiply | Concat | Split,
        x: Shape,
        whole: Container,
        path: str,
        shapes: dict[str, Shape],
    ) -> tuple[list[Step], Shape]:
        parts = _parts(body, x)
        found = [
            self.steps(branch, part, whole, path, shapes)
            for branch, part in zip(body.branches, parts, strict=True)
        ]
        leaving = [y for _, y in found]
        match body:
            case Add():
                sign, y = "+", max(leaving, key=lambda shape: shape.elements)
            case Multiply():
                sign, y = words.TIMES, max(leaving, key=lambda shape: shape.elements)
            case Concat(dim=dim):
                sign, y = "C", _concatenated(leaving, dim)
            case Split():
                sign, y = "C", _concatenated(leaving, 1)
        branches = tuple(
            fused(_split(body, part, steps)) for part, (steps, _) in zip(parts, found, strict=True)
        )
        return [Join(sign, branches, y)], y

    def apply(
        self, body: Apply, x: Shape, whole: Container, path: str, shapes: dict[str, Shape]
    ) -> tuple[list[Step], Shape]:
        name = whole.shortcuts.get(body.layer, body.layer)
        here, site = (f"{path}.{name}" if path else name), body.site
        if isinstance(site, OpSite):
            return self.layer(site, here), site.y
        if site is None:
            return [], x
        shapes |= dict.fromkeys(body.outputs, site.y)
        return [self.unit(site, body, here, x, shapes)], site.y

    def layer(self, site: OpSite, path: str) -> list[Step]:
        """The box of a layer; none for an identity, or for stochastic depth with a rate of 0."""
        waiting = self.rows[path]
        if not waiting:
            return []
        cost = waiting.popleft()
        return [] if site.op.key == "identity" else [_box(site.op, path, site.y, cost)]

    def unit(self, site: Site, body: Apply, path: str, x: Shape, shapes: dict[str, Shape]) -> Step:
        assert isinstance(site, (BlockSite, RowSite))
        inner = site.container
        names = inner.inputs if isinstance(inner, BlockInstance) else ()
        known = {INPUT: x} | {
            name: shapes[outer]
            for name, outer in zip(names, body.inputs, strict=False)
            if outer in shapes
        }
        steps, _ = self.steps(inner.body, x, inner, path, known)
        gives = _given(inner.body)
        shapes |= {o: known[i] for o, i in zip(body.outputs, gives, strict=False) if i in known}
        kind = site.use.block if isinstance(site, BlockSite) else ""  # a sequence uses none
        return Unit(
            path,
            visible(kind or "").replace("_", " "),
            site.y,
            fused(steps),
            tuple(zip(names, body.inputs, strict=False)),
            tuple(zip(gives, body.outputs, strict=False)),
        )


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
    return [Box("", "other", f"{part.channels} channels", part), *steps]


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


def is_stage(unit: Unit) -> bool:
    """Whether a step is a sequence of blocks of one kind."""
    kinds = {step.kind if isinstance(step, Unit) else "" for step in unit.steps}
    return not unit.kind and len(kinds) == 1 and kinds != {""}
