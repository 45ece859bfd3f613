"""The network as a tree: every use of every block opened, sizes and shapes known.

A `Value` is a size as a number and as a formula in the names of the class around it. Shapes belong
to applications (`OpSite`, `BlockSite`), not to modules: one activation may be applied to many. What
is the same for two uses of a block is one `BlockInstance`, so nothing is ever written to one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from archspec.expression import Expr, Number, Scalar, Value, simplify, substitute, weight, whole
from archspec.ir.bodies import INPUT, Body, Chain, applications
from archspec.ir.draws import Draw, Rule
from archspec.ir.liveness import in_mode, loaded
from archspec.ir.ops import Op, Real, Shape, fields_of
from archspec.places import At, Use

Slot = Value | tuple[Value, ...] | str  # an argument of an op
LONGEST_FORMULA = 32  # operations; what is longer is a number in each use


def short(formula: Expr | None) -> Expr | None:
    """The formula, or None: formulas of formulas double with each name."""
    return None if formula is None or weight(formula) > LONGEST_FORMULA else formula


class TensorInfo(NamedTuple):
    """What flows from layer to layer: a shape, the formula of its channels, and the stride.

    `stride` is the product of the strides so far, one number a dimension, a fraction where sizes
    grew; None where sizes were pooled away.
    """

    shape: Shape
    channels: Expr
    stride: tuple[Real, ...] | None

    @property
    def value(self) -> Value:
        """The channels as number and formula."""
        return Value(self.shape.channels, self.channels)

    def agrees(self, other: TensorInfo) -> bool:
        """Whether a sum needs no projection; the number of pixels has no say."""
        mine, theirs = self.shape, other.shape
        same = mine.channels == theirs.channels and mine.rank == theirs.rank
        return same and self.stride is not None and self.stride == other.stride

    def through(self, op: Op, shape: Shape, slots: Mapping[str, Slot]) -> TensorInfo:
        """What leaves an op with these arguments."""
        return TensorInfo(shape, self._channels(op, shape, slots), self._stride(op, shape))

    def _stride(self, op: Op, shape: Shape) -> tuple[Real, ...] | None:
        if not shape.rank:
            return ()
        if op.constant:
            return self.stride if shape.spatial == self.shape.spatial else None
        steps = op.strides()
        if steps is None or self.stride is None or self.shape.rank != shape.rank:
            return None
        return times(self.stride, steps * shape.rank if len(steps) == 1 else steps)

    def _channels(self, op: Op, shape: Shape, slots: Mapping[str, Slot]) -> Expr:
        slot = slots.get(op.leaves) if op.leaves else None
        if isinstance(slot, tuple):
            slot = slot[op.place_of_channels(shape)]
        if not isinstance(slot, Value) or slot.expr is None:
            slot = self.value
        elif slot.number == shape.channels:
            return slot.expr
        return _scaled(slot, shape.channels)


def times(stride: tuple[Real, ...], steps: tuple[Real, ...]) -> tuple[Real, ...]:
    """One stride after another; equal ones are equal numbers."""
    if not steps:
        return stride
    return tuple(whole(Fraction(a * b)) for a, b in zip(stride, steps, strict=True))


def _scaled(value: Value, channels: int) -> Expr:
    """A multiple or an equal part of a number of channels, as a formula if it has one."""
    few, many = sorted((channels, int(value.number)))
    if value.expr is None or isinstance(value.expr, Number) or channels == 1 or many % few:
        return Number(channels)
    sign = "*" if channels == many else "//"
    return short(simplify(sign, value.expr, Number(many // few))) or Number(channels)


@dataclass(frozen=True, eq=False)
class OpCall:
    """A module that torch knows, with its arguments by torch's names."""

    op: Op
    torch: str
    slots: Mapping[str, Slot]

    @property
    def kind(self) -> type[Op]:
        """The class of the op."""
        return type(self.op)

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments of the constructor by torch's names, as numbers, words or tuples."""
        if self.op.imported:
            return {name: _number_of(slot) for name, slot in self.slots.items()}
        return {f.torch: getattr(self.op, f.torch) for f in fields_of(self.kind)}


def _number_of(slot: Slot) -> Any:
    if isinstance(slot, tuple):
        return tuple(map(_number_of, slot))
    return slot.number if isinstance(slot, Value) else slot


