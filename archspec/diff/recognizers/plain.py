"""Changes that no other recognizer explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, grouped, where
from archspec.diff.tree import Node
from archspec.diff.words import change, conjoined, size, titled, trains, whole

FEW = 3  # different values that are listed
MARKS = {"added": "+", "removed": "-", "replaced": "~"}


def arguments(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Arguments with different values."""
    ones = [one for one in changes if one.kind == "changed" and one.own]
    called = _arguments(ones)
    for same in grouped(ones, _key).values():
        values = grouped(same, lambda one: repr(list(one.own.items())))
        for equal in values.values() if len(values) <= FEW else [same]:
            yield _line(facts, equal, called)


def _key(one: Change) -> tuple[Any, ...]:
    name = "" if one.node.name.isdecimal() else one.node.name
    return (name, one.node.label, *one.own)


def _arguments(ones: Sequence[Change]) -> str:
    """The arguments, without those that only act in training: `stride and dilation`."""
    names = dict.fromkeys(_word(name) for one in ones if not trains(one.node) for name in one.own)
    return conjoined(list(names))


def _line(facts: Facts, same: Sequence[Change], called: str) -> Line:
    names = list(same[0].own)
    text = ", ".join(change(name, [one.own[name] for one in same]) for name in names)
    minor = all(trains(one.node) for one in same)
    verdict = "other drop rates" if minor else f"other {called}"
    why = "" if minor else f"the {called} changed"
    return Line("~", where(facts, same), text, same, verdict, why, minor=minor)


def _word(name: str) -> str:
    return name.removesuffix("_size")


def others(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Modules that are added, removed, or replaced."""
    ones = [one for one in changes if one.kind in MARKS]
    for (kind, text), same in grouped(ones, lambda one: (one.kind, _text(one))).items():
        at, minor = where(facts, same), all(trains(one.node) for one in same)
        yield Line(MARKS[kind], at, text, same, _verdict(same, at), minor=minor)


def _verdict(same: Sequence[Change], at: Sequence[str]) -> str:
    one, name = same[0], at[0] if len(at) == 1 else f"{at[0]} and others"
    if one.kind == "replaced":
        return " instead of ".join(_called(one)) or f"other layers in {name}"
    holders = {each.inside[1].path for each in same}
    if len(holders) == 1 and one.inside[1].numbered:
        return f"{'new' if one.kind == 'added' else 'fewer'} layers in {holders.pop()}"
    return f"{'new' if one.kind == 'added' else 'no'} {name}"


def _sides(one: Change) -> list[Node]:
    return [node for node in (one.before, one.after) if node]


def _called(one: Change) -> list[str]:
    """The names of the blocks after and before; "" if one has no name."""
    nodes = _sides(one)[::-1]
    titles = [titled(node) for node in nodes]
    labels = [f"{node.stage_of} blocks" if node.stage_of else node.label for node in nodes]
    return titles if all(titles) else labels if all(labels) else []


def _text(one: Change) -> str:
    if one.before and one.after:
        if one.before.label and one.after.label:
            return f"{one.before.label} -> {one.after.label}"
        old, new = whole(one.before), whole(one.after)
        return f"{old} -> {new}" if old != new else f"{size(one.after)}, other ones"
    names = list(one.inside[1].children)
    at = names.index(one.node.name) if one.kind == "added" else 0
    behind = one.node.op is not None and at and not one.inside[1].numbered
    return whole(one.node) + (f", after `{names[at - 1]}`" if behind else "")


def followers(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Layers that changed only because their input did: reported if nothing else is."""
    ones = [one for one in changes if one.kind == "changed" and not one.own]
    if len(ones) == len(facts.changes):
        for same in grouped(ones, lambda one: (one.node.label, *one.arguments)).values():
            (name, *_) = same[0].arguments
            text = change(name, [one.arguments[name] for one in same])
            yield Line("~", where(facts, same), text, same, "other widths")
