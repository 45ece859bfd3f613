"""Layers of a Sequential that are one repeated layer: one class, whatever their number.

Such a run is its first layer, which may take the stride and different channels, and the others,
which are all alike; or it is blocks that each widen their input by the same number of channels. A
use with too few layers to show what they are is like the uses that have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
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
    growth,
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

    @property
    def calls(self) -> list[BlockCall]:
        """Its blocks."""
        return [c.module for c in self.children if isinstance(c.module, BlockCall)]

    @cached_property
    def grows(self) -> bool:
        """Whether each block widens its input by the same formula."""
        calls = self.calls
        slots = [slot for call in calls for slot in call.instance.slots if slot.child]
        if not calls or len(calls) < len(self.children) or slots:
            return False
        name = calls[0].instance.own_name("in_channels")
        given = [{**call.outside, name: None} for call in calls]
        widths = [call.outside.get(name) for call in calls]
        widths.append(calls[-1].formula(calls[-1].instance.leaving.channels))
        step = growth(widths)
        return step is not None and all(names == given[0] for names in given)


def gathered(children: Iterable[Child], shapes: Shapes) -> Iterator[Child]:
    """The layers, with each run in a sequence as one; without those of which nothing is known."""
    for child in children:
        row = child.module
        if isinstance(row, SequentialNode):
            inside = tuple(gathered(_with_runs(row, shapes), shapes))
            yield replace(child, module=replace(row, children=inside))
        elif not isinstance(row, Run):
            yield child
        elif shapes.of(row):
            run: Any = Run(row.how, tuple(gathered(row.children, shapes)))
            yield replace(child, module=run)


def runs_in(children: Iterable[Child], shapes: Shapes) -> Iterator[Run]:
    """Every run in the sequences among these."""
    for child in children:
        if isinstance(child.module, SequentialNode):
            for inner in _with_runs(child.module, shapes):
                if isinstance(inner.module, Run):
                    yield inner.module
            yield from runs_in(child.module.children, shapes)


def _with_runs(row: SequentialNode, shapes: Shapes) -> Iterator[Child]:
    place = 0
    for how in row.runs:
        run = Run(how, row.children[how.start : how.start + int(how.count.number)])
        if shapes.uniform(run):
            yield from row.children[place : how.start]
            yield Child(str(how.start), run)  # type: ignore[arg-type]
            place = how.start + len(run.children)
    yield from row.children[place:]


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

    def uniform(self, run: Run) -> bool:
        """Whether a run can be one layer: none of its layers sets its initialization."""
        modules = [child.module for child in run.children]
        if any(child.draws or _draws(child.module) for child in run.children):
            return False
        return all(alike(a, b) for a, b in pairwise(modules[1:])) or self.grows(run)

    def grows(self, run: Run) -> bool:
        """Whether its blocks are one class, and each widens its input by the same formula."""
        return run.grows and len({self.shape(child.module) for child in run.children}) == 1

    def of(self, run: Run) -> tuple[Any, ...]:
        """The kinds of the first and of the others, and whether they grow; nothing if unknown."""
        own = tuple(self.shape(child.module) for child in run.children[:2])
        if len(own) == 2:
            return (*own, self.grows(run))
        fits = [one for one in self.known.get(run.how.at, ()) if one[: len(own)] == own]
        return fits[0] if len(fits) == 1 else (*own, *own, False) if own else ()
