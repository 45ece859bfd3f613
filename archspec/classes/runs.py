"""Layers of a Sequential that are one repeated layer: one class, whatever their number.

Such a run is its first layer, which may take the stride and different channels, and the others,
which are all alike. A use with too few layers to show both is like the uses that have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from archspec.ir.tree import (
    BlockCall,
    BlockInstance,
    Child,
    ModuleNode,
    OpCall,
    Repetition,
    SequentialNode,
)
from archspec.records import Record

Shape = Callable[[ModuleNode], Any]


class Run(Record, eq=False):
    """A repeated layer, and its arguments in each repetition."""

    how: Repetition
    children: tuple[Child, ...]

    def end(self, place: int) -> ModuleNode | None:
        """The first layer, or one of the following, if it exists."""
        return self.children[place].module if place < len(self.children) else None


def gathered(children: Iterable[Child], known: Callable[[Run], Any]) -> Iterator[Child]:
    """The layers, with each run in a sequence as one; without those of which nothing is known."""
    for child in children:
        row = child.module
        if isinstance(row, SequentialNode):
            inside = tuple(gathered(_with_runs(row), known))
            yield replace(child, module=replace(row, children=inside))
        elif not isinstance(row, Run):
            yield child
        elif known(row):
            run: Any = Run(row.how, tuple(gathered(row.children, known)))
            yield replace(child, module=run)


def runs_in(children: Iterable[Child]) -> Iterator[Run]:
    """Every run in the sequences among these."""
    for child in children:
        if isinstance(child.module, SequentialNode):
            for inner in _with_runs(child.module):
                if isinstance(inner.module, Run):
                    yield inner.module
            yield from runs_in(child.module.children)


def _with_runs(row: SequentialNode) -> Iterator[Child]:
    place = 0
    for how in row.runs:
        run = Run(how, row.children[how.start : how.start + int(how.count.number)])
        if _uniform(run):
            yield from row.children[place : how.start]
            yield Child(str(how.start), run)  # type: ignore[arg-type]
            place = how.start + len(run.children)
    yield from row.children[place:]


def _uniform(run: Run) -> bool:
    """Whether all but the first are the same, and none sets its initialization."""
    modules = [child.module for child in run.children]
    drawn = any(child.draws or _draws(child.module) for child in run.children)
    return not drawn and all(alike(a, b) for a, b in pairwise(modules[1:]))


def _draws(module: Any) -> bool:
    """Whether a layer in a sequence sets its initialization."""
    return isinstance(module, SequentialNode) and any(
        child.draws or _draws(child.module) for child in module.children
    )


def alike(one: Any, other: Any) -> bool:
    """Whether two modules of a class are constructed alike."""
    match one, other:
        case OpCall(), OpCall():
            return one.torch == other.torch and one.op == other.op and one.slots == other.slots
        case BlockCall(), BlockCall():
            return one.outside == other.outside and alike(one.instance, other.instance)
        case SequentialNode(), SequentialNode():
            return _all_alike(one.children, other.children)
        case Run(), Run():
            counts = one.how.count == other.how.count
            return counts and _all_alike(one.children, other.children)
        case BlockInstance(), BlockInstance():
            return one is other or (
                (one.block, one.definitions) == (other.block, other.definitions)
                and one.body == other.body
                and _all_alike(one.attributes, other.attributes)
            )
    return False


def _all_alike(one: tuple[Child, ...], other: tuple[Child, ...]) -> bool:
    return len(one) == len(other) and all(
        (a.attribute, a.draws) == (b.attribute, b.draws) and alike(a.module, b.module)
        for a, b in zip(one, other, strict=True)
    )


class Shapes:
    """The form of runs: a run of few layers has the form of the runs in the same position
    elsewhere.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.known: dict[Any, dict[Any, None]] = {}  # by position

    def learn(self, runs: Iterable[Run]) -> None:
        """The kinds at each position; the longest runs determine most."""
        for run in sorted(runs, key=lambda run: -len(run.children)):
            if found := self.of(run):
                self.known.setdefault(run.how.at, {})[found] = None

    def of(self, run: Run) -> tuple[Any, ...]:
        """The kinds of the first and of the others; nothing if they are unknown."""
        own = tuple(self.shape(child.module) for child in run.children[:2])
        if len(own) == 2:
            return own
        fits = [one for one in self.known.get(run.how.at, ()) if one[: len(own)] == own]
        return fits[0] if len(fits) == 1 else own * 2
