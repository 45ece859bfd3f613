"""The network as a tree: every use of every block, with sizes and shapes.

A `Value` is a size as a number and as a formula in the names of the enclosing class. Shapes belong
to applications (`OpSite`, `BlockSite`), not to modules, because one activation may be applied
several times. Equal uses of a block share one `BlockInstance`, so it is never modified.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

from archspec.expression import Expr, Number, Scalar, Value, simplify, substitute, weight, whole
from archspec.ir.bodies import INPUT, Body, Chain, applications
from archspec.ir.draws import Draw, Rule
from archspec.ir.liveness import in_mode, loaded
from archspec.ir.ops import Op, Real, Shape, fields_of
from archspec.places import At, Use
from archspec.records import Record

Slot = Value | tuple[Value, ...] | str  # an argument of an op
LONGEST_FORMULA = 32  # operations; a longer formula is a number in each use


def short(formula: Expr | None) -> Expr | None:
    """The formula, or None: nested formulas double in length with each name."""
    return None if formula is None or weight(formula) > LONGEST_FORMULA else formula


def growth(widths: Sequence[Expr | None]) -> Expr | None:
    """What is added to each to get the next; None if it is nothing, or not always the same."""
    pairs = [(a, b) for a, b in pairwise(widths) if a is not None and b is not None]
    steps = {simplify("-", b, a) for a, b in pairs} if len(pairs) == len(widths) - 1 else set()
    step = steps.pop() if len(steps) == 1 and len(pairs) > 1 else None
    return None if step == Number(0) else step


class TensorInfo(NamedTuple):
    """A tensor between layers: its shape, the formula of its channels, and its stride.

    `stride` is the product of the strides so far, one number per dimension, and a fraction if sizes
    grew; None if dimensions were pooled away.
    """

    shape: Shape
    channels: Expr
    stride: tuple[Real, ...] | None

    @property
    def value(self) -> Value:
        """The channels as number and formula."""
        return Value(self.shape.channels, self.channels)

    def agrees(self, other: "TensorInfo") -> bool:
        """Whether a sum needs no projection; the number of pixels does not matter."""
        mine, theirs = self.shape, other.shape
        same = mine.channels == theirs.channels and mine.rank == theirs.rank
        return same and self.stride is not None and self.stride == other.stride

    def through(self, op: Op, shape: Shape, slots: Mapping[str, Slot]) -> "TensorInfo":
        """The output of an op with these arguments."""
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
    return tuple(whole(a * b) for a, b in zip(stride, steps, strict=True))


def _scaled(value: Value, channels: int) -> Expr:
    """A multiple or an equal part of a number of channels, as a formula if it has one."""
    few, many = sorted((channels, int(value.number)))
    if value.expr is None or isinstance(value.expr, Number) or channels == 1 or many % few:
        return Number(channels)
    sign = "*" if channels == many else "//"
    return short(simplify(sign, value.expr, Number(many // few))) or Number(channels)


class OpCall(Record, eq=False):
    """A module of torch, with its arguments by torch's names."""

    op: Op
    torch: str
    slots: Mapping[str, Slot]

    @property
    def kind(self) -> type[Op]:
        """The class of the op."""
        return type(self.op)

    @cached_property
    def params(self) -> int:
        """The number of learned parameters."""
        return self.op.parameters()

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments of the constructor by torch's names, as numbers, words, or tuples."""
        if self.op.imported:
            return {name: number_of(slot) for name, slot in self.slots.items()}
        return {f.torch: getattr(self.op, f.torch) for f in fields_of(self.kind)}


def number_of(slot: Slot) -> Any:
    """The argument in torch's form, without its formula."""
    if isinstance(slot, tuple):
        return tuple(map(number_of, slot))
    return slot.number if isinstance(slot, Value) else slot


class BlockCall(Record, eq=False):
    """A use of a block that is a class. `outside`: its names, in formulas of the caller."""

    instance: "BlockInstance"
    outside: Mapping[str, Expr | None]

    def formula(self, expr: Expr) -> Expr | None:
        """A formula of the block, in the names of its caller; None if there is none."""
        return self._formula(expr, dict(self.outside))

    def _formula(self, expr: Expr, known: dict[str, Expr | None]) -> Expr | None:
        return substitute(expr, lambda name: self._meaning(name.id, known))

    def _meaning(self, name: str, known: dict[str, Expr | None]) -> Expr | None:
        """A name of the block as a formula of its caller; computed once, as names share names."""
        if name not in known:
            inner = self.instance.definitions[name].inner
            known[name] = None if inner is None else short(self._formula(inner, known))
        return known[name]

    def meaning(self, name: str) -> Expr | None:
        """A parameter of the block's class, for the caller; None if it has no formula."""
        name = self.instance.own_name(name)
        if name in self.outside or name in self.instance.definitions:
            return self._meaning(name, dict(self.outside))
        return None

    def moved(self, module: "ModuleNode") -> "ModuleNode":
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
    """Modules by attribute, and a body that applies them: a used block, or a Sequential."""

    children: "tuple[Child, ...]"
    slots: "tuple[ShortcutSlot, ...]" = ()
    body: Body

    @property
    def attributes(self) -> "tuple[Child, ...]":
        """The children, and then the existing shortcuts."""
        return (*self.children, *(slot.child for slot in self.slots if slot.child))

    @property
    def shortcuts(self) -> dict[str, str]:
        """The attribute of each shortcut, by its mark in the body."""
        return {slot.mark: slot.child.attribute for slot in self.slots if slot.child}

    @cached_property
    def sites(self) -> "tuple[tuple[str, Site], ...]":
        """The applied modules, by attribute, in the order in which they run."""
        names = self.shortcuts
        return tuple(
            (names.get(application.layer, application.layer), application.site)
            for application in applications(self.body)
            if application.site is not None
        )


