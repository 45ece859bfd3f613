"""The layers of a class whose blocks a loop makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

from archspec.classes.loops import Names, calls_of, names_of
from archspec.classes.printed import grown
from archspec.classes.sizes import Sizes
from archspec.classes.table import ClassTable, ClassUses
from archspec.expression import Expr, Name, Number, Scalar, new_name, simplify
from archspec.ir.classes import Layer, Loop, New
from archspec.ir.tree import BlockCall
from archspec.records import Record

Row = Sequence[BlockCall]
Made = Callable[[Sequence[BlockCall | None]], New]


class Turns(Record):
    """Writes the stages of a class as one loop, or as a first block and a loop."""

    table: ClassTable
    inner: ClassUses  # the class of the blocks
    sizes: Sizes
    made: Made

    def layers(self) -> Iterator[Layer]:
        """None if a loop cannot express how blocks differ; the table then records the stages."""
        rows = [calls_of(use) for use in self.sizes.uses]
        rest = [row[1:] for row in rows]
        if (steps := self._steps(rows)) is not None:
            yield self._turns(rows, 0, steps)
        elif (
            len({self.table.shape(row[0]) for row in rows}) > 1  # some have a shortcut
            or (steps := self._steps(rest)) is None
            or any(steps.values())
        ):
            self.table.irregular |= {*self.sizes.uses}
        else:
            new = self.made([row[0] for row in rows])
            first = Loop(self._name(Number(self._first)), self._index, 0, Number(1))
            yield Layer(first.text, new, first)
            yield self._turns(rest, 1, steps)

    def _steps(self, rows: Sequence[Row]) -> dict[str, int] | None:
        """The growth of each parameter from block to block; None if a loop cannot express it."""
        calls = [call for row in rows for call in row]
        kinds = [[known[call.instance] for call in calls] for known in self.inner.types.values()]
        if any(len({*known}) > 1 for known in kinds):
            return None
        if any(slot.child for call in calls for slot in call.instance.slots):
            return None
        steps = {
            name: _step([[known[call.instance] for call in row] for row in rows])
            for name, known in self.inner.numbers.items()
        }
        found = {name: step for name, step in steps.items() if step is not None}
        return found if len(found) == len(steps) else None

    def _turns(self, rows: Sequence[Row], start: int, steps: Mapping[str, int]) -> Layer:
        new = self.made([row[0] if row else None for row in rows])
        counts = [start + len(row) for row in rows]
        stop = self.sizes.apart(counts, "layers")
        turn: Expr = Name(self._index)
        if stop == Number(start + 1):
            turn = Number(start)  # a single iteration is not a loop
        growing = {name: Number(step) for name, step in steps.items() if step}
        loop = Loop(self._name(_sum(turn, Number(self._first))), self._index, start, stop)
        return Layer(loop.text, grown(new, growing, turn), loop)

    @property
    def _index(self) -> str:
        return new_name("k", self.sizes.known)

    @cached_property
    def _patterns(self) -> list[Names]:
        """The names of each stage."""
        return [names for use in self.sizes.uses if (names := names_of(use))]

    @property
    def _first(self) -> int:
        return self._patterns[0].first

    def _name(self, turn: Expr) -> tuple[str | Expr, ...]:
        """Text and numbers alternately; a number that differs between stages is a parameter."""
        columns = zip(*[names.others for names in self._patterns], strict=True)
        numbers: list[Expr] = [*map(self._number, columns), turn]
        ahead, *texts = self._patterns[0].texts
        made: list[str | Expr] = [ahead]
        for number, text in zip(numbers, texts, strict=True):
            made += [str(number.value) if isinstance(number, Number) else number, text]
        return tuple(part for part in made if part)

    def _number(self, numbers: Sequence[int]) -> Expr:
        return self.sizes.apart(numbers, "number")


def _sum(one: Any, other: Expr | None) -> Any:
    return None if other is None else simplify("+", one, other)


def _step(rows: Sequence[Sequence[Scalar]]) -> int | None:
    """The growth of a size from block to block, the same in all stages; None if it differs."""
    steps = {after - before for row in rows for before, after in pairwise(row)}
    step = steps.pop() if len(steps) == 1 else None if steps else 0
    return step if type(step) is int else None
