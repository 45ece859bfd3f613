"""Layers as read: a layer with its modifiers, and stacks of layers."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from archspec.expression import Expr
from archspec.language.starts import Starts
from archspec.language.templates import LayerName
from archspec.language.words import HEADS, ONE_BODY, PARTS_OF_ALL, TENSOR
from archspec.places import At, Path
from archspec.records import Record

NO_BLOCKS = frozenset([*HEADS, *PARTS_OF_ALL, TENSOR])


class Stack(Record, eq=False):
    """Layers one after another. `listed`: written as a list, even of one."""

    layers: "tuple[Layer, ...]" = ()
    listed: bool = False
    none: bool = False
    raw: Any = None

    @property
    def single(self) -> bool:
        """Whether it is one layer, and not a list or a repeated layer."""
        return not self.listed and len(self.layers) == 1 and self.layers[0].repeat is None

    def each(self, at: At) -> "list[tuple[Layer, At]]":
        """The layers, each with its path, if the path of the stack is `at`."""
        return [(x, at if x.step is None else at.below(x.step)) for x in self.layers]

    @cached_property
    def all(self) -> "tuple[tuple[Layer, At], ...]":
        """Every layer in the stack, including those in branches, with its path below the stack."""
        return tuple(_all(self, At()))

    @cached_property
    def turned(self) -> frozenset[Path]:
        """The paths of the repeated layers."""
        return frozenset(at.path for layer, at in self.all if layer.repeat is not None)

    @cached_property
    def series(self) -> "tuple[tuple[Layer, At], ...]":
        """The stages in the stack, and the layers that may be repeated blocks."""
        return tuple(
            (layer, at)
            for layer, at in self.all
            if layer.run or (layer.may_be_series and not is_within(at.path, self.turned))
        )

    @cached_property
    def runs(self) -> "tuple[tuple[Layer, At], ...]":
        """The stages in the stack."""
        return tuple((layer, at) for layer, at in self.series if layer.run)


class Branch(Record, eq=False):
    """One branch of a combinator; it has a name if the branches are a mapping."""

    name: str | None
    stack: Stack


class Layer(Record, eq=False):
    """One layer. `given` holds the arguments: parsed for an op, as written for a block or part.

    `step` is its path among layers; `raw` is its YAML value. `turn` is the index and the count if
    it
    is repeated, and `run` a stage that is a child of a sequence. `source` is the tensor that it
    reads
    (`from`), if not the output of the layer before; `save` are the names of its outputs. Without a
    layer type (`TENSOR`) it is only these.
    """

    head: str
    given: Mapping[str, Any] = field(default_factory=dict)
    raw: Any = None
    step: str | int | None = None
    name: LayerName | None = None
    repeat: Expr | None = None
    turn: tuple[int, int] | None = None
    when: Expr | None = None
    otherwise: Stack | None = None
    init: Starts | None = None
    branches: tuple[Branch, ...] = ()
    shortcut: Stack | None = None
    project: Expr | None = None
    before: Stack | None = None
    drop_path: Expr | None = None
    numbered: bool = False
    run: Any = None
    source: str | None = None
    save: tuple[str, ...] = ()
    along: str | None = None
    sizes: tuple[Expr, ...] | None = None

    @property
    def may_be_series(self) -> bool:
        """Whether it is repeated and, judging by its layer type, a block."""
        return self.repeat is not None and self.head not in NO_BLOCKS

    def branch_at(self, place: int, at: At) -> At:
        """The path of a branch, of a layer at `at`."""
        if self.head in ONE_BODY:
            return at if isinstance(self.raw, list) else at.below(self.head)
        return at.below(self.head, self.branches[place].name or place)


def is_within(path: Path, places: frozenset[Path]) -> bool:
    """Whether one of the paths contains another path."""
    return bool(places) and any(path[:end] in places for end in range(len(path)))


def _all(stack: Stack | None, at: At) -> Iterator[tuple[Layer, At]]:
    for layer, place in stack.each(at) if stack else ():
        yield layer, place
        yield from _all(layer.otherwise, place.below("else"))
        yield from _all(layer.shortcut, place.below("shortcut"))
        yield from _all(layer.before, place.below("before"))
        for number, branch in enumerate(layer.branches):
            yield from _all(branch.stack, layer.branch_at(number, place))
