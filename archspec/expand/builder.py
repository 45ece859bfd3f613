"""A class in the making: what one use of a block has, until it is named and closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.expression import Expr
from archspec.ir import Apply, Body
from archspec.ir.draws import Draw
from archspec.ir.tree import Definition, ModuleNode, Site
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
    marks: int = 0

    def mark(self) -> str:
        """A new mark."""
        self.marks += 1
        return f"#{self.prefix}{self.marks}"

    def take(self, other: Builder) -> None:
        """The layers of another one, behind those that are there."""
        before = len(self.items)
        self.items += other.items
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
    ) -> Body:
        """A layer more, and its application."""
        item = Item(module, self.mark(), name, at, draws)
        self.items.append(item)
        return Apply(item.mark, site)


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
