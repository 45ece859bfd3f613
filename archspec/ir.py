"""The classes that one would write by hand, as data.

A `Class` has parameters, layers and a body; a layer is a `New` (a class or an op, with
arguments); a body says what `forward` computes. Sizes are formulas in the class's own names.
Every reader is a fold over this: `call` says how a layer is constructed, `run` what a
forward computes. Both know no op by name.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from archspec import expression
from archspec.expression import Expr, Name, Number

# Shapes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one sample: channels, then spatial sizes; `last` if channels are last."""

    channels: int
    spatial: tuple[int, ...] = ()
    last: bool = False

    @property
    def rank(self) -> int:
        return len(self.spatial)

    @property
    def sizes(self) -> tuple[int, ...]:
        """In the order of the tensor's dimensions, without the batch."""
        ends = (self.channels,)
        return (*self.spatial, *ends) if self.last else (*ends, *self.spatial)

    @property
    def elements(self) -> int:
        return math.prod(self.sizes)

    def __str__(self) -> str:
        return " x ".join(map(str, self.sizes))


class ShapeError(Exception):
    """A layer that cannot take what arrives; `rule` names the finding."""

    def __init__(self, message: str, hint: str = "", rule: str = "shape-mismatch") -> None:
        super().__init__(message)
        self.message, self.hint, self.rule = message, hint, rule


# Ops ----------------------------------------------------------------------------------

Kind = Literal["arrives", "dims", "size", "count", "real", "flag", "choice", "fixed"]
Sizes = int | tuple[int, ...]
Argument = Any  # Expr | tuple[Expr, ...] | str | None | New


@dataclass(frozen=True, slots=True)
class Field:
    """How an argument of a torch constructor is written in a spec.

    `arrives` (channels) and `dims` (spatial dimensions) are never written: they are known.
    `ours` is the language's own default where it is not torch's, as an expression over the
    op's other arguments. A `size` is at least 1, a `count` at least 0; `many` may also be a
    list, one number a dimension.
    """

    kind: Kind
    short: str = ""
    ours: str | None = None
    many: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def argument(kind: Kind, default: Any = dataclasses.MISSING, **how: Any) -> Any:
    """A field of an op; `default` is torch's, none if torch wants the argument."""
    metadata = {"field": Field(kind, **how)}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Op:
    """A layer that torch knows. Its fields are the parameters of torch's constructor.

    A subclass adds what torch keeps to itself: the shape that leaves, the parameters and the
    multiply-adds. `{rank}` in `torch` is the number of spatial dimensions that arrive.
    """

    rank: int = field(kw_only=True, default=0)

    key: ClassVar[str]
    torch: ClassVar[str]
    attribute: ClassVar[str]
    first: ClassVar[str | None] = None
    weighted: ClassVar[bool] = False
    numbered: ClassVar[bool] = False
    activation: ClassVar[bool] = False
    norm: ClassVar[bool] = False
    leaves: ClassVar[str | None] = None  # the field that says the channels that leave
    resizes: ClassVar[bool] = False  # spatial sizes do not depend on those that arrive

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        """The class to construct for what arrives: `Conv2d` for an image."""
        return cls.torch.format(rank=shape.rank)

    def output(self, x: Shape) -> Shape:
        """The shape that leaves; raises `ShapeError`."""
        return x

    def strides(self) -> tuple[int, ...]:
        """By how much each dimension becomes smaller."""
        return ()

    def parameters(self) -> int:
        return 0

    def macs(self, y: Shape) -> int:
        """Multiply-adds of convolutions and linear layers for an output of shape `y`."""
        return 0


@dataclass(frozen=True, slots=True)
class OpField:
    """One argument of an op: torch's name, the language's, and how it is written."""

    torch: str
    name: str
    how: Field
    default: Any


_FIELDS: dict[type[Op], tuple[OpField, ...]] = {}


def fields_of(op: type[Op]) -> tuple[OpField, ...]:
    """The constructor arguments of `op`, in torch's order."""
    if op not in _FIELDS:
        _FIELDS[op] = tuple(
            OpField(
                f.name,
                f.metadata["field"].short or f.name,
                f.metadata["field"],
                f.default,
            )
            for f in dataclasses.fields(op)
            if "field" in f.metadata
        )
    return _FIELDS[op]


# Classes ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a constructor; without a default it is given by position."""

    name: str
    annotation: str = "int"
    default: Number | None = None


@dataclass(frozen=True, slots=True)
class Local:
    """A size that is computed once at the top of a constructor."""

    name: str
    value: Expr


@dataclass(frozen=True, eq=False)
class New:
    """A module to be constructed: an op (with torch's name for it) or a class."""

    what: type[Op] | Class
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    torch: str = ""


@dataclass(frozen=True, eq=False)
class Sequential:
    """Modules one after the other, with names 0, 1, 2, ..."""

    children: tuple[New | Repeat | Sequential, ...]


@dataclass(frozen=True, eq=False)
class Repeat:
    """`count` equal modules, each constructed afresh."""

    new: New | Sequential
    count: int