class Repetition(Record, eq=False):
    """Children that are one repeated layer: the index of the first, and the number."""

    start: int
    count: Value
    at: At


class SequentialNode(Record, Container, eq=False):
    """Modules that are one `nn.Sequential`; `body` applies them in order.

    `block` is the name of the inline block whose layers they are, and `doc` is its description.
    """

    children: "tuple[Child, ...]"
    body: Body
    runs: tuple[Repetition, ...] = ()
    block: str = ""
    doc: str = ""


ModuleNode = OpCall | BlockCall | SequentialNode


class OpSite(Record, eq=False):
    """An application of an op: its input and output, and its location.

    `given` are the arguments as written at `at`. For a layer given for a part, `at` is where it is
    written and `named` where the body names the part. `uses` are the blocks without a class that it
    is
    in, and `role` is "shortcut" in the shortcut of a residual, "gate" in a scale. `inputs` and
    `outputs` are its additional inputs, and its outputs.
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


class BlockSite(Record, eq=False):
    """An application of a block: its input and output, and how locations in it are found.

    `inputs` and `outputs` are its additional inputs, and its outputs.
    """

    call: BlockCall
    y: Shape
    use: Use
    uses: tuple[tuple[At, str], ...] = ()
    role: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def container(self) -> "BlockInstance":
        """The applied module."""
        return self.call.instance


class RowSite(Record, eq=False):
    """An application of a sequential, and its output. It has no role of its own."""

    row: SequentialNode
    y: Shape
    role: ClassVar[str] = ""

    @property
    def container(self) -> SequentialNode:
        """The applied module."""
        return self.row


Site = OpSite | BlockSite | RowSite


class Term(Record):
    """Training layers folded into the weight of a layer: a layer, and the norm after it.

    Without a layer it is the norm of the input. `eps` is the norm's. Names are those in the
    enclosing
    block; a leading dot leads out of that block.
    """

    layer: str
    norm: str = ""
    eps: float = 0

    def below(self, path: str) -> "Term":
        """The same, relative to the parent of `path`."""
        names = [f"{path}.{name}" if name else "" for name in (self.layer, self.norm)]
        layer, norm = (re.sub(r"[^.]+\.\.", "", name) for name in names)
        return Term(layer, norm, self.eps)


class Child(Record, eq=False):
    """A module with its attribute; `draws` are its own, from the `init` modifier.

    `terms` are the layers in training whose sum it replaces, if they differ from it.
    """

    attribute: str
    module: ModuleNode
    at: At | None = None
    draws: tuple[Draw, ...] = ()
    terms: tuple[Term, ...] = ()

    @property
    def trained(self) -> tuple[Term, ...]:
        """The layers that it was in training."""
        return self.terms or (Term(self.attribute),)


class Definition(NamedTuple):
    """A name of a block in one use: its number, and its formula in the block's other names.

    `given`: the caller of the block sets it, so the formula is the caller's.
    """

    number: Scalar
    inner: Expr | None = None
    given: bool = False


class ShortcutSlot(Record, eq=False):
    """The position of a residual's shortcut, which one use of a block may have and the next not.

    `mark` represents it in the body; `after` is the number of children before it.
    """

    mark: str
    name: str
    child: Child | None
    after: int


class BlockInstance(Record, Container, eq=False):
    """An expanded block (or network) for equal uses. A sequential one has no `forward` of its own.

    `args` are the block's arguments as declared, `raw` is the block as written, `child` the name of
    its uses, `leaving` its output, in its own names, and `init` the initialization of its layers.
    `lists` are the list arguments, by the names of their numbers, `inputs` its additional inputs,
    `gives` its outputs, if it has several, and `dead` the layers that no output depends on.
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
        """A size by its name here: the input's is `channels` if the output's is equal."""
        keeps = name == "in_channels" and name not in self.definitions
        return "channels" if keeps and "channels" in self.definitions else name


class ExpandedNetwork(Record, eq=False):
    """A spec with every use of every block expanded.

    `symbolic` are the arguments of the network that stay names, `used` the ops and blocks that were
    used, `drops` the blocks with a stochastic depth above 0, `stages` the attributes of the stages
    of
    blocks, `tensors` the named ones. `outputs` are the names of its outputs, if they are set, and
    `training` those of its outputs in training, if they differ; `cut` are the attributes that no
    output depends on, and `dead` the layers whose output is unused.
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
        """The body in evaluation mode."""
        return in_mode(self.root.body, training=False) if self.training else self.root.body

    @cached_property
    def linked(self) -> bool:
        """Whether layers read tensors by name."""
        return bool(self.tensors) or INPUT in loaded(self.root.body)

    @property
    def output(self) -> Shape:
        """The output of the network."""
        return self.root.leaving.shape
