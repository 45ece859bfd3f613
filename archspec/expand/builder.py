"""A class in the making: what one use of a block has, until it is named and closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from archspec.expression import Expr
from archspec.ir import Apply, Constant
from archspec.ir.draws import Draw
from archspec.ir.tree import Definition, ModuleNode, OpSite, Repetition, RowSite, Site, TensorInfo
from archspec.places import At


@dataclass(frozen=True, eq=False)
class Item:
    """A layer that becomes an attribute. `mark` stands for it in bodies until it is named."""

    module: ModuleNode
    mark: str
    name: str | None = None
    at: At | None = None
    draws: tuple[Draw, ...] = ()


@dataclass(frozen=True, eq=False)
class Slot:
    """The place of a residual's shortcut, there or not."""

    mark: str
    name: str
    item: Item | None
    after: int


@dataclass(eq=False)
class Builder:
    """What a class has so far. A sequential one holds layers and no combinators."""

    sequential: bool = False
    prefix: str = ""  # of marks
    definitions: dict[str, Definition] = field(default_factory=dict)
    symbols: dict[Any, str] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    tensors: dict[str, str] = field(default_factory=dict)  # the names that marks stand for
    runs: list[Repetition] = field(default_factory=list)
    named: bool = False  # whether tensors are read or named
    marks: int = 0

    def mark(self) -> str:
        """A new mark."""
        self.marks += 1
        return f"#{self.prefix}{self.marks}"

    def tensor(self, name: str) -> str:
        """A mark for a tensor whose name others may have too."""
        mark = self.mark()
        self.tensors[mark] = name
        return mark

    def take(self, other: Builder) -> None:
        """The layers of another one, behind those that are there."""
        before = len(self.items)
        self.items += other.items
        self.tensors |= other.tensors
        self.named = self.named or other.named
        self.slots += [replace(slot, after=slot.after + before) for slot in other.slots]

    def insert(self, item: Item, place: int) -> None:
        """A layer ahead of others."""
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
        """A layer more, and its application."""
        item = Item(module, self.mark(), name, at, draws)
        self.items.append(item)
        return applied(item.mark, site)


def applied(mark: str, site: Site) -> Apply:
    """The layer that a mark stands for, applied."""
    if isinstance(site, RowSite):
        return Apply(mark, site)
    if isinstance(site, OpSite) and site.op.constant:
        return Constant(mark, site, dims=len(site.y.sizes))
    return Apply(mark, site, site.inputs, site.outputs)


@dataclass(frozen=True, eq=False)
class Declared:
    """What a block says of the class that it becomes; `child` is the name of its uses."""

    block: str
    class_name: str
    doc: str = ""
    args: Mapping[str, Expr | None] = field(default_factory=dict)
    prefix: str = ""
    raw: Any = None
    child: str | None = None
    inputs: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Tensor(NamedTuple):
    """A tensor with a name, and what stands for it in bodies."""

    mark: str
    info: TensorInfo


@dataclass(frozen=True, eq=False)
class Shareable:
    """A layer with a name, which may be applied again: how it is applied first, to what, and how it
    is expanded for something else.
    """

    step: Apply
    x: TensorInfo
    at: At
    scope: Any
    expand: Callable[[Any, TensorInfo], tuple[ModuleNode, Site, TensorInfo]]


class Tensors:
    """Those that a class, the network or one use of an inline block knows, as it goes on.

    `layers` are those with names in it.
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
        """A new one; what stands for it."""
        mark = self.out.tensor(name) if self.private else name
        self.out.named = True
        self.known[name] = Tensor(mark, info)
        return mark
