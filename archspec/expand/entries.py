"""Entries of stem and head, and layers between stages."""

from __future__ import annotations

from typing import NamedTuple

from archspec.expand.budget import Budget, Effects, Room
from archspec.expand.builder import Builder
from archspec.expand.context import Context, names_in
from archspec.expand.layers import expand_attribute, expand_stack
from archspec.expand.scope import FoundError, Scope
from archspec.expression import Value
from archspec.ir import Body
from archspec.ir.tree import TensorInfo
from archspec.language.layers import Stack
from archspec.memo import Memo, remember
from archspec.places import At, Finding


class Entry(NamedTuple):
    """Layers in a section, under a name or without; `at` is the place of the section."""

    name: str | None
    stack: Stack
    at: At


class ExpandedEntry(NamedTuple):
    """Layers for the class of the network: their attributes are in `out`."""

    out: Builder
    steps: tuple[Body, ...]
    leaving: TensorInfo
    effects: Effects
    findings: tuple[Finding, ...] = ()


def expand_entry(
    entry: Entry,
    args: dict[str, Value],
    visible: dict[str, Value],
    x: TensorInfo,
    context: Context,
    *,
    memo: Memo,
    room: Room,
) -> ExpandedEntry:
    """The layers of an entry. One that names no argument of the network means the same in all.

    `args` are those arguments, `visible` what expressions see of them.
    """
    if names_in(entry.stack, memo=memo).isdisjoint(args):
        return _without_args(*entry, x, context, memo=memo, room=room)
    return _expanded(entry, args, visible, x, context, memo, room)


@remember
def _without_args(
    name: str | None,
    stack: Stack,
    at: At,
    x: TensorInfo,
    context: Context,
    *,
    memo: Memo | None,
    room: Room,
) -> ExpandedEntry:
    return _expanded(Entry(name, stack, at), {}, {}, x, context, memo, room)


def _expanded(
    entry: Entry,
    args: dict[str, Value],
    visible: dict[str, Value],
    x: TensorInfo,
    context: Context,
    memo: Memo | None,
    room: Room,
) -> ExpandedEntry:
    name, stack, at = entry
    scope = Scope(context, Budget(room), memo)
    scope.values, scope.network_args = dict(visible), args
    scope.parts, scope.origins = context.parts, context.origins
    steps = tuple(layer.step for layer in stack.layers)
    out = Builder(prefix=f"{'.'.join(map(str, (*at.path, name, *steps)))}#")
    try:
        if name is None:
            done, y = expand_stack(stack, at, scope, x, out)
        else:
            place = at.below(name)
            named = place._replace(key=True)
            done, y = expand_attribute(name, stack, place, scope, x, out, named)
    except FoundError as error:
        return ExpandedEntry(out, (), x, scope.budget.effects(error), error.findings)
    return ExpandedEntry(out, tuple(done), y, scope.budget.effects(out))
