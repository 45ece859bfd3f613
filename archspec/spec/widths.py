"""Block after block: what each sees, and whether channels shrink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from archspec.diagnostics import did_you_mean
from archspec.expression import Expr, ExpressionError, Name, Scalar, Value, constant
from archspec.expression import evaluate as value_of_expression
from archspec.spec import arguments
from archspec.spec.problems import Collector, Problem, Problems, fail
from archspec.spec.stages import REPEAT

if TYPE_CHECKING:
    from archspec.spec.models import Spec

MOST_BLOCKS = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """One block of one stage, and what its expressions see."""

    key: str
    index: int
    names: Mapping[str, Value]


def lookup_in(known: Mapping[str, Value], name: Name) -> Value:
    if name.id not in known:
        raise ExpressionError(
            f"`{name.id}` is not known here", did_you_mean(name.id, known, "known")
        )
    return known[name.id]


def number_of(expr: Expr, known: Mapping[str, Value]) -> Scalar:
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


def places(spec: Spec) -> Iterator[Place]:
    """Every block of the network in order."""
    counts = repeats(spec)
    fixed = {name: constant(value) for name, value in spec.args.items()}
    fixed["block_count"] = constant(sum(counts.values()))
    block_index = 0
    for number, (key, count) in enumerate(counts.items(), 1):
        for index in range(count):
            here = {
                "index": index,
                "repeat": count,
                "stage": number,
                "block_index": block_index,
            }
            names = fixed | {name: constant(value) for name, value in here.items()}
            yield Place(key, index, names)
            block_index += 1


def never_shrink(spec: Spec, found: Collector) -> None:
    """Compares each block's channels with those of the block before, stage by stage."""
    before: Scalar | None = None
    previous, reported = "", set()
    try:
        for place in places(spec):
            stage = spec.stages[place.key]
            channels = stage.channels
            if isinstance(channels, tuple):
                channels = channels[min(place.index, len(channels) - 1)]
            if channels is None:
                continue
            here = number_of(channels, place.names)
            shrinks = before is not None and here < before and not stage.shrink
            if shrinks and place.key not in reported:
                reported.add(place.key)
                found.problems.append(_shrinks(place.key, previous, before or 0, here))
            before, previous = here, place.key
    except (ExpressionError, Problems):
        return  # the check of names reports it, at its place


def _shrinks(key: str, previous: str, before: Scalar, here: Scalar) -> Problem:
    where = f"`{previous}`" if previous != key else "the block before"
    return Problem(
        "channels-shrink",
        f"`{key}` has {here} channels, fewer than the {before} of {where}",
        f"write at least {before}, or say why: `shrink: the reason`",
        ("stages", key, "channels"),
    )