@dataclass(frozen=True, eq=False)
class BlockCall:
    """A use of a block that is a class. `outside`: its names, in formulas of the caller."""

    instance: BlockInstance
    outside: Mapping[str, Expr | None]

    def formula(self, expr: Expr) -> Expr | None:
        """A formula of the block, in the names of its caller; None if there is none."""
        return self._formula(expr, dict(self.outside))

    def _formula(self, expr: Expr, known: dict[str, Expr | None]) -> Expr | None:
        return substitute(expr, lambda name: self._meaning(name.id, known))

    def _meaning(self, name: str, known: dict[str, Expr | None]) -> Expr | None:
        """A name of the block as a formula of its caller; found once, for names share names."""
        if name not in known:
            inner = self.instance.definitions[name].inner
            known[name] = None if inner is None else short(self._formula(inner, known))
        return known[name]

    def meaning(self, name: str) -> Expr | None:
        """What a parameter of the block's class is for the caller; None if it has no formula."""
        name = self.instance.own_name(name)
        if name in self.outside or name in self.instance.definitions:
            return self._meaning(name, dict(self.outside))
        return None

    def moved(self, module: ModuleNode) -> ModuleNode:
        """A module of the block, in formulas of the caller."""
        match module:
            case OpCall(slots=slots):
                return replace(module, slots={n: self._moved(slot) for n, slot in slots.items()})
            case BlockCall(instance=instance, outside=outside):
                formulas = {n: expr and self.formula(expr) for n, expr in outside.items()}
                return BlockCall(instance, formulas)
        raise TypeError(module)

    def _moved(self, slot: Slot) -> Slot:
        match slot:
            case str():
                return slot
            case tuple():
                return tuple(self._value(part) for part in slot)
        return self._value(slot)

    def _value(self, value: Value) -> Value:
        return Value(value.number, None if value.expr is None else self.formula(value.expr))


class Container:
    """Modules by attribute, and a body that applies them: a block in use, or a Sequential."""

    children: tuple[Child, ...]
    slots: tuple[ShortcutSlot, ...] = ()
    body: Body

    @property
    def attributes(self) -> tuple[Child, ...]:
        """The children, and then the shortcuts that are there."""
        return (*self.children, *(slot.child for slot in self.slots if slot.child))

    @property
    def shortcuts(self) -> dict[str, str]:
        """The attribute of each shortcut, by the mark that stands for it in the body."""
        return {slot.mark: slot.child.attribute for slot in self.slots if slot.child}

    @cached_property
    def sites(self) -> tuple[tuple[str, Site], ...]:
        """What is applied, by attribute, in the order in which it is done."""
        names = self.shortcuts
        return tuple(
            (names.get(application.layer, application.layer), application.site)
            for application in applications(self.body)
            if application.site is not None
        )


@dataclass(frozen=True, eq=False)
class Repetition:
    """Children of a Sequential that are one layer, repeated: the first one's place, how many."""

    start: int
    count: Value
    at: At


@dataclass(frozen=True, eq=False)
class SequentialNode(Container):
    """Modules that are one `nn.Sequential`; `body` applies them in order."""

    children: tuple[Child, ...]
    body: Body
    runs: tuple[Repetition, ...] = ()


ModuleNode = OpCall | BlockCall | SequentialNode


@dataclass(frozen=True, eq=False)
class OpSite:
    """An application of an op: what it takes and gives, and where it is written.

    `given` are the arguments as they are written at `at`. Where the layer fills a part, `at` is
    where it is written and `named` where the body names the part. `uses` are the blocks without a
    class that it is in, and `role` is "shortcut" in the shortcut of a residual, "gate" in a scale.
    `inputs` and `outputs` are the tensors that it takes besides, and those that it gives.
    """

    call: OpCall
    x: Shape
    y: Shape
    given: Mapping[str, Any]
    at: At
    named: At
    uses: tuple[tuple[At, str], ...] = ()
    role: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def op(self) -> Op:
        """The op with its numbers."""
        return self.call.op


@dataclass(frozen=True, eq=False)
class BlockSite:
    """An application of a block: what enters and leaves it, and how places in it are found.

    `inputs` and `outputs` are the tensors that it takes besides, and those that it gives.
    """

    call: BlockCall
    y: Shape
    use: Use
    uses: tuple[tuple[At, str], ...] = ()
    role: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def container(self) -> BlockInstance:
        """What is applied."""
        return self.call.instance


