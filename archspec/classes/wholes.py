"""The use of a block that has all layers of its uses, for uses that lack some of them.

If no use has all, one is assembled: each layer is where the block has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any, NamedTuple, TypeGuard

from archspec.ir import Add, Apply, Body, Chain
from archspec.ir.bodies import applied, is_nothing, renamed, steps_of
from archspec.ir.tree import BlockInstance, Child, OpCall
from archspec.ops.dropouts import StochasticDepth


class Plain(NamedTuple):
    """A body without a last sum with the input, whether it has one, and what drops its branch."""

    body: Body
    added: bool
    drops: tuple[str, ...] = ()


def full_of(leads: Sequence[BlockInstance], plain: Sequence[Plain]) -> BlockInstance:
    """The use with the most layers; one with every layer that any has, if there are no sums."""
    most = max(range(len(leads)), key=lambda n: (plain[n].added, len(leads[n].children)))
    known = {child.attribute: child for lead in leads for child in lead.children}
    if plain[most].added or len(known) == len(leads[most].children):
        return leads[most]
    names: list[Any] | None = [child.attribute for child in leads[most].children]
    steps: list[Any] | None = [*steps_of(plain[most].body)]
    for lead, one in zip(leads, plain, strict=True):
        own = [child.attribute for child in lead.children]
        names = names and union(names, own, lambda name: _written(known[name]))
        steps = steps and union(steps, [*steps_of(one.body)], lambda step: _place(step, known))
    if not names or not steps:
        return leads[most]
    children = tuple(known[name] for name in names)
    return replace(leads[most], children=children, body=Chain(tuple(steps)))


def within(lead: BlockInstance, plain: Plain, full: BlockInstance, whole: Plain) -> bool:
    """Whether a use is the full one without some layers."""
    if plain.added and plain.drops != whole.drops:
        return False
    there, known = ({child.attribute: child for child in use.children} for use in (lead, full))
    gone = known.keys() - there.keys()
    if gone and any(known[name].at != there[name].at for name in known if _may_shift(name, there)):
        return False
    lacking: dict[str, str | None] = dict.fromkeys(gone)
    return not is_nothing(plain.body) and renamed(whole.body, lacking) == plain.body


def _may_shift(name: str, there: Mapping[str, Child]) -> bool:
    """Whether a layer may have this name because fewer layers come before it."""
    return name in there and name[-1].isdigit()


def without_sum(use: BlockInstance) -> Plain:
    """The body without a last sum with the input, and without a layer that drops its branch."""
    marks: dict[str, str | None] = {slot.mark: None for slot in use.slots}
    dropped = {c.attribute: None for c in use.children if drops(c.module)}
    steps = list(steps_of(renamed(use.body, marks)))
    last = steps[-1] if steps else None
    if isinstance(last, Add) and len(last.branches) == 2 and is_nothing(last.branches[1]):
        branch = last.branches[0]
        steps[-1:] = steps_of(renamed(branch, dropped))
        there = tuple(name for name in applied(branch) if name in dropped)
        return Plain(Chain(tuple(steps)), True, there)
    return Plain(Chain(tuple(steps)), False)


def drops(module: Any) -> TypeGuard[OpCall]:
    """Whether it drops a branch for some samples."""
    return isinstance(module, OpCall) and module.kind is StochasticDepth


def union(one: list[Any], other: list[Any], place: Any = None) -> list[Any] | None:
    """The items of both in order; if one has a different item at the same position, by `place`.

    Without `place`, None.
    """
    made: list[Any] = []
    for kind, i, j, k, n in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        parts = [one[i:j]] if kind == "equal" else [part for part in (one[i:j], other[k:n]) if part]
        if len(parts) > 1:
            if place is None:
                return None
            parts.sort(key=lambda part: place(part[0]))
        made += [item for part in parts for item in part]
    return made


def _place(step: Body, known: Mapping[str, Child]) -> Any:
    """The location of a step, if it is one layer."""
    return _written(known[step.layer]) if isinstance(step, Apply) and step.layer in known else []


def _written(child: Child) -> Any:
    """A sort key for the location of a layer: in the order of the file."""
    path = child.at.path if child.at else ()
    return [(0, step, "") if isinstance(step, int) else (1, 0, step) for step in path]
