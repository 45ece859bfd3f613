"""Specs with these names and shapes, except for other inputs and numbers of classes."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from archspec import resources
from archspec.analysis import Analysis, analyze_network
from archspec.expand import expand_network
from archspec.files import is_there
from archspec.infer.header import Shapes
from archspec.language import Spec, load
from archspec.language.load import shipped
from archspec.memo import Memo
from archspec.ops.convolutions import Conv, Linear
from archspec.paths import display_path
from archspec.records import Record
from archspec.source.document import Document

COUNTER = ".num_batches_tracked"
STATISTICS = (COUNTER, ".running_mean", ".running_var")
# : Results that specs and proposals share are computed once per process.
MEMO = Memo()


class Layers(NamedTuple):
    """Paths of the first convolution and the last layer with weights; names and shapes of all.

    `own` are the paths of the user's own modules whose number of parameters is known.
    """

    first: str
    last: str
    state: Shapes
    own: Mapping[str, int] = {}


class Candidate(Record, eq=False):
    """A spec that may match a checkpoint, by its name in `extends`.

    `folder` is its directory, None if it is built in. The name of a file may differ from its
    spec's.
    """

    base: str
    spec: Spec
    folder: Path | None = None

    @cached_property
    def counts(self) -> dict[str, int]:
        """The blocks of each stage of a built-in spec, so that few of these specs are expanded."""
        if self.folder is not None:  # a stage of inline blocks has other children
            return {}
        return {str(path[-1]): n for path, n in self.spec.repeats.items() if len(path) == 2}

    def is_like(self, counts: Mapping[str, int]) -> bool:
        """Whether there are weights of its stages, with the right number of blocks in each."""
        if self.folder is None and not counts.keys() & self.spec.stages:
            return False
        return all(counts.get(stage) == count for stage, count in self.counts.items())

    @cached_property
    def layers(self) -> Layers:
        """The names and shapes of its tensors; raises `SpecError`."""
        analysis = _analyzed(self.spec)
        ops = [(row.path, row.layer) for row in analysis.rows]
        first = next((path for path, op in ops if isinstance(op, Conv)), "")
        last = next((path for path, op in reversed(ops) if isinstance(op, Conv | Linear)), "")
        return Layers(first, last, analysis.state, _own(analysis))

    @property
    def shown(self) -> str:
        """The name of a built-in spec, or the user's file."""
        return display_path(self.folder / f"{self.base}.yaml") if self.folder else self.base

    @property
    def plainness(self) -> tuple[bool, int, int, str]:
        """The sort key of specs that fit equally well: the user's own first, then by short names.

        Specs in the zoo come after the others, and so do the user's specs that extend another.
        """
        zoo = self.folder is None and (resources.ZOO / f"{self.base}.yaml").is_file()
        late = _bases(self.spec.document) if self.folder else int(zoo)
        return self.folder is None, late, len(self.base), self.base

    def is_found_from(self, output: Path) -> bool:
        """Whether a spec in the file `output` extends this spec by its name."""
        beside = output.parent / f"{self.base}.yaml"
        if self.folder is None:
            return os.path.abspath(beside) == os.path.abspath(output) or not is_there(beside)
        return os.path.realpath(self.folder) == os.path.realpath(output.parent)


class Match(NamedTuple):
    """A spec that matches a checkpoint, except for the numbers of input channels and outputs."""

    candidate: Candidate
    channels: int | None
    classes: int | None


def matches(shapes: Shapes, candidates: Iterable[Candidate]) -> list[Match]:
    """Every spec that matches `shapes`, the one that requires the fewest changes first."""
    alike = _alike(shapes, candidates)
    found = [match for one in alike if (match := _match(*one, shapes)) is not None]
    return sorted(found, key=_order)


def _order(match: Match) -> tuple[int, tuple[bool, int, int, str]]:
    changes = (match.channels is not None) + (match.classes is not None)
    return changes, match.candidate.plainness


def templates(
    shapes: Shapes, candidates: Iterable[Candidate]
) -> list[tuple[Candidate, tuple[str, ...]]]:
    """Specs with these names and kernels but different widths, the simplest first.

    Each comes with the other specs that have its names and shapes.
    """
    found: dict[tuple[tuple[int, ...], ...], list[Candidate]] = {}
    for candidate, expected in _alike(shapes, candidates):
        if _same_kernels(expected, shapes):
            key = tuple(expected[name] for name in sorted(expected))
            found.setdefault(key, []).append(candidate)
    groups = [sorted(group, key=lambda one: one.plainness) for group in found.values()]
    groups.sort(key=lambda group: group[0].plainness)
    return [(first, tuple(one.shown for one in others)) for first, *others in groups]


