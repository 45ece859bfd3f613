"""Layers as the rules see them: the layer before each, and the rules that concern it.

Facts about a block are computed once for all networks, so nothing in this module has a location.
"""

from functools import cache, cached_property
from typing import Any, NamedTuple

from archspec.ir import Apply, Body, Chain, Give, Op, Save, Shape, Slice, Unsqueeze, fields_of
from archspec.ir.bodies import parts_of
from archspec.ir.tree import BlockCall, BlockSite, Container, OpSite, RowSite
from archspec.memo import Memo, remember
from archspec.records import Record
from archspec.rules.rule import RULES, Concern


class Step(Record, eq=False):
    """An applied op, and the op before it, if that one's output is used only here.

    `role` is "shortcut" in the shortcut of a residual, "gate" in a scale, or "".
    """

    site: OpSite
    before: "Step | None"
    role: str

    @property
    def op(self) -> Op:
        """The op with its numbers."""
        return self.site.call.op

    @property
    def x(self) -> Shape:
        """The input."""
        return self.site.x

    @property
    def y(self) -> Shape:
        """The output."""
        return self.site.y

    @property
    def given(self) -> Any:
        """The arguments as written."""
        return self.site.given

    @cached_property
    def concerns(self) -> frozenset[str]:
        """The rules that it concerns."""
        return frozenset(name for name, concern in _looking() if concern(self))


@remember
def step_at(site: OpSite, before: Step | None, role: str, *, memo: Memo | None) -> Step:
    """The op that is applied there; networks share the layers that they have in common."""
    return Step(site, before, role)


def unbiased(op: type[Op]) -> bool:
    """Whether an op has no bias by default."""
    return any(f.name == "bias" and f.how.ours == "false" for f in fields_of(op))


class Steps(NamedTuple):
    """The ops among a block's own layers, the blocks and stages in it, and its last op."""

    own: tuple[Step, ...]
    parts: tuple[tuple[BlockSite | RowSite, str], ...]
    last: Step | None


def steps_of(part: Container, role: str, *, memo: Memo | None) -> Steps:
    """The layers of a block or stage that is used in a role."""
    walk = _Walk(role, memo)
    last = walk.through(part.body, None)
    return Steps(tuple(walk.own), tuple(walk.parts), last)


_steps_of_part = remember(steps_of)


def steps_at(site: BlockSite | RowSite, role: str, *, memo: Memo | None) -> Steps:
    """The layers of the block or stage that is applied there."""
    return _steps_of_part(site.container, role, memo=memo)


class _Walk:
    """The steps of one body."""

    def __init__(self, role: str, memo: Memo | None) -> None:
        self.role, self.memo = role, memo
        self.own: list[Step] = []
        self.parts: list[tuple[BlockSite | RowSite, str]] = []
        self.named: dict[str, Step | None] = {}

    def through(self, body: Body, last: Step | None) -> Step | None:
        """The last op of a body that comes after `last`."""
        match body:
            case Apply(site=site):
                return self._at(site, last)
            case Chain(steps=steps):
                for step in steps:
                    last = self.through(step, last)
                return last
            case Unsqueeze() | Slice():
                return last
            case Save(name=name):
                self.named[name] = last
                return None
            case Give(names=(name,)):
                return self.named.get(name)
        for branch in parts_of(body):
            self.through(branch, None)
        return None

    def _at(self, site: Any, last: Step | None) -> Step | None:
        if site is None:
            return None
        if isinstance(site, RowSite) and not _begins_with_block(site):
            return self.through(site.row.body, last)
        role = self.role or site.role
        if not isinstance(site, OpSite):
            self.parts.append((site, role))
            return steps_at(site, role, memo=self.memo).last
        step = step_at(site, last, role, memo=self.memo)
        self.own.append(step)
        return step


def _begins_with_block(site: RowSite) -> bool:
    """The end of a stage, so that the op before a stage is not before any op in it."""
    first = site.row.children[:1]
    return any(isinstance(child.module, BlockCall) for child in first)


def concerns(steps: Steps, *, memo: Memo | None) -> frozenset[str]:
    """The rules that a step, or a step of an inner block, concerns."""
    own = (step.concerns for step in steps.own)
    inner = (_concerns_of_part(site.container, role, memo=memo) for site, role in steps.parts)
    return frozenset().union(*own, *inner)


@remember
def _concerns_of_part(part: Container, role: str, *, memo: Memo | None) -> frozenset[str]:
    return concerns(_steps_of_part(part, role, memo=memo), memo=memo)


@cache
def _looking() -> list[tuple[str, Concern]]:
    return [(rule.name, rule.concern) for rule in RULES.values() if rule.concern]
