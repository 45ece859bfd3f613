"""Entries of stem and head, and layers between stages: layers for the class of the network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple, Protocol

from archspec.expand.budget import Budget, Effects, Room, TooLargeError
from archspec.expand.builder import Builder
from archspec.expand.context import Context, names_in
from archspec.expand.layers import expand_attribute, expand_stack
from archspec.expand.scope import FoundError, Scope
from archspec.expression import Value
from archspec.ir import Body
from archspec.ir.tree import TensorInfo
from archspec.language.layers import Stack
from archspec.language.spec import Section
from archspec.language.words import PARTS_OF_ALL
from archspec.memo import Memo, remember
from archspec.ops import OPS
from archspec.places import At, Finding

MOST_FINDINGS = 20
FATAL = ("cycle", "too-large")


class Args(NamedTuple):
    """The arguments of the network, and what expressions see of them."""

    numbers: Mapping[str, Value]
    visible: Mapping[str, Value]


NONE = Args({}, {})


class ExpandedPart(NamedTuple):
    """A part of the class of the network, whose attributes are in `out`.

    `goes_on`: what leaves it is known, so what follows is expanded too. `widths` are the channels
    with which a stage begins and ends.
    """

    out: Builder
    steps: tuple[Body, ...]
    leaving: TensorInfo
    effects: Effects
    findings: tuple[Finding, ...] = ()
    goes_on: bool = True
    widths: tuple[int, ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """The indices that it depends on."""
        return self.effects.reads


class StopExpanding(Exception):
    """What follows cannot be known; the findings say why."""


class Expand(Protocol):
    """The expansion of a part, within the room that is left."""

    def __call__(self, *, room: Room) -> ExpandedPart:
        """The part."""


class Parts:
    """Parts of the class of the network, one after the other."""

    def __init__(self, room: Room) -> None:
        self.budget, self.out = Budget(room), Builder()
        self.steps: list[Body] = []
        self.found: list[Finding] = []

    def take(self, at: At, expand: Expand) -> ExpandedPart:
        """One more; raises `StopExpanding`, and `TooLargeError` at its place."""
        try:
            part = expand(room=self.budget.left(""))
            self.budget.add(part.effects)
        except TooLargeError as error:
            raise error.placed(at, self.found) from None
        self.out.take(part.out)
        self.steps += part.steps
        self.found += part.findings
        fatal = any(finding.rule in FATAL for finding in part.findings)
        if part.findings and (fatal or not part.goes_on or len(self.found) >= MOST_FINDINGS):
            raise StopExpanding
        return part


def expand_section(
    section: Section, at: At, args: Args, x: TensorInfo, context: Context, memo: Memo, *, room: Room
) -> ExpandedPart:
    """Stem or head. One that names no argument of the network means the same in all."""
    if names_in(section, memo=memo).isdisjoint(args.numbers):
        return _section_without_args(section, at, x, context, memo=memo, room=room)
    return _section(section, at, args, x, context, memo, room)


@remember
def _section_without_args(
    section: Section, at: At, x: TensorInfo, context: Context, *, memo: Memo | None, room: Room
) -> ExpandedPart:
    return _section(section, at, NONE, x, context, memo, room)


def _section(
    section: Section,
    at: At,
    args: Args,
    x: TensorInfo,
    context: Context,
    memo: Memo | None,
    room: Room,
) -> ExpandedPart:
    """After a finding in a layer that leaves what arrives it goes on behind that."""
    parts, goes_on = Parts(room), True
    try:
        for name, stack in section.entries:
            place = at.below(*([name] if name else _steps(stack)[:1]))
            expand = partial(expand_entry, name, stack, at, args, x, context, memo)
            x = parts.take(place, expand).leaving
    except StopExpanding:
        goes_on = False
    effects = parts.budget.effects(parts.out)
    return ExpandedPart(parts.out, tuple(parts.steps), x, effects, tuple(parts.found), goes_on)


def expand_entry(
    name: str | None,
    stack: Stack,
    at: At,
    args: Args,
    x: TensorInfo,
    context: Context,
    memo: Memo | None,
    *,
    room: Room,
) -> ExpandedPart:
    """Layers in a section, under a name or without; `at` is the place of the section."""
    if names_in(stack, memo=memo).isdisjoint(args.numbers):
        return _entry_without_args(name, stack, at, x, context, memo=memo, room=room)
    return _entry(name, stack, at, args, x, context, memo, room)


@remember
def _entry_without_args(
    name: str | None,
    stack: Stack,
    at: At,
    x: TensorInfo,
    context: Context,
    *,
    memo: Memo | None,
    room: Room,
) -> ExpandedPart:
    return _entry(name, stack, at, NONE, x, context, memo, room)


def _entry(
    name: str | None,
    stack: Stack,
    at: At,
    args: Args,
    x: TensorInfo,
    context: Context,
    memo: Memo | None,
    room: Room,
) -> ExpandedPart:
    scope = Scope(context, Budget(room), memo)
    scope.values, scope.network_args = dict(args.visible), args.numbers
    scope.parts, scope.origins = context.parts, context.origins
    out = Builder(prefix=f"{'.'.join(map(str, (*at.path, name, *_steps(stack))))}#")
    try:
        if name is None:
            done, y = expand_stack(stack, at, scope, x, out)
        else:
            place = at.below(name)
            named = place._replace(key=True)
            done, y = expand_attribute(name, stack, place, scope, x, out, named)
    except FoundError as error:
        effects, goes_on = scope.budget.effects(error), _leaves_as_is(stack)
        return ExpandedPart(out, (), x, effects, error.findings, goes_on)
    return ExpandedPart(out, tuple(done), y, scope.budget.effects(out))


def _steps(stack: Stack) -> list[int]:
    """The places of the layers in a list, if they stand in one."""
    return [layer.step for layer in stack.layers if layer.step is not None]


def _leaves_as_is(stack: Stack) -> bool:
    """Whether it is one norm or activation, whatever is wrong in it."""
    if len(stack.layers) != 1:
        return False
    head = stack.layers[0].head
    op = OPS.get(head)
    return head in PARTS_OF_ALL or (op is not None and (op.norm or op.activation))
