"""A class under construction: the contents of one use of a block, before names are assigned."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

from archspec.expression import Expr
from archspec.ir import Apply, Constant
from archspec.ir.draws import Draw
from archspec.ir.tree import (
    Child,
    Definition,
    ModuleNode,
    OpSite,
    Repetition,
    RowSite,
    Site,
    TensorInfo,
)
from archspec.places import At
from archspec.records import Record


class Item(Record, eq=False):
    """A layer that becomes an attribute. `mark` is its name in bodies until it has another."""

    module: ModuleNode
    mark: str
    name: str | None = None
    at: At | None = None
    draws: tuple[Draw, ...] = ()

    @cached_property
    def named(self) -> Child:
        """The attribute, if the layer has a name."""
        return self.child(self.name or "")

    def child(self, name: str) -> Child:
        """The attribute under this name."""
        return Child(name, self.module, self.at, self.draws)


class Slot(Record, eq=False):
    """The position of a residual's shortcut, whether or not it exists."""

    mark: str
    name: str
    item: Item | None
    after: int


class Builder:
    """The contents of a class so far. A sequential class has layers but no combinators."""

    def __init__(self, sequential: bool = False, prefix: str = "") -> None:
        self.sequential = sequential
        self.prefix = prefix  # of marks
        self.definitions: dict[str, Definition] = {}
        self.symbols: dict[Any, str] = {}
        self.items: list[Item] = []
        self.slots: list[Slot] = []
        self.tensors: dict[str, str] = {}  # the names that marks represent
        self.runs: list[Repetition] = []
        self.inlined: dict[int, tuple[str, str]] = {}  # see `SequentialNode`
        self.named = False  # whether tensors are read or named
        self.marks = 0

    def mark(self) -> str:
        """A new mark."""
        self.marks += 1
        return f"#{self.prefix}{self.marks}"

    def tensor(self, name: str) -> str:
        """A mark for a tensor whose name other tensors may have too."""
        mark = self.mark()
        self.tensors[mark] = name
        return mark

    def take(self, other: "Builder") -> None:
        """Add the layers of another builder after its own."""
        before = len(self.items)
        self.items += other.items
        self.tensors |= other.tensors
        self.named = self.named or other.named
        self.slots += [replace(slot, after=slot.after + before) for slot in other.slots]

    def insert(self, item: Item, place: int) -> None:
        """Add a layer before the others."""
        self.items.insert(place, item)
        later = [slot.after + (slot.after > place) for slot in self.slots]
        self.slots = [replace(slot, after=n) for slot, n in zip(self.slots, later, strict=True)]

    def add(
        self,
        module: ModuleNode,
        site: Site,
        name: str | None,
        at: At | None,
        draws: tuple[Draw, ...] = (),
    ) -> Apply:
        """Add a layer and apply it."""
        mark = name if name and not self.sequential else self.mark()
        item = Item(module, mark, name, at, draws)
        self.items.append(item)
        return applied(item.mark, site)


def applied(mark: str, site: Site) -> Apply:
    """Apply the layer that a mark represents."""
    if isinstance(site, RowSite):
        return Apply(mark, site)
    if isinstance(site, OpSite) and site.op.constant:
        return Constant(mark, site, dims=len(site.y.sizes))
    return Apply(mark, site, site.inputs, site.outputs)


class Declared(Record, eq=False):
    """The settings of a block for its class; `child` is the name of its uses."""

    block: str
    class_name: str
    doc: str = ""
    args: Mapping[str, Expr | None] = field(default_factory=dict)
    prefix: str = ""
    raw: Any = None
    child: str | None = None
    inputs: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Tensor(Record):
    """A tensor with a name, and its mark or name in bodies."""

    mark: str
    info: TensorInfo


class Shareable(Record, eq=False):
    """A layer with a name that may be applied again: its first application and input, and how to
    expand it for a different input.
    """

    step: Apply
    x: TensorInfo
    at: At
    scope: Any
    expand: Callable[[Any, TensorInfo], tuple[ModuleNode, Site, TensorInfo]]


class Tensors:
    """The named tensors that a class, the network, or one use of an inline block has so far.

    `layers` are its named layers.
    """

    def __init__(
        self,
        out: Builder,
        known: Mapping[str, Tensor],
        private: bool = False,
        layers: Iterable[tuple[str, Shareable]] = (),
    ) -> None:
        self.out, self.known, self.private = out, dict(known), private
        self.layers = dict(layers)

    def name(self, name: str, info: TensorInfo) -> str:
        """A new tensor; what represents it."""
        mark = self.out.tensor(name) if self.private else name
        self.out.named = True
        self.known[name] = Tensor(mark, info)
        return mark
