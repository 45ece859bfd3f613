"""Block after block: what each sees, and whether channels shrink."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from archspec.diagnostics import did_you_mean
from archspec.expression import Expr, ExpressionError, Name, Number, Scalar, Value, constant, names
from archspec.expression import evaluate as value_of_expression
from archspec.language import arguments
from archspec.language.layers import REPEAT as OF_LAYER
from archspec.language.problems import Collector, Problem, Problems, fail
from archspec.language.stages import REPEAT, Stage
from archspec.language.words import COUNTED
from archspec.places import Path

Args = Mapping[str, Scalar]
Runs = Mapping[Path, Stage]
MOST_BLOCKS = 1000  # ResNet-1001 has 333


class Place(NamedTuple):
    """One block of one stage, and what its expressions see."""

    number: int
    names: Mapping[str, Value]


class Series(NamedTuple):
    """The blocks of the stage, or of the repeated layer, at `path`, and what the first of them
    sees of where it stands."""

    path: Path
    repeat: int
    stage: int
    block_index: int
    block_count: int

    @property
    def indices(self) -> dict[str, int]:
        """Where the stage stands among others."""
        return {name: getattr(self, name) for name in COUNTED}

    def places(self, args: Mapping[str, Value]) -> Iterator[Place]:
        """Block by block, where the network has these arguments."""
        for index in range(self.repeat):
            turn = {"index": index, "block_index": self.block_index + index}
            here = self.indices | {"repeat": self.repeat} | turn
            names = {name: constant(value) for name, value in here.items()}
            yield Place(index, {**args, **names})


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


def repeats(args: Args, runs: Runs) -> dict[Path, int]:
    """Blocks of each stage that has blocks; raises `ExpressionError` or `Problems`."""
    known = {name: constant(value) for name, value in args.items()}
    counts = {}
    for path, stage in runs.items():
        count = number_of(stage.repeat, known)
        try:
            arguments.check_number(count, REPEAT)
        except Problems as error:
            raise Problems(p.below(*path, "repeat") for p in error.problems) from None
        counts[path] = int(count)
    if sum(counts.values()) > MOST_BLOCKS:
        fail("too-large", f"the network has more than {MOST_BLOCKS:,} blocks", "", "stages")
    return counts


def times(repeat: Expr | None, args: Args) -> int:
    """How often a layer is repeated; never, where that is an error, which expansion reports."""
    try:
        count = number_of(repeat or Number(1), {n: constant(value) for n, value in args.items()})
        arguments.check_number(count, OF_LAYER)
    except (ExpressionError, Problems):
        return 0
    return int(count)


def series_of(counts: Mapping[Path, int]) -> Iterator[Series]:
    """Blocks one after the other, in order; `counts` says how many there are at each place."""
    first, total = 0, sum(counts.values())
    for number, (path, count) in enumerate(counts.items(), 1):
        yield Series(path, count, number, first, total)
        first += count


class Width(NamedTuple):
    """The channels that leave a stage."""

    path: Path
    channels: Scalar


def shrinking(widths: Iterable[Width], runs: Runs) -> Iterator[Problem]:
    """Channels never shrink: what leaves a stage is held against what left the one before it.

    How a stage gets there is its own business, and one that says `shrink` may leave fewer.
    """
    for before, after in pairwise(widths):
        stage = runs[after.path]
        if after.channels >= before.channels or stage.shrink:
            continue
        key, previous = attribute_of(after.path), attribute_of(before.path)
        hint = f"give `{key}` at least {before.channels}, or say why not: `shrink: the reason`"
        if stage.channels is None:
            hint = f"write `channels: {before.channels}`, or say why: `shrink: the reason`"
        yield Problem(
            "channels-shrink",
            f"`{key}` has {after.channels} channels, fewer than the {before.channels} of "
            f"`{previous}`",
            hint,
            (*after.path, "channels"),
            because=(*before.path, "channels"),
        )


def attribute_of(path: Path) -> str:
    """The attribute that a stage becomes, from the network down."""
    return ".".join(str(step) for step in path[1:] if step != "sequence")


def never_shrink(args: Args, runs: Runs, counts: Mapping[Path, int], found: Collector) -> None:
    """Compares the channels that are written; raises `ExpressionError`.

    What depends on where the stage stands in the network is compared once all of it is expanded.
    """
    known = {name: constant(value) for name, value in args.items()}
    widths = [_width(series, runs[series.path], known) for series in series_of(counts)]
    for before, after in pairwise(widths):
        if before and after:
            found.keep(shrinking([before, after], runs))


def _width(series: Series, stage: Stage, args: Mapping[str, Value]) -> Width | None:
    """What the last block of a stage says that it gives, if that is known."""
    said = stage.channels
    if isinstance(said, tuple):
        said = said[min(series.repeat, len(said)) - 1]
    if said is None or not names(said).isdisjoint(COUNTED):
        return None
    *_, place = series.places(args)
    return Width(series.path, number_of(said, place.names))
