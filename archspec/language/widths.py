"""Block after block: what each sees, and whether channels shrink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from archspec.diagnostics import did_you_mean
from archspec.expression import Expr, ExpressionError, Name, Number, Scalar, Value, constant
from archspec.expression import evaluate as value_of_expression
from archspec.language import arguments
from archspec.language.problems import Collector, Problem, Problems, fail
from archspec.language.stages import REPEAT, Stage

Args = Mapping[str, Scalar]
MOST_BLOCKS = 1000  # ResNet-1001 has 333


class Place(NamedTuple):
    """One block of one stage, and what its expressions see."""

    key: str
    number: int
    names: Mapping[str, Value]


class Series(NamedTuple):
    """The blocks of one stage; `stage` counts from 1, `first` is its first block's index."""

    key: str
    repeat: int
    stage: int
    first: int
    fixed: Mapping[str, Value]

    @property
    def indices(self) -> dict[str, int]:
        """Where the stage stands: what its first block sees of that."""
        count = int(self.fixed["block_count"].number)
        return {"stage": self.stage, "block_index": self.first, "block_count": count}

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


def repeats(args: Args, stages: Mapping[str, Stage]) -> dict[str, int]:
    """Blocks of each stage that has blocks; raises `ExpressionError` or `Problems`."""
    known = {name: constant(value) for name, value in args.items()}
    counts = {}
    for key, stage in stages.items():
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


def series_of(args: Args, counts: Mapping[str, int]) -> Iterator[Series]:
    """The stages that have blocks, in order; `counts` says how many each has."""
    fixed = {name: constant(value) for name, value in args.items()}
    fixed["block_count"] = constant(sum(counts.values()))
    first = 0
    for number, (key, count) in enumerate(counts.items(), 1):
        yield Series(key, count, number, first, fixed)
        first += count


class NeverShrink:
    """Channels never shrink: each number of a stage is compared with the one before it.

    A stage that says `shrink` may; of the others, each is reported once.
    """

    def __init__(self) -> None:
        self.before: Scalar = 0
        self.previous = ""
        self.reported: set[str] = set()

    def problem(self, key: str, stage: Stage, channels: Scalar) -> Problem | None:
        """The finding about the next number of channels, which stage `key` gives."""
        previous, before = self.previous, self.before
        self.previous, self.before = key, channels
        if channels >= before or stage.shrink or key in self.reported:
            return None
        self.reported.add(key)
        where = f"`{previous}`" if previous != key else "the block before"
        hint = f"give `{key}` at least {before}, or say why not: `shrink: the reason`"
        if stage.channels is None:
            hint = f"write `channels: {before}`, or say why: `shrink: the reason`"
        return Problem(
            "channels-shrink",
            f"`{key}` has {channels} channels, fewer than the {before} of {where}",
            hint,
            ("stages", key, "channels"),
            because=("stages", previous, "channels") if previous != key else (),
        )


def never_shrink(
    args: Args, stages: Mapping[str, Stage], counts: Mapping[str, int], found: Collector
) -> None:
    """Compares the channels that are written, block by block; raises `ExpressionError`."""
    rule = NeverShrink()
    for series in series_of(args, counts):
        stage = stages[series.key]
        for channels in _channels(stage.channels, series):
            found.keep(filter(None, [rule.problem(series.key, stage, channels)]))


def _channels(written: Expr | tuple[Expr, ...] | None, series: Series) -> Iterator[Scalar]:
    """Those of each block, or of the first where all have the same."""
    if isinstance(written, Number):
        yield written.value
    elif written is not None:
        for place in series.places():
            part = written
            if isinstance(written, tuple):
                part = written[min(place.number, len(written) - 1)]
            yield number_of(part, place.names)  # type: ignore[arg-type]
