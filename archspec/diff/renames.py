"""Equal layers with different names."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, where
from archspec.diff.tree import Node

MOST_NAMES = 3


def renamings(facts: Facts) -> str:
    """`downsample.0, .1 are renamed to .1, .2`."""
    pairs = list(dict.fromkeys(_names(a, b) for a, b in _renamed(facts)))
    old, new = list[str](), list[str]()
    before = ""
    for holder, a, b in pairs[:MOST_NAMES]:
        behind = bool(old) and holder == before != ""
        old.append(f".{a}" if behind else f"{holder}.{a}" if holder else a)
        new.append(f".{b}" if holder else b)
        before = holder
    more = len(pairs) - len(old)
    rest = f" and {more} more" if more else ""
    are = "is" if len(pairs) == 1 else "are"
    return f"{', '.join(old)}{rest} {are} renamed to {', '.join([*new, *['...'] * (more > 0)])}"


def shifted(facts: Facts) -> Iterator[Line]:
    """A line for each renamed module, if nothing else changed."""
    for a, b in _renamed(facts, saved=False):
        one = Change("changed", a, b, (facts.old, facts.new))
        text = f"is renamed to `{b.name}`"
        yield Line("~", where(facts, [one]), text, (), "other names, the same layers")


def _renamed(facts: Facts, saved: bool = True) -> Iterator[tuple[Node, Node]]:
    """The renamed modules; with `saved`, only those with keys in a checkpoint."""
    for a, b in facts.pairs:
        if a.name != b.name and (not saved or any(leaf.saved for leaf in a.leaves)):
            yield a, b


def _names(a: Node, b: Node) -> tuple[str, str, str]:
    holders = [name for name in a.path.split(".")[:-1] if not name.isdecimal()]
    return (holders[-1] if holders else "", a.name, b.name)
