"""Changes of a network's input and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diagnostics import plural
from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, place, where
from archspec.diff.tree import Node
from archspec.diff.words import change


def entering(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """A different input, and the first layer that reads it."""
    old, new = facts.before.input, facts.after.input
    if old == new:
        return
    if old[0] != new[0]:
        verdict = plural(new[0], "input channel")
    else:
        verdict = f"input of {' x '.join(map(str, new[1:]))}"
    sizes = (" x ".join(map(str, one)) for one in (old, new))
    yield Line("~", ["input"], " -> ".join(sizes), (), verdict, named=False)
    first = _end(facts.new, 0)
    for one in changes:
        if one.after is first and one.kind == "changed" and not one.own and old[0] != new[0]:
            yield Line("~", where(facts, [one]), _told(one), (one,))


def classes(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """A different number of outputs, from the last layer."""
    last, old, new = _end(facts.new, -1), facts.before.output, facts.after.output
    if len(new) > 1 and last and place(facts, last.path) != "head":
        return  # a feature map
    for one in changes:
        leaves = one.node.op.leaves if one.node.op else None
        if one.after is last and leaves and {*one.own} == {leaves} and old[0] != new[0]:
            verdict = plural(new[0], "class") if new[0] > 1 else "1 output"
            yield Line("~", where(facts, [one]), _told(one), (one,), verdict)


def _end(root: Node, place: int) -> Node | None:
    """The first or the last layer with weights outside shortcuts and gates."""
    layers = [node for node in root.leaves if node.op and node.op.projects and not node.role]
    return layers[place] if layers else None


def _told(one: Change) -> str:
    told = one.own or one.arguments
    return ", ".join(change(name, [values]) for name, values in told.items())
