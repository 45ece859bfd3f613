"""The use of a block that has all that its uses have, for those that are it without some layers.

Where none has all, one is put together: each layer where the block writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any, TypeGuard

from archspec.ir import Add, Apply, Body, Chain
from archspec.ir.bodies import is_nothing, renamed, steps_of
from archspec.ir.tree import BlockInstance, Child, OpCall
from archspec.ops.dropouts import StochasticDepth


def full_of(leads: Sequence[BlockInstance], plain: Sequence[tuple[Body, bool]]) -> BlockInstance:
    """The use that has most; one that has what is in all, where there are no sums."""
    most = max(range(len(leads)), key=lambda n: (plain[n][1], len(leads[n].children)))
    known = {child.attribute: child for lead in leads for child in lead.children}
    if plain[most][1] or len(known) == len(leads[most].children):
        return leads[most]
    names: list[Any] | None = [child.attribute for child in leads[most].children]
    steps: list[Any] | None = [*steps_of(plain[most][0])]
    for lead, (body, _) in zip(leads, plain, strict=True):
        own = [child.attribute for child in lead.children]
        names = names and union(names, own, lambda name: _written(known[name]))
        steps = steps and union(steps, [*steps_of(body)], lambda step: _place(step, known))
    if not names or not steps:
        return leads[most]
    children = tuple(known[name] for name in names)
    return replace(leads[most], children=children, body=Chain(tuple(steps)))


def within(lead: BlockInstance, plain: tuple[Body, bool], full: BlockInstance, whole: Body) -> bool:
    """Whether a use is the full one without some layers."""
    there, known = ({child.attribute: child for child in use.children} for use in (lead, full))
    gone = known.keys() - there.keys()
    if gone and any(known[name].at != there[name].at for name in known if _may_shift(name, there)):
        return False
    lacking: dict[str, str | None] = dict.fromkeys(gone)
    return not is_nothing(plain[0]) and renamed(whole, lacking) == plain[0]


def _may_shift(name: str, there: Mapping[str, Child]) -> bool:
    """Whether a layer may have this name for there are fewer ahead of it."""
    return name in there and name[-1].isdigit()


def without_sum(use: BlockInstance) -> tuple[Body, bool]:
    """The body without a last sum with the input, and without what may drop the other branch."""
    marks: dict[str, str | None] = {slot.mark: None for slot in use.slots}
    dropped = {c.attribute: None for c in use.children if drops(c.module)}
    steps = list(steps_of(renamed(use.body, marks)))
    last = steps[-1] if steps else None
    if isinstance(last, Add) and len(last.branches) == 2 and is_nothing(last.branches[1]):
        steps[-1:] = steps_of(renamed(last.branches[0], dropped))
        return Chain(tuple(steps)), True
    return Chain(tuple(steps)), False


def drops(module: Any) -> TypeGuard[OpCall]:
    """Whether it drops a branch for some samples."""
    return isinstance(module, OpCall) and module.kind is StochasticDepth


def union(one: list[Any], other: list[Any], place: Any = None) -> list[Any] | None:
    """The items of both in order; where one has something in place of another, by their `place`.

    Without that, None.
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
    """Where what is done is written, if it is one layer."""
    return _written(known[step.layer]) if isinstance(step, Apply) and step.layer in known else []


def _written(child: Child) -> Any:
    """Where a layer is written: what sorts as the file does."""
    path = child.at.path if child.at else ()
    return [(0, step, "") if isinstance(step, int) else (1, 0, step) for step in path]
