"""What no other recognizer explains, as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, grouped, where
from archspec.diff.words import change, size, whole

FEW = 3  # different values that are told apart


def arguments(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Arguments with other values."""
    ones = [one for one in changes if one.kind == "changed" and one.own]
    for same in grouped(ones, _key).values():
        values = grouped(same, lambda one: repr(list(one.own.items())))
        for equal in values.values() if len(values) <= FEW else [same]:
            yield _line(facts, equal)


def _key(one: Change) -> tuple[Any, ...]:
    name = "" if one.node.name.isdecimal() else one.node.name
    return (name, one.node.label, *one.own)


def _line(facts: Facts, same: Sequence[Change]) -> Line:
    names = list(same[0].own)
    text = ", ".join(change(name, [one.own[name] for one in same]) for name in names)
    called = " and ".join([", ".join(map(_word, names[:-1])), _word(names[-1])][len(names) == 1 :])
    drops = all(one.node.op and one.node.op.drops for one in same)
    verdict = "other drop rates" if drops else f"other {called}"
    why = "" if drops else f"the {called} changed"
    return Line("~", where(facts, same), text, same, verdict, why, minor=drops)


def _word(name: str) -> str:
    return name.removesuffix("_size").replace("_", " ")


def others(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Modules that are new, gone, or something else now."""
    ones = [one for one in changes if one.kind in ("added", "removed", "replaced")]
    for (kind, text), same in grouped(ones, lambda one: (one.kind, _text(one))).items():
        mark = {"added": "+", "removed": "-"}.get(kind, "~")
        at = where(facts, same)
        name = at[0] if len(at) == 1 else f"{at[0]} and others"
        verdict = {"added": f"new {name}", "removed": f"no {name}"}.get(kind, f"another {name}")
        yield Line(mark, at, text, same, verdict)


def _text(one: Change) -> str:
    if one.before and one.after:
        old, new = whole(one.before), whole(one.after)
        return f"{old} -> {new}" if old != new else f"{size(one.after)}, other ones"
    return whole(one.node)


def followers(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Layers that changed with what arrives alone: they are told if nothing else is."""
    ones = [one for one in changes if one.kind == "changed" and not one.own]
    if len(ones) == len(facts.changes):
        for same in grouped(ones, lambda one: (one.node.label, *one.arguments)).values():
            (name, *_) = same[0].arguments
            text = change(name, [one.arguments[name] for one in same])
            yield Line("~", where(facts, same), text, same, "other widths")
