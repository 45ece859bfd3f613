"""What an op is: torch's constructor as fields, and the output shape."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from functools import cache
from typing import Any, ClassVar, Literal, NamedTuple, dataclass_transform

from archspec.ir.bodies import Method
from archspec.records import Record

# The dimensions for `mean`, `max`, and `concat`, and the spatial ones by index.
DIMENSIONS = ("channels", "length", "depth", "height", "width")
SPATIAL = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class Shape(NamedTuple):
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
    """The input of a layer has the wrong shape; `rule` names the finding."""

    def __init__(self, message: str, hint: str = "", rule: str = "shape-mismatch") -> None:
        super().__init__(message)
        self.message, self.hint, self.rule = message, hint, rule


Kind = Literal["arrives", "dims", "axis", "size", "count", "real", "any", "flag", "choice", "fixed"]


Sizes = int | tuple[int, ...]
Real = int | Fraction  # numbers of a spec are exact; `expression.show` prints one


Argument = Any  # Expr | tuple[Expr, ...] | str | None | New


class Field(NamedTuple):
    """How an argument of a torch constructor is written in a spec.

    `arrives` (input channels), `dims` (number of spatial dimensions), `axis` (the channel
    dimension),
    and `fixed` (always the default) cannot be set. A `size` is an integer of at least 1, a `count`
    one
    of at least 0; with `many`, it may also be a list, one number per dimension. A `real` is any
    number, a `flag` true or false, a `choice` one of `choices`. `low` and `high` limit a number;
    `short` is the language's name if it differs from torch's. `ours` is the language's own default
    if
    it differs from torch's, as an expression of the op's other arguments, and `none` describes a
    default of None.
    """

    kind: Kind
    short: str = ""
    ours: str | None = None
    none: str = ""
    many: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def argument(kind: Kind, default: Any = dataclasses.MISSING, **how: Any) -> Any:
    """A field of an op; `default` is torch's, or absent if torch requires the argument."""
    metadata = {"field": Field(kind, **how)}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, field_specifiers=(argument, field))
class Op(Record):
    """A layer of torch. Its fields are the parameters of torch's constructor.

    A subclass adds what torch does not expose: the output shape, the parameters, and the
    multiply-adds. `{rank}` in `torch` is the number of spatial dimensions of the input.
    """

    rank: int = field(kw_only=True, default=0)

    key: ClassVar[str]
    torch: ClassVar[str]
    extends: ClassVar[str] = ""  # the class of torch that a helper of ours is based on
    attribute: ClassVar[str]
    first: ClassVar[str | None] = None
    weighted: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("weight", "bias")  # that it may have, if `weighted`
    numbered: ClassVar[bool] = False
    activation: ClassVar[bool] = False
    ends_in: ClassVar[str] = ""  # the argument that names an activation
    norm: ClassVar[bool] = False
    centers: ClassVar[bool] = False  # subtracts the mean of each channel
    projects: ClassVar[bool] = False  # multiplies by a matrix or a kernel, and may add a bias
    shares: ClassVar[bool] = False  # makes scores probabilities, or their logarithms
    drops: ClassVar[bool] = False  # drops values during training
    counts: ClassVar[bool] = False  # requires integers
    constant: ClassVar[bool] = False  # reads no input: a parameter of the class
    view: ClassVar[bool] = False  # the output shares the memory of the input
    keeps: ClassVar[str] = (
        ""  # what autograd keeps for the backward pass: `x` the input, `y` the output
    )
    autocast: ClassVar[str] = ""  # `low` or `full` precision, or the `widest` of its weights and x
    written: ClassVar[bool] = False  # in a `forward` it is a method of the tensor
    attends: ClassVar[bool] = False  # torch's class takes the input as query, key, and value
    leaves: ClassVar[str | None] = None  # the field with the number of output channels
    imported: ClassVar[str] = ""  # the dotted path of an own module's class
    constructor: ClassVar[Any] = None  # its arguments, if they are not fields of the op
    example: ClassVar[str] = ""  # layers for the reference, if the op alone does not show enough

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        """The class to construct for an input: `Conv2d` for an image."""
        return cls.torch.format(rank=shape.rank)

    @classmethod
    def method(cls, words: Mapping[str, Any]) -> Method:
        """The tensor method that computes it with these arguments, if the op is `written`."""
        raise TypeError(cls)

    def output(self, x: Shape) -> Shape:
        """The output shape; raises `ShapeError`."""
        return x

    def place_of_channels(self, y: Shape) -> int:
        """The location of the channels in `leaves`, if that is a list."""
        return 0

    def strides(self) -> tuple[Real, ...] | None:
        """The factor by which each dimension shrinks; one number for all, () for none.

        None if the output sizes are not a fraction of the input sizes.
        """
        return ()

    def reach(self, x: Shape) -> tuple[float, ...]:
        """The window: how many pixels of `x` one output pixel depends on, in each dimension.

        One number for all, () for one pixel; `inf` if it may depend on all of them.
        """
        return ()

    def weights(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter, by torch's name for it."""
        return {}

    def buffers(self) -> dict[str, tuple[int, ...]]:
        """The shape of each buffer that is saved with the weights."""
        return {}

    def saved(self, path: str) -> dict[str, tuple[int, ...]]:
        """The name and shape of every tensor that is saved for it at a path of the network."""
        return {f"{path}.{name}": s for name, s in (self.weights() | self.buffers()).items()}

    def parameters(self) -> int:
        """The number of learned parameters."""
        return sum(map(math.prod, self.weights().values()))

    def macs(self, y: Shape) -> int:
        """Multiply-adds of matrix products and convolutions for an output of shape `y`."""
        return 0

    def keeping(self, x: Shape) -> str:
        """`keeps`, if it depends on the input."""
        return self.keeps

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        """Bytes that autograd also keeps per sample; `width` is that of a number."""
        return 0

    def idle(self) -> str:
        """The message if it has no effect."""
        return ""


class OpField(NamedTuple):
    """One argument of an op: torch's name, the language's name, and how it is written."""

    torch: str
    name: str
    how: Field
    default: Any


def fields_of(op: type[Op]) -> tuple[OpField, ...]:
    """The constructor arguments of `op`, in torch's order."""
    fields: tuple[OpField, ...] = op.constructor or _fields_of(op)  # type: ignore[arg-type]
    return fields


@cache
def _fields_of(op: Any) -> tuple[OpField, ...]:
    return tuple(
        OpField(f.name, f.metadata["field"].short or f.name, f.metadata["field"], f.default)
        for f in dataclasses.fields(op)
        if "field" in f.metadata
    )


def each(sizes: Sizes, rank: int) -> Sequence[int]:
    """One number per dimension."""
    return sizes if isinstance(sizes, tuple) else (sizes,) * rank
