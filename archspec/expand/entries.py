"""Entries of stem and head, and layers between stages: layers of the network's class."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from archspec.expand.budget import Budget, Effects, Room, TooLargeError
from archspec.expand.builder import Builder, Shareable, Tensor, Tensors
from archspec.expand.context import Context, names_in
from archspec.expand.layers import expand_attribute, expand_stack
from archspec.expand.scope import FoundError, Scope
from archspec.expand.tensors import names_read
from archspec.expression import Value
from archspec.ir import Body
from archspec.ir.tree import TensorInfo
from archspec.language.reading import names_shared
from archspec.language.spec import Section
from archspec.language.stack import Stack
from archspec.language.stages import Stage
from archspec.language.widths import Series
from archspec.language.words import COMBINATORS, PARTS_OF_ALL
from archspec.memo import Memo, remember
from archspec.ops import OPS
from archspec.places import At, Finding, Path

MOST_FINDINGS = 20
FATAL = ("cycle", "too-large")


class Args(NamedTuple):
    """The arguments of the network, and their values in expressions."""

    numbers: Mapping[str, Value]
    visible: Mapping[str, Value]


NONE = Args({}, {})


class Part(NamedTuple):
    """A section, or layers in a section, with or without a name; `at` is the path of the section.

    `series` are stages in sequences and repeated blocks in it, `tensors` the named tensors that it
    may read, and `layers` the layers before it that it applies again.
    """

    written: Section | Stack
    at: At
    x: TensorInfo
    context: Context
    name: str | None = None
    series: tuple[Series, ...] = ()
    tensors: tuple[tuple[str, TensorInfo], ...] = ()
    layers: tuple[tuple[str, Shareable], ...] = ()


class Named(NamedTuple):
    """A tensor that the network knows by name: the number of steps after which the entry of this
    name
    ends, or None for a tensor that a layer saves.
    """

    name: str
    info: TensorInfo
    after: int | None = None


class ExpandedPart(NamedTuple):
    """A part of the network's class, with its attributes in `out`.

    `goes_on`: its output is known, so the rest is expanded too.
    """

    out: Builder
    steps: tuple[Body, ...]
    leaving: TensorInfo
    effects: Effects
    findings: tuple[Finding, ...] = ()
    goes_on: bool = True
    named: tuple[Named, ...] = ()
    layers: tuple[tuple[str, Shareable], ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """The indices that it depends on."""
        return self.effects.reads


class StopExpanding(Exception):
    """The rest cannot be expanded; the findings say why."""


class Parts:
    """Parts of the network's class, in order."""

    def __init__(self, room: Room) -> None:
        self.budget, self.out = Budget(room), Builder()
        self.steps: list[Body] = []
        self.found: list[Finding] = []
        self.named: list[Named] = []
        self.layers: dict[str, Shareable] = {}

    def take(self, at: At, expand: Callable[..., ExpandedPart]) -> ExpandedPart:
        """Add a part, within the remaining room; raises `StopExpanding` and `TooLargeError`."""
        room = self.budget.left("")
        try:
            part = expand(room=room)
            self._pay(part, expand, room)
        except TooLargeError as error:
            raise error.placed(at, self.found) from None
        self.out.take(part.out)
        before = len(self.steps)
        for one in part.named:
            after = None if one.after is None else one.after + before
            self.named.append(Named(one.name, one.info, after))
        self.layers |= part.layers
        self.steps += part.steps
        self.found += part.findings
        if part.findings and (self._is_full or not part.goes_on):
            raise StopExpanding
        return part

    @property
    def _is_full(self) -> bool:
        """Whether more findings would be too many, or follow from one of these."""
        fatal = any(finding.rule in FATAL for finding in self.found)
        return fatal or len(self.found) >= MOST_FINDINGS

    def shared(
        self, written: Section | Stack, memo: Memo | None
    ) -> tuple[tuple[str, Shareable], ...]:
        """The layers so far that a part of the network applies again; all, if it names others."""
        names = names_shared(written, memo=memo)
        known = names if names <= self.layers.keys() else self.layers
        return tuple([(name, self.layers[name]) for name in sorted(known)])

    def _pay(self, part: ExpandedPart, expand: Callable[..., ExpandedPart], room: Room) -> None:
        """The cost of a part. A memoized part over the limit is expanded to find where."""
        try:
            self.budget.add(part.effects)
            self.budget.decided |= part.effects.decided
        except TooLargeError:
            expand(room=room, memo=Memo())
            raise