@dataclass(frozen=True, eq=False)
class RowSite:
    """An application of a sequential, and what leaves it. It has no role of its own."""

    row: SequentialNode
    y: Shape
    role: ClassVar[str] = ""

    @property
    def container(self) -> SequentialNode:
        """What is applied."""
        return self.row


Site = OpSite | BlockSite | RowSite


class Term(NamedTuple):
    """What of training is folded into the weight of a layer: a layer, and the norm behind it.

    Without a layer it is the norm of what arrives. `eps` is the norm's. Names are those in the
    block around; a dot ahead of one leads out of that block.
    """

    layer: str
    norm: str = ""
    eps: float = 0

    def below(self, path: str) -> Term:
        """The same, seen from outside of what is at `path`."""
        names = [f"{path}.{name}" if name else "" for name in (self.layer, self.norm)]
        layer, norm = (re.sub(r"[^.]+\.\.", "", name) for name in names)
        return Term(layer, norm, self.eps)


@dataclass(frozen=True, eq=False)
class Child:
    """A module under its attribute; `draws` are its own, by `init` beside the layer.

    `terms` are what it was in training, added up, where that is another name or several layers.
    """

    attribute: str
    module: ModuleNode
    at: At | None = None
    draws: tuple[Draw, ...] = ()
    terms: tuple[Term, ...] = ()

    @property
    def trained(self) -> tuple[Term, ...]:
        """What it was in training."""
        return self.terms or (Term(self.attribute),)


class Definition(NamedTuple):
    """A name of a block in one use: its number, and its formula in the block's other names.

    `given`: the user of the block gave it, so the formula is the caller's.
    """

    number: Scalar
    inner: Expr | None = None
    given: bool = False


@dataclass(frozen=True, eq=False)
class ShortcutSlot:
    """The place of a residual's shortcut: there in one use of a block, absent in the next.

    `mark` stands for it in the body; `after` is how many children come before it.
    """

    mark: str
    name: str
    child: Child | None
    after: int


@dataclass(frozen=True, eq=False)
class BlockInstance(Container):
    """A block (or the network) opened for equal uses. One that is sequential has no own `forward`.

    `args` are the block's args as they are declared, `raw` is the block as it is written, `child`
    the name that it gives its uses, `leaving` what leaves it, in its own names, and `init` how what
    is in it starts. `lists` are the arguments that are lists, by the names of their numbers,
    `inputs` the tensors that it takes besides, `gives` are those that it
    gives, if several, and `dead` the layers that lead to none.
    """

    block: str
    class_name: str
    doc: str
    leaving: TensorInfo
    children: tuple[Child, ...] = ()
    slots: tuple[ShortcutSlot, ...] = ()
    body: Body = field(default_factory=Chain)
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    sequential: bool = False
    args: Mapping[str, Expr | None] = field(default_factory=dict)
    prefix: str = ""
    raw: Any = None
    child: str | None = None
    init: tuple[Rule, ...] = ()
    inputs: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gives: tuple[TensorInfo, ...] = ()
    dead: tuple[At, ...] = ()

    def own_name(self, name: str) -> str:
        """A size by its name here: what arrives is `channels` where as many leave."""
        keeps = name == "in_channels" and name not in self.definitions
        return "channels" if keeps and "channels" in self.definitions else name


@dataclass(frozen=True, eq=False)
class ExpandedNetwork:
    """A spec with every use of every block opened.

    `symbolic` are the arguments of the network that stay names, `used` the ops and blocks met,
    `drops` the blocks with a stochastic depth of more than 0, `stages` the attributes of the stages
    that have blocks, `tensors` those that have names. `outputs` are the names of what it gives, if
    that is said, and `training` of what it gives while training, if that is more; `cut` are the
    attributes that lead to none of it, and `dead` the layers whose result nothing uses.
    """

    name: str
    root: BlockInstance
    input: Shape
    symbolic: Mapping[str, Value]
    used: frozenset[str]
    drops: frozenset[str]
    stages: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    tensors: Mapping[str, TensorInfo] = field(default_factory=dict)
    dead: frozenset[At] = frozenset()

    @cached_property
    def evaluated(self) -> Body:
        """What runs when it is not training."""
        return in_mode(self.root.body, training=False) if self.training else self.root.body

    @cached_property
    def linked(self) -> bool:
        """Whether layers read tensors by name."""
        return bool(self.tensors) or INPUT in loaded(self.root.body)

    @property
    def output(self) -> Shape:
        """What leaves the network."""
        return self.root.leaving.shape
