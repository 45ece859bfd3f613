"""One line of a comparison: the location of a change, and the change."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from archspec.diff.changes import Change, Facts
from archspec.diff.fold import fold
from archspec.records import Record

T = TypeVar("T")
K = TypeVar("K")
_NUMBER = re.compile(r"\d+")


class Line(Record, eq=False):
    """`where` has patterns of paths, and `text` is the change; names in it are in backticks.

    `mark` is `~`, `+`, or `-`. `verdict` is the wording for the summary, `why` that for the line
    about the checkpoint. A `minor` line is in the summary only if there are no others. `named` is
    False if `where` is not a path, and `inside` is True if it contains the new layers.
    """

    mark: str
    where: Sequence[str]
    text: str
    changes: Sequence[Change] = ()
    verdict: str = ""
    why: str = ""
    minor: bool = False
    named: bool = True
    inside: bool = False

    @property
    def macs(self) -> int:
        """The multiply-adds that these changes add."""
        return sum(change.macs for change in self.changes)


Recognizer = Callable[[Facts, Sequence[Change]], Iterator[Line]]


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """The items with equal keys together, in their order."""
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


def where(facts: Facts, changes: Iterable[Change]) -> list[str]:
    """Patterns for the modules that change: by their old paths, and new ones by their new paths."""
    found = list(changes)
    ahead = [c.before.path for c in found if c.before]
    behind = [c.after.path for c in found if c.after and not c.before]
    return [*patterns(ahead, facts, old=True), *patterns(behind, facts, old=False)]


def patterns(paths: Iterable[str], facts: Facts, old: bool) -> list[str]:
    """Patterns for paths of one of the networks; layers with one name are folded together."""
    root = facts.old if old else facts.new
    alike = grouped(dict.fromkeys(paths), _without_numbers)
    return [pattern for same in alike.values() for pattern in fold(same, root)]


def _without_numbers(path: str) -> tuple[str, ...]:
    *ahead, last = path.split(".")
    return (*(_NUMBER.sub("", part) for part in ahead), "" if last.isdecimal() else last)


def place(facts: Facts, path: str) -> str:
    """The section of a module of the first network: `stem` or `head`, "" for its stages."""
    stages = facts.before.network.stages if facts.before.network else ()
    order = list(facts.old.children)
    top = path.partition(".")[0]
    if not stages or top in stages or top not in order:
        return ""
    return "stem" if order.index(top) < order.index(stages[0]) else "head"


def part(facts: Facts, change: Change) -> str:
    """The name of a changed part in the verdict: `stem`, `projection shortcuts`."""
    if change.node.role == "shortcut":
        return "projection shortcuts"
    return place(facts, change.node.path)