def expand_part(part: Part, args: Args, *, memo: Memo | None, room: Room) -> ExpandedPart:
    """A section, or an entry of one.

    It is memoized unless it names an argument of the network, such as `classes`, whose values
    rarely recur, or applies an earlier layer again.
    """
    if part.layers or not names_in(part.written, memo=memo).isdisjoint(args.numbers):
        return _expand(part, args, memo, room)
    return _without_args(part, memo=memo, room=room)


@remember
def _without_args(part: Part, *, memo: Memo | None, room: Room) -> ExpandedPart:
    return _expand(part, NONE, memo, room)


def _expand(part: Part, args: Args, memo: Memo | None, room: Room) -> ExpandedPart:
    if isinstance(part.written, Section):
        return _section(part, part.written, args, memo, room)
    return _entry(part, part.written, args, memo, room)


def _section(
    part: Part, section: Section, args: Args, memo: Memo | None, room: Room
) -> ExpandedPart:
    """After a finding in a layer that keeps the shape, expansion continues after it."""
    parts, x, goes_on = Parts(room), part.x, True
    known, series = dict(part.tensors), dict[Path, list[Series]]()
    for one in part.series:
        series.setdefault(one.path[: len(part.at.path) + 1], []).append(one)
    parts.layers |= part.layers
    try:
        for name, stack in section.entries:
            place = part.at.below(*([name] if name else _steps(stack)[:1]))
            read, again = tensors_read(stack, known, memo), parts.shared(stack, memo)
            here = tuple(series.get(place.path, ()))
            entry = Part(stack, part.at, x, part.context, name, here, read, again)
            done = parts.take(place, partial(expand_part, entry, args, memo=memo))
            x = done.leaving
            known |= {one.name: one.info for one in done.named}
    except StopExpanding:
        goes_on = False
    effects = parts.budget.effects(parts.out)
    return ExpandedPart(
        parts.out,
        tuple(parts.steps),
        x,
        effects,
        tuple(parts.found),
        goes_on,
        named=tuple(parts.named),
        layers=tuple(parts.layers.items()),
    )


def tensors_read(
    written: Section | Stack | Stage, known: Mapping[str, TensorInfo], memo: Memo | None
) -> tuple[tuple[str, TensorInfo], ...]:
    """The named tensors that a part of the network may read."""
    names = names_read(written, memo=memo)
    return tuple((name, known[name]) for name in sorted(names & known.keys())) if names else ()


def _entry(part: Part, stack: Stack, args: Args, memo: Memo | None, room: Room) -> ExpandedPart:
    name, at, context = part.name, part.at, part.context
    scope = Scope(context, Budget(room), memo)
    scope.values, scope.network_args = dict(args.visible), args.numbers
    scope.parts, scope.origins = context.parts, context.origins
    scope.series = {one.path: one for one in part.series}
    out = Builder(prefix=f"{'.'.join(map(str, (*at.path, name, *_steps(stack))))}#")
    before = {name: Tensor(name, info) for name, info in part.tensors}
    scope.tensors = Tensors(out, before, layers=part.layers)
    try:
        if name is None or is_joint(stack):
            place = at if name is None else at.below(name)
            done, y = expand_stack(stack, place, scope, part.x, out)
        else:
            place = at.below(name)
            named = place._replace(key=True)
            done, y = expand_attribute(name, stack, place, scope, part.x, out, named)
    except FoundError as error:
        effects, goes_on = scope.budget.effects(error), _leaves_as_is(stack)
        return ExpandedPart(out, (), part.x, effects, error.findings, goes_on)
    known = scope.tensors.known
    new = [Named(name, known[name].info) for name in known if name not in before]
    if name is not None and done:
        new.append(Named(name, y, len(done)))
    effects = scope.budget.effects(out)
    layers = tuple(scope.tensors.layers.items())
    return ExpandedPart(out, tuple(done), y, effects, named=tuple(new), layers=layers)


def is_joint(stack: Stack) -> bool:
    """Whether it is one combinator, which has no attribute: its key only names a tensor."""
    if stack.listed or len(stack.layers) != 1:
        return False
    head = stack.layers[0].head
    return head in COMBINATORS and head != "sequence"


def _steps(stack: Stack) -> list[str | int]:
    """The paths of the layers in a list, if they are in one."""
    return [layer.step for layer in stack.layers if layer.step is not None]


def _leaves_as_is(stack: Stack) -> bool:
    """Whether it is one norm or activation, even with mistakes in it."""
    if len(stack.layers) != 1:
        return False
    head = stack.layers[0].head
    op = OPS.get(head)
    return head in PARTS_OF_ALL or (op is not None and (op.norm or op.activation))
