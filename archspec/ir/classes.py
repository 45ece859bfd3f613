"""Classes, their parameters, and their layers, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from archspec.diagnostics import Span
from archspec.expression import Expr, Name, Number, source
from archspec.ir.bodies import Body
from archspec.ir.draws import Case, Start
from archspec.ir.liveness import in_mode
from archspec.ir.ops import Argument, Op, Shape
from archspec.records import Record


class Parameter(Record):
    """A parameter of a constructor; without a default, it is passed by position."""

    name: str
    annotation: str = "int"
    default: Number | None = None


class Local(Record):
    """A size that is computed once, at the start of a constructor."""

    name: str
    value: Expr


class New(Record, eq=False):
    """A module to be constructed: an op (with torch's name for it), a class, or a parameter
    that is a class.
    """

    what: type[Op] | Class | Name
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    torch: str = ""
    more: Mapping[str, Argument] = field(
        default_factory=dict
    )  # arguments that are not fields of the op


class Reference(Record):
    """A class of torch that is itself an argument."""

    torch: str


class Sequential(Record, eq=False):
    """Modules in order, named 0, 1, 2, ...; `block` and `doc` are those of an inline block."""

    children: tuple[New | Repeat | Sequential | When, ...]
    block: str = ""
    doc: str = ""

    @property
    def conditional(self) -> bool:
        """Whether some children only exist in some uses."""
        return any(isinstance(child, When) for child in self.children)

    @property
    def told(self) -> bool:
        """Whether the number of children is an argument of the class."""
        repeats = [child.count for child in self.children if isinstance(child, Repeat)]
        return not all(isinstance(count, Number) for count in repeats)


class Repeat(Record, eq=False):
    """`count` modules, each constructed separately; `index` counts them in formulas, from 0."""

    new: New | Sequential
    count: Expr
    index: str = "_"


class Modules(Record, eq=False):
    """Layers in a container, which does not run them; in `runs`, equal ones are one."""

    layers: tuple[Layer, ...]
    runs: tuple[Any, ...]

    @property
    def listed(self) -> bool:
        """Whether it is an `nn.ModuleList`, with names 0, 1, 2, ..., and not an `nn.ModuleDict`."""
        return all(layer.name == str(place) for place, layer in enumerate(self.layers))


class When(Record, eq=False):
    """A child that exists if a condition of its class is true; for an attribute, the module."""

    new: New | Sequential | Repeat
    condition: Expr


class Loop(Record):
    """`index` runs from `start` to before `stop`; `name` is the text and the numbers of a name."""

    name: tuple[str | Expr, ...]
    index: str
    start: int
    stop: Expr

    @property
    def text(self) -> str:
        """The name as the inside of an f-string."""
        return "".join(p if isinstance(p, str) else f"{{{source(p)}}}" for p in self.name)


class Layer(Record, eq=False):
    """An attribute of a class: a module to be constructed, or a parameter that is a module.

    With a `loop`, there is one attribute per iteration, and `name` is only for display. If the
    condition of a `When` is false, it is an `nn.Identity()`.
    """

    name: str
    new: New | Sequential | Modules | Name | When
    loop: Loop | None = None


class Class(Record, eq=False):
    """One class of the generated file. The children of a sequential class are its layers.

    `draws` are the initializations of layers that set their own; `loop` is the initialization that
    runs once all layers are made. `inputs` are the additional inputs of its `forward`, `flags` the
    attributes of itself that it tests (`Add.flag`).
    """

    name: str
    doc: str
    layers: tuple[Layer, ...]
    body: Body
    parameters: tuple[Parameter, ...] = ()
    locals: tuple[Local, ...] = ()
    differs: str = ""
    sequential: bool = False
    draws: tuple[Start, ...] = ()
    loop: tuple[Case, ...] = ()
    inputs: tuple[str, ...] = ()
    flags: tuple[Local, ...] = ()

    @cached_property
    def applied(self) -> Mapping[str, New | Sequential | Name | When]:
        """The modules that its body applies, by path."""
        return dict(_applied(self.layers, ""))

    @property
    def named(self) -> bool:
        """Whether the layers have names other than their numbers."""
        return any(layer.name != str(place) for place, layer in enumerate(self.layers))

    @cached_property
    def trained(self) -> Body:
        """The body in training mode."""
        return in_mode(self.body, training=True)

    @cached_property
    def evaluated(self) -> Body:
        """The body in evaluation mode."""
        return in_mode(self.body, training=False)


def _applied(
    layers: Iterable[Layer], path: str
) -> Iterator[tuple[str, New | Sequential | Name | When]]:
    for layer in layers:
        if isinstance(layer.new, Modules):
            yield from _applied(layer.new.layers, f"{path}{layer.name}.")
        else:
            yield f"{path}{layer.name}", layer.new


def nowhere(_: str) -> tuple[Span, ...]:
    """The locations in a network that is not from a spec."""
    return ()


class Network(Record, eq=False):
    """A lowered spec: the last of `classes` is the network, and each class comes before its users.

    `cut` are attributes that no output depends on, which are removed. `place` returns where a layer
    is written, from the network down to the layer itself. `tree` is the expanded network, and
    `uses` has the name of the class of each block in it.
    """

    spec: str
    root: Class
    classes: tuple[Class, ...]
    input: Shape
    doc: str = ""
    stages: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    place: Callable[[str], tuple[Span, ...]] = nowhere
    tree: Any = None
    uses: Mapping[Any, str] = field(default_factory=dict)
