"""Block after block: what each sees, and whether channels shrink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from archspec.diagnostics import did_you_mean
from archspec.expression import Expr, ExpressionError, Name, Number, Scalar, Value, constant
from archspec.expression import evaluate as value_of_expression
from archspec.language import arguments
from archspec.language.problems import Collector, Problem, Problems, fail
from archspec.language.stages import REPEAT
from archspec.record import record

if TYPE_CHECKING:
    from archspec.language.models import Spec

MOST_BLOCKS = 1000  # ResNet-1001 has 333


@record(eq=False)
class Place:
    """One block of one stage, and what its expressions see."""

    key: str
    index: int
    names: Mapping[str, Value]


@record(eq=False)
class Series:
    """The blocks of one stage; `stage` counts from 1, `first` is its first block's index."""

    key: str
    repeat: int
    stage: int
    first: int
    fixed: Mapping[str, Value]

    def places(self) -> Iterator[Place]:
        """Block by block."""
        for index in range(self.repeat):
            here = {
                "index": index,
                "repeat": self.repeat,
                "stage": self.stage,
                "block_index": self.first + index,
            }
            names = {name: constant(value) for name, value in here.items()}
            yield Place(self.key, index, {**self.fixed, **names})


def lookup_in(known: Mapping[str, Value], name: Name) -> Value:
    if name.id not in known:
        raise ExpressionError(
            f"`{name.id}` is not known here", did_you_mean(name.id, known, "known")
        )
    return known[name.id]


def number_of(expr: Expr, known: Mapping[str, Value]) -> Scalar:
    if isinstance(expr, Number):
        return expr.value
    return value_of_expression(expr, partial(lookup_in, known)).number


def repeats(spec: Spec) -> dict[str, int]:
    """Blocks of each stage that has blocks; raises `ExpressionError` or `Problems`."""
    known = {name: constant(value) for name, value in spec.args.items()}
    counts = {}
    for key, stage in spec.stages.items():
        if stage.blocks:
            count = number_of(stage.repeat, known)
            try:
                arguments.check_number(count, REPEAT)
            except Problems as error:
                raise Problems(p.below("stages", key, "repeat") for p in error.problems) from None
            counts[key] = int(count)
    if sum(counts.values()) > MOST_BLOCKS:
        fail("too-large", f"the network has more than {MOST_BLOCKS:,} blocks", "", "stages")
    return counts


def series_of(spec: Spec) -> Iterator[Series]:
    """The stages that have blocks, in order."""
    counts = spec.repeats
    fixed = {name: constant(value) for name, value in spec.args.items()}
    fixed["block_count"] = constant(sum(counts.values()))
    first = 0
    for number, (key, count) in enumerate(counts.items(), 1):
        yield Series(key, count, number, first, fixed)
        first += count


def never_shrink(spec: Spec, found: Collector) -> None:
    """Compares each block's channels with those of the block before, stage by stage."""
    before: Scalar | None = None
    previous, reported = "", set()
    try:
        for series in series_of(spec):
            stage = spec.stages[series.key]
            for here in _channels(stage.channels, series):
                shrinks = before is not None and here < before and not stage.shrink
                if shrinks and series.key not in reported:
                    reported.add(series.key)
                    found.keep([_shrinks(series.key, previous, before or 0, here)])
                before, previous = here, series.key
    except (ExpressionError, Problems):
        return  # the check of names reports it, at its place


def _channels(said: Expr | tuple[Expr, ...] | None, series: Series) -> Iterator[Scalar]:
    """Those of each block, or of the first where all have the same."""
    if isinstance(said, Number):
        yield said.value
    elif said is not None:
        for place in series.places():
            expr = said[min(place.index, len(said) - 1)] if isinstance(said, tuple) else said
            yield number_of(expr, place.names)


def _shrinks(key: str, previous: str, before: Scalar, here: Scalar) -> Problem:
    where = f"`{previous}`" if previous != key else "the block before"
    return Problem(
        "channels-shrink",
        f"`{key}` has {here} channels, fewer than the {before} of {where}",
        f"give `{key}` at least {before}, or say why not: `shrink: the reason`",
        ("stages", key, "channels"),
        because=("stages", previous, "channels") if previous != key else (),
    )
