"""What a size depends on: which numbers are a class's own, and which follow from its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from archspec.classes.table import ClassTable, block_of
from archspec.expression import (
    Binary,
    Expr,
    ExpressionError,
    Name,
    Number,
    Scalar,
    names,
    parse,
    same_number,
    walk,
)
from archspec.ir.tree import BlockCall, BlockInstance

Sources = Sequence[Expr | None]  # None: it may depend on every argument of the caller
FLOW = ("in_channels", "channels")


class Feeds:
    """Follows the names of blocks to the arguments of their callers."""

    def __init__(self, table: ClassTable) -> None:
        self.table = table
        known = table.feeds
        self.constants: dict[tuple[int, str], bool] = known.setdefault("constants", {})
        self.varying: dict[tuple[int, str], bool] = known.setdefault("varying", {})
        self.origins: dict[tuple[BlockInstance, str], frozenset[tuple[str, str]]]
        self.origins = known.setdefault("origins", {})

    def constant(self, instance: BlockInstance, formulas: Iterable[Expr | None]) -> bool:
        """Whether no argument of the instance's class can change these formulas."""
        return all(
            formula is not None and all(self._constant(instance, name) for name in names(formula))
            for formula in formulas
        )

    def _constant(self, instance: BlockInstance, name: str) -> bool:
        if instance is self.table.root and name in self.table.network.symbolic:
            return False
        key = self.table.key(instance), name
        if key not in self.constants:
            uses = self._uses(instance, name)
            self.constants[key] = same(uses, name) and all(self._apart(use, name) for use in uses)
        return self.constants[key]

    def _uses(self, instance: BlockInstance, name: str) -> list[BlockInstance]:
        """The uses that share a class with this one and have the name."""
        uses = self.table.groups[self.table.key(instance)].instances
        return [use for use in uses if name in use.definitions]

    def _apart(self, use: BlockInstance, name: str) -> bool:
        """Whether no argument of the class affects a name of it."""
        given = _given(use)
        if name not in given:
            return self.constant(use, [use.definitions[name].inner])
        direct = {
            (block_of(user), n)
            for user, known in self.table.users.get(use, [])
            for n in names(known.outside[name] or Number(0))
        }
        origins = direct | self._origins(use, name)
        if any(not block and n in self.table.network.symbolic for block, n in origins):
            return False  # an argument of the network stays one
        others = [self._origins(use, other) for other in given if self._varies(use, other)]
        return not self._varies(use, name) and all(map(origins.isdisjoint, others))

    def _varies(self, instance: BlockInstance, name: str) -> bool:
        """Whether the uses show that a name, set by the callers of a block, has to be a parameter.

        If the block has no number for it, all of its uses have to agree on one. A number that
        the channels have too, in all uses, is assumed to follow from them.
        """
        key = self.table.key(instance), name
        if key not in self.varying:
            uses, usual = self._uses(instance, name), _usual(instance, name)
            alike = same(uses, name) and (
                usual is not None or same(self.table.of_block.get(block_of(instance), []), name)
            )
            number = uses[0].definitions[name].number
            self.varying[key] = name in FLOW or not alike
            if block_of(instance) and number != usual:
                self.varying[key] |= all(_of_channels(use, number) for use in uses)
        return self.varying[key]

    def _origins(self, instance: BlockInstance, name: str) -> frozenset[tuple[str, str]]:
        """The parameters of the enclosing blocks that affect a name.

        Also a constant, if the name is nothing else: `channels: width`.
        """
        key = instance, name
        if key not in self.origins:
            users = self.table.users.get(instance, []) if name in _given(instance) else []
            found = [self._behind(user, use.outside[name]) for user, use in users]
            if name not in _given(instance):
                found = [self._behind(instance, instance.definitions[name].inner)]
            self.origins[key] = frozenset().union(*found)
        return self.origins[key]

    def _behind(self, instance: BlockInstance, formula: Expr | None) -> Iterator[tuple[str, str]]:
        given = _given(instance)
        for name in given if formula is None else names(formula):
            if isinstance(formula, Name) or not self._constant(instance, name):
                yield from self._origins(instance, name)
                if name in given:
                    yield block_of(instance), name

    def sources(self, use: BlockCall, name: str) -> list[Expr | None]:
        """What a parameter of a class can depend on, according to the caller of the block."""
        made = self.table.groups[self.table.key(use.instance)].sources.get(name)
        formulas = [Name(name)] if made is None else made[use.instance]
        return [source for formula in formulas for source in self._outside(use, formula)]

    def _outside(self, use: BlockCall, formula: Expr | None) -> Iterator[Expr | None]:
        if formula is None:  # any of its contents
            yield from use.outside.values()
            return
        group = self.table.groups[self.table.key(use.instance)]
        for word in sorted(names(formula)):
            name = group.own(use.instance, word)
            if name in use.outside:
                yield use.outside[name]
            elif name in use.instance.definitions:  # a use may not have the layer with it
                yield from self._outside(use, use.instance.definitions[name].inner)


def _given(instance: BlockInstance) -> list[str]:
    """The names that the caller of the block sets."""
    return [name for name, definition in instance.definitions.items() if definition.given]


def _usual(use: BlockInstance, name: str) -> Scalar | None:
    """The number that a block itself has for an argument; a shortcut's list has any."""
    if name == "stride" or not block_of(use):
        return 1
    known = use.args.get(name)
    return known.value if isinstance(known, Number) else None


def _of_channels(use: BlockInstance, number: Scalar) -> bool:
    return any(equal([use.definitions[n].number, number]) for n in FLOW if n in use.definitions)


def same(uses: Sequence[BlockInstance], name: str) -> bool:
    """Whether a name is the same number in all uses that have it."""
    return equal([use.definitions[name].number for use in uses if name in use.definitions])


def equal(numbers: Sequence[Scalar]) -> bool:
    """Whether all are the same number."""
    return all(same_number(n, numbers[0]) for n in numbers)


def compared(written: Any) -> set[frozenset[str]]:
    """Pairs of names that a block compares: `width != in_channels`."""
    match written:
        case dict():
            return compared(list(written.values()))
        case list():
            return {pair for part in written for pair in compared(part)}
        case str():
            with suppress(ExpressionError):
                return {pair for node in walk(parse(written)) if (pair := _compared(node))}
    return set()


def _compared(node: Expr) -> frozenset[str] | None:
    match node:
        case Binary(op="==" | "!=", left=Name(id=left), right=Name(id=right)):
            return frozenset((left, right))
    return None
