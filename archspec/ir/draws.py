"""Initialization: functions of torch.nn.init, and the loops over modules that call them."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from archspec.expression import Number
from archspec.records import Record

FANS = ("fan_in", "fan_out")


class Draw(NamedTuple):
    """The initialization of a parameter.

    `function` is one of torch.nn.init without `_`, or "torch" for torch's own initialization.
    Arguments are words, or formulas of `FANS` and, until the classes are made, values. `optional`:
    some of the modules do not have the parameter.
    """

    parameter: str
    function: str
    arguments: tuple[tuple[str, Any], ...] = ()
    random: bool = True
    optional: bool = False

    @property
    def full(self) -> Number | None:
        """The number that fills the parameter, if it is literal and not an integer."""
        value = dict(self.arguments).get("val") if self.function == "constant" else None
        whole = isinstance(value, Number) and isinstance(value.value, int)
        return value if isinstance(value, Number) and not whole else None


class Start(Record, eq=False):
    """The parameters of the layer at a path with an initialization of its own."""

    path: str
    draws: tuple[Draw, ...]
    made: bool = False  # initialized as soon as it is made: a constant

    @property
    def apart(self) -> bool:
        """Whether it draws no random numbers, so that it need not wait for its turn in a loop."""
        return not self.made and not any(draw.random for draw in self.draws)

    @property
    def literal(self) -> bool:
        """Whether it uses no name of the class."""
        values = [value for draw in self.draws for _, value in draw.arguments]
        return all(isinstance(value, (str, Number)) for value in values)


class Rule(Record):
    """The initialization of a parameter, for all layers of an op."""

    op: str
    draw: Draw


class Anchor(NamedTuple):
    """The layers at a path in each module of a class; without a path, the module itself.

    Without a path, all modules inside are meant.
    """

    cls: Any
    path: str


class Special(Record, eq=False):
    """Some modules of a kind with a different initialization."""

    anchors: tuple[Anchor, ...]
    draws: tuple[Draw, ...]


class Case(Record, eq=False):
    """Modules of some classes of torch, in a loop, and their usual initialization."""

    torch: tuple[str, ...]
    draws: tuple[Draw, ...]
    specials: tuple[Special, ...] = ()


def fans(shapes: Mapping[str, Sequence[int]], parameter: str) -> dict[str, int]:
    """The `fan_in` and `fan_out` of a parameter: its own, or those of the weight."""
    shape = shapes.get(parameter, ())
    if len(shape) < 2:
        shape = shapes.get("weight", ())
    if len(shape) < 2:
        return {}
    window = prod(shape[2:])
    return {"fan_in": shape[1] * window, "fan_out": shape[0] * window}