@dataclass(frozen=True, eq=False)
class Layer:
    """An attribute of a class: a module to be constructed, or a parameter that is one."""

    name: str
    new: New | Sequential | Name


@dataclass(frozen=True, eq=False)
class Class:
    """One class of the generated file. The children of a sequential one are its layers."""

    name: str
    doc: str
    layers: tuple[Layer, ...]
    body: Body
    parameters: tuple[Parameter, ...] = ()
    locals: tuple[Local, ...] = ()
    differs: str = ""
    sequential: bool = False
    zeros: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Network:
    """A spec, lowered: the last of `classes` is the network, each stands before its users."""

    spec: str
    root: Class
    classes: tuple[Class, ...]
    input: Shape
    doc: str = ""
    init: str = "resnet"
    stages: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


# Bodies -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Apply:
    """The layer of this name, called."""

    layer: str


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other; an empty chain is the identity."""

    steps: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True)
class Add:
    """The sum of the branches."""

    branches: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Multiply:
    """The product of the branches."""

    branches: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Concat:
    """The branches one behind the other along the channels."""

    branches: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The input in equal parts along the channels, a branch on each, then one behind the other."""

    branches: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Unsqueeze:
    """`count` dimensions of size 1 at the end, where a gate has lost the spatial sizes."""

    count: int


Body = Apply | Chain | Add | Multiply | Concat | Split | Unsqueeze

X = TypeVar("X")


class Reader(Protocol[X]):
    """What a body means for one kind of `x`: shapes, tensors, source text."""

    def apply(self, layer: Apply, x: X) -> X: ...
    def add(self, values: list[X]) -> X: ...
    def multiply(self, values: list[X]) -> X: ...
    def concat(self, values: list[X]) -> X: ...
    def split(self, x: X, parts: int) -> list[X]: ...
    def unsqueeze(self, x: X, count: int) -> X: ...
    def share(self, x: X) -> X:
        """`x`, about to be read more than once."""
        ...

    def hold(self, x: X) -> X:
        """A branch that is done, while the next one is read."""
        ...


def run(body: Body, x: X, on: Reader[X]) -> X:
    """What `body` computes of `x`."""
    match body:
        case Apply():
            return on.apply(body, x)
        case Chain(steps=steps):
            for step in steps:
                x = run(step, x, on)
            return x
        case Unsqueeze(count=count):
            return on.unsqueeze(x, count)
        case Split(branches=branches):
            return on.concat(_read(branches, on.split(x, len(branches)), on))
    values = _read(body.branches, [on.share(x)] * len(body.branches), on)
    match body:
        case Add():
            return on.add(values)
        case Multiply():
            return on.multiply(values)
        case Concat():
            return on.concat(values)
    raise TypeError(body)


def _read(branches: tuple[Body, ...], inputs: list[X], on: Reader[X]) -> list[X]:
    values = []
    for place, (branch, x) in enumerate(zip(branches, inputs, strict=True), 1):
        value = run(branch, x, on)
        values.append(value if place == len(branches) else on.hold(value))
    return values


# Construction -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """How a module is constructed, in Python's terms."""

    positional: tuple[Argument, ...]
    keywords: dict[str, Argument]


def call(new: New) -> Call:
    """Required arguments by position, the others by name where they differ from the default."""
    if isinstance(new.what, Class):
        wanted = [(p.name, p.default) for p in new.what.parameters]
    else:
        wanted = [(f.torch, _torch_default(f)) for f in fields_of(new.what)]
    positional = [new.arguments[name] for name, default in wanted if default is None]
    keywords = {
        name: new.arguments[name]
        for name, default in wanted
        if default is not None and not _same(new.arguments.get(name, default), default)
    }
    return Call(tuple(positional), keywords)


def _torch_default(f: OpField) -> Argument:
    if f.default is dataclasses.MISSING or f.how.kind == "fixed":
        return None
    return f.default if isinstance(f.default, (str, tuple)) else Number(f.default)


def _same(one: Argument, other: Argument) -> bool:
    if isinstance(one, Number) and isinstance(other, Number):
        return one.value == other.value
    return bool(one == other)


def number(expr: Expr, env: Mapping[str, Any]) -> Any:
    """The number of a formula where `env` says what each name is."""

    def lookup(name: Name) -> expression.Value:
        return expression.constant(env[name.id])

    return env[expr.id] if isinstance(expr, Name) else expression.evaluate(expr, lookup).number


def numbers(arg: Argument, env: Mapping[str, Any]) -> Any:
    """An argument that is no module, evaluated: a number, a tuple of them, a word."""
    if isinstance(arg, tuple):
        return tuple(number(part, env) for part in arg)
    return number(arg, env) if isinstance(arg, Expr) else arg


def children(sequence: Sequential) -> Iterator[New | Sequential]:
    """Every child, each repeated one as often as it is repeated."""
    for child in sequence.children:
        if isinstance(child, Repeat):
            yield from [child.new] * child.count
        else:
            yield child


def each(sizes: Sizes, rank: int) -> Sequence[int]:
    """One number a dimension."""
    return sizes if isinstance(sizes, tuple) else (sizes,) * rank