def _alike(shapes: Shapes, candidates: Iterable[Candidate]) -> Iterator[tuple[Candidate, Shapes]]:
    """The specs with these names, each with its shapes."""
    counts = _children(shapes)
    for candidate in candidates:
        if candidate.is_like(counts):
            theirs = outside(shapes, candidate.layers.own)
            expected = _without_counters(candidate.layers.state, theirs)
            if expected.keys() == theirs.keys():
                yield candidate, expected


def _same_kernels(expected: Shapes, shapes: Shapes) -> bool:
    return all(
        len(shape) == len(shapes[key]) and shape[2:] == shapes[key][2:]
        for key, shape in expected.items()
    )


@cache
def shipped_specs() -> dict[str, Candidate]:
    """Every built-in spec by its name."""
    return {name: Candidate(name, load(name, memo=MEMO)) for name in shipped()}


def _bases(document: Document) -> int:
    """How many base specs this one has."""
    return 1 + _bases(document.older) if document.older else 0


def _analyzed(spec: Spec) -> Analysis:
    memo = MEMO.trimmed()
    return analyze_network(expand_network(spec, memo=memo), memo=memo)


def _children(shapes: Shapes) -> dict[str, int]:
    """The number of numbered children of each attribute."""
    numbers: dict[str, set[str]] = {}
    for key in shapes:
        top, _, below = key.partition(".")
        numbers.setdefault(top, set()).add(below.partition(".")[0])
    return {top: len(below) for top, below in numbers.items()}


def _match(candidate: Candidate, expected: Shapes, shapes: Shapes) -> Match | None:
    first, last, *_ = candidate.layers
    channels = classes = None
    for key, shape in expected.items():
        found, wanted = list(shapes[key]), list(shape)
        if key == f"{first}.weight" and len(found) == len(wanted) and found[1] != wanted[1]:
            channels, found[1] = found[1], wanted[1]
        elif key in (f"{last}.weight", f"{last}.bias") and found and found[0] != wanted[0]:
            classes, found[0] = found[0], wanted[0]
        if found != wanted:
            return None
    return Match(candidate, channels, classes)


def state_of(spec: Spec, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Shapes, Shapes]:
    """The names and shapes of a spec, and those of a checkpoint to compare them with.

    Counters of batches are left out if `shapes` has none, and so are tensors in the user's own
    modules.
    """
    analysis = _analyzed(spec)
    theirs = outside(shapes, _own(analysis))
    return _without_counters(analysis.state, theirs), theirs


def _own(analysis: Analysis) -> dict[str, int]:
    ops: list[tuple[str, Any]] = [(row.path, row.layer) for row in analysis.rows]
    return {path: op.learns for path, op in ops if op.imported}


def outside(shapes: Mapping[str, tuple[int, ...]], own: Mapping[str, int]) -> Shapes:
    """The names and shapes outside the user's own modules, whose tensors specs do not describe.

    Own modules with a different number of parameters stay, because they are different modules.
    """
    inside: dict[str, list[str]] = {path: [] for path in own}
    longest = max(map(len, own), default=0)
    for key in shapes if own else ():
        for path in filter(inside.__contains__, _above(key, longest)):
            inside[path].append(key)
    known = {key for path, keys in inside.items() for key in keys if _is(own[path], keys, shapes)}
    missing = {path: () for path, count in own.items() if count and not inside[path]}
    return {**{key: shape for key, shape in shapes.items() if key not in known}, **missing}


def _above(key: str, longest: int) -> Iterator[str]:
    """The paths of the modules that a tensor is in, up to this length."""
    end = key.find(".")
    while 0 <= end <= longest:
        yield key[:end]
        end = key.find(".", end + 1)


def _is(params: int, keys: list[str], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether tensors can belong to a module with this many parameters."""
    sizes = {key: math.prod(shapes[key]) for key in keys}
    learned = sum(size for key, size in sizes.items() if not key.endswith(STATISTICS))
    return not params or params in (learned, sum(sizes.values()))


def _without_counters(all_of_it: Shapes, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    if any(key.endswith(COUNTER) for key in shapes):
        return all_of_it
    return {key: shape for key, shape in all_of_it.items() if not key.endswith(COUNTER)}
