"""The blocks of all stages in order: the scope of each, and whether channels shrink."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from archspec.diagnostics import did_you_mean, is_slip, plural
from archspec.expression import (
    Expr,
    ExpressionError,
    Name,
    Number,
    Scalar,
    Value,
    constant,
    evaluate as value_of_expression,
    names,
)
from archspec.language import arguments
from archspec.language.layers import REPEAT as OF_LAYER
from archspec.language.problems import Collector, Problem, Problems, fail
from archspec.language.stages import REPEAT, Stage
from archspec.language.words import COUNTED
from archspec.places import Path
from archspec.records import Record

Args = Mapping[str, Scalar]
Runs = Mapping[Path, Stage]
MOST_BLOCKS = 1000  # ResNet-1001 has 333


class Place(Record):
    """One block of one stage, and the names in its scope."""

    number: int
    names: Mapping[str, Value]


class Series(NamedTuple):
    """The blocks of the stage or repeated layer at `path`, and the indices in the scope of the
    first.
    """

    path: Path
    repeat: int
    stage: int
    block_index: int
    block_count: int

    @property
    def indices(self) -> dict[str, int]:
        """The index of the stage."""
        return {name: getattr(self, name) for name in COUNTED}

    def place(self, index: int, args: Mapping[str, Value]) -> Place:
        """One block, for a network with these arguments."""
        turn = {"index": index, "block_index": self.block_index + index}
        here = self.indices | {"repeat": self.repeat} | turn
        return Place(index, {**args, **{name: constant(value) for name, value in here.items()}})


def lookup_in(known: Mapping[str, Value], name: Name) -> Value:
    if name.id not in known:
        raise ExpressionError(
            f"`{name.id}` is not defined here", did_you_mean(name.id, known, "available names")
        )
    return known[name.id]


def number_of(expr: Expr, known: Mapping[str, Value]) -> Scalar:
    if isinstance(expr, Number):
        return expr.value
    return value_of_expression(expr, partial(lookup_in, known)).number


def repeats(args: Args, runs: Runs) -> dict[Path, int]:
    """The number of blocks of each stage of blocks; raises `ExpressionError` or `Problems`."""
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
    """How often a layer is repeated; 0 if that is an error, which expansion reports."""
    try:
        count = number_of(repeat or Number(1), {n: constant(value) for n, value in args.items()})
        arguments.check_number(count, OF_LAYER)
    except (ExpressionError, Problems):
        return 0
    return int(count)


def series_of(counts: Mapping[Path, int]) -> Iterator[Series]:
    """All blocks in order; `counts` is the number of blocks at each path."""
    first, total = 0, sum(counts.values())
    for number, (path, count) in enumerate(counts.items(), 1):
        yield Series(path, count, number, first, total)
        first += count


class Width(NamedTuple):
    """The output channels of a stage."""

    path: Path
    channels: Scalar


def shrinking(widths: Iterable[Width], runs: Runs) -> Iterator[Problem]:
    """Channels never shrink: the output of a stage is compared with the output of the stage before.

    Channels may shrink within a stage, and in a stage that sets `shrink`.
    """
    for before, after in pairwise(widths):
        stage = runs[after.path]
        if after.channels >= before.channels or stage.shrink or any(map(_is_shrink, stage.given)):
            continue
        key, previous = attribute_of(after.path), attribute_of(before.path)
        hint = f"set `{key}` to at least {before.channels}, or allow it with `shrink: <reason>`"
        if stage.channels is None:
            hint = f"use `channels: {before.channels}` or more, or allow it with `shrink: <reason>`"
        yield Problem(
            "channels-shrink",
            f"`{key}` has {plural(int(after.channels), 'channel')}, but `{previous}` has "
            f"{before.channels}",
            hint,
            (*after.path, "channels"),
            because=(*before.path, "channels"),
        )


def _is_shrink(key: str) -> bool:
    """Whether a key is `shrink` with a typo, which is reported itself."""
    return is_slip(key, "shrink")


def attribute_of(path: Path) -> str:
    """The attribute of a stage, as a path in the network."""
    return ".".join(str(step) for step in path[1:] if step != "sequence")


def never_shrink(args: Args, runs: Runs, counts: Mapping[Path, int], found: Collector) -> None:
    """Compare the channels that are written; raises `ExpressionError`.

    Channels that depend on the position of a stage in the network are compared after expansion.
    """
    known = {name: constant(value) for name, value in args.items()}
    widths = [_width(series, runs[series.path], known) for series in series_of(counts)]
    for before, after in pairwise(widths):
        if before and after:
            found.keep(shrinking([before, after], runs))


def _width(series: Series, stage: Stage, args: Mapping[str, Value]) -> Width | None:
    """The `channels` that a stage sets for its last block, if known."""
    said = stage.channels
    if isinstance(said, tuple):
        said = said[min(series.repeat, len(said)) - 1]
    if isinstance(said, Number):
        return Width(series.path, said.value)
    if said is None or not names(said).isdisjoint(COUNTED):
        return None
    last = series.place(series.repeat - 1, args)
    return Width(series.path, number_of(said, last.names))
