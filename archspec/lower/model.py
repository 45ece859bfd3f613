"""A network with its blocks opened: every use of a block by itself, sizes known.

`elaborate` makes this of a spec, `classes` makes classes of it. A `Slot` is a size as a number
and as a formula in the names of the class around; uses that differ in numbers alone become
one class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Label, Span
from archspec.expression import Expr, Number, Scalar, Value, simplify, substitute, weight
from archspec.ir import Body, Op, Shape
from archspec.language import Block
from archspec.record import field, record, replace

if TYPE_CHECKING:
    from archspec.language.layers import Layer
    from archspec.lower.totals import Cost

Slot = Value | tuple[Value, ...] | str
NOTHING = Shape(0)


LONGEST_FORMULA = 32  # operations; what is longer is a number in each use


def short(formula: Expr | None) -> Expr | None:
    """The formula, or None: formulas of formulas double with each name."""
    return None if formula is None or weight(formula) > LONGEST_FORMULA else formula


@record
class Flow:
    """What flows from layer to layer: a shape, the formula of its channels, and the stride.

    `stride` is the product of the strides so far, one number a dimension; None where sizes
    were pooled away. `last` is the op that it comes from, if it goes from there to one layer.
    """

    shape: Shape
    channels: Expr
    stride: tuple[int, ...] | None
    last: Step | None = None

    @property
    def value(self) -> Value:
        return Value(self.shape.channels, self.channels)

    def come(self) -> Any:
        """Equal for flows that differ in nothing but where they come from."""
        return self.shape, self.channels, self.stride

    def agrees(self, other: Flow) -> bool:
        """Whether a sum needs no projection; the number of pixels has no say."""
        mine, theirs = self.shape, other.shape
        same = mine.channels == theirs.channels and mine.rank == theirs.rank
        return same and self.stride is not None and self.stride == other.stride

    def through(self, step: Step, written: Mapping[str, Slot]) -> Flow:
        """What leaves an op."""
        op, shape = step.op, step.y
        channels = self._channels_after(op, shape, written)
        return Flow(shape, channels, self._stride(op, shape), step)

    def _stride(self, op: Op, shape: Shape) -> tuple[int, ...] | None:
        if not shape.rank:
            return ()
        if op.resizes or self.stride is None or self.shape.rank != shape.rank:
            return None
        steps = op.strides()
        steps = steps * shape.rank if len(steps) == 1 else steps or (1,) * shape.rank
        return tuple(a * b for a, b in zip(self.stride, steps, strict=True))

    def _channels_after(self, op: Op, shape: Shape, written: Mapping[str, Slot]) -> Expr:
        slot = written.get(op.leaves) if op.leaves else None
        if isinstance(slot, tuple):
            slot = slot[0]
        if isinstance(slot, Value) and slot.expr is not None:
            return slot.expr
        factor, rest = divmod(shape.channels, self.shape.channels)
        scaled = None if rest else short(simplify("*", self.channels, Number(factor)))
        if scaled is None or isinstance(self.channels, Number):
            return Number(shape.channels)
        return scaled

    def apart(self) -> Flow:
        """The same, read by several layers or made of several."""
        return replace(self, last=None)

    def with_shape(self, shape: Shape, channels: Expr) -> Flow:
        return replace(self, shape=shape, channels=channels)


@record(eq=False, frozen=False)
class Step:
    """An op as it was opened, for the rules of lint: what it takes, gives and follows.

    `at` is its place in the body, or that of the part that it fills; `labels` are the places
    that led there. `role` is "shortcut" in the shortcut of a residual, "gate" in a scale, or "".
    """

    op: Op
    x: Shape
    y: Shape
    layer: Layer
    at: Span | None = None
    labels: tuple[Label, ...] = ()
    before: Step | None = None
    role: str = ""
    concerns: frozenset[str] | None = None  # rules of lint that look closer, see `View`


@record(eq=False, frozen=False)
class OpUse:
    """An op with its arguments, by torch's names."""

    op: type[Op]
    torch: str
    rank: int
    slots: dict[str, Slot]
    shape: Shape = NOTHING  # what leaves it
    params: int = 0
    macs: int = 0


@record(eq=False, frozen=False)
class Use:
    """A use of a block that is a class. `outside`: its names, in formulas of the caller."""

    instance: Instance
    outside: dict[str, Expr | None]
    known: dict[str, Expr | None] = field(default_factory=dict)

    def formula(self, expr: Expr) -> Expr | None:
        """A formula of the block, in the names of its caller; None if there is none."""
        return substitute(expr, lambda name: self.meaning(name.id))

    def meaning(self, name: str) -> Expr | None:
        """A name of the block as a formula of its caller."""
        if name in self.outside:
            return self.outside[name]
        if name not in self.known:
            inner = self.instance.definitions[name].inner
            self.known[name] = None if inner is None else short(self.formula(inner))
        return self.known[name]


@record(eq=False, frozen=False)
class Row:
    """Layers that are one `nn.Sequential`."""

    children: list[Item]
    cost: Cost | None = None  # see `totals`
    concerns: frozenset[str] | None = None  # as in `Instance`


Made = OpUse | Use | Row


@record(eq=False, frozen=False)
class Item:
    """A layer that becomes an attribute. `mark` stands for it in bodies until it is named."""

    made: Made
    mark: str
    name: str | None = None
    span: Span | None = None
    zeros: bool = False
    attribute: str = ""


@record
class Definition:
    """A name of a block in one use: its number, and its formula in the block's other names.

    `given`: the user of the block said it, so the formula is the caller's.
    """

    number: Scalar
    inner: Expr | None = None
    given: bool = False


@record(eq=False, frozen=False)
class Joint:
    """The place of a residual's shortcut: there in one use of a block, absent in the next."""

    mark: str
    name: str
    item: Item | None
    after: int  # how many items of the class come before it


@record(eq=False, frozen=False)
class Instance:
    """One use of a block (or the network), opened."""

    block_name: str
    block: Block | None
    class_name: str
    doc: str
    sequential: bool = False
    definitions: dict[str, Definition] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    joints: list[Joint] = field(default_factory=list)
    body: Body | None = None
    leaving: Flow | None = None
    span: Span | None = None
    marks: int = 0
    symbols: dict[Any, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    key: Any = None
    size: int = 0  # layers, with those of the blocks in it
    spent: int = 0  # steps of the budget that opening it took
    used: frozenset[str] = frozenset()  # ops and blocks, see `Layers`
    cost: Cost | None = None  # see `totals`
    concerns: frozenset[str] | None = None  # those of all its steps, as in `Step`

    def mark(self) -> str:
        self.marks += 1
        return f"#{self.marks}"
