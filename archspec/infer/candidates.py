"""Which specs have these names and shapes, other inputs and classes aside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

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
from archspec.source.document import Document

COUNTER = ".num_batches_tracked"
#: What specs and proposals have in common is worked out once a process.
MEMO = Memo()


class Layers(NamedTuple):
    """Paths of the first convolution and the last layer with weights; names and shapes of all."""

    first: str
    last: str
    state: Shapes


@dataclass(frozen=True, eq=False)
class Candidate:
    """A spec that may explain a checkpoint, by what `extends` calls it.

    `folder` is where it lies, None if it is shipped. A file may be called otherwise than its spec.
    """

    base: str
    spec: Spec
    folder: Path | None = None

    @cached_property
    def counts(self) -> dict[str, int]:
        """The blocks of each stage of a shipped spec, so that few of those are expanded."""
        if self.folder is not None:  # a stage of inline blocks has other children
            return {}
        return {str(path[-1]): n for path, n in self.spec.repeats.items() if len(path) == 2}

    def is_like(self, counts: Mapping[str, int]) -> bool:
        """Whether there are weights of its stages, and so many blocks in each."""
        if self.folder is None and not counts.keys() & self.spec.stages:
            return False
        return all(counts.get(stage) == count for stage, count in self.counts.items())

    @cached_property
    def layers(self) -> Layers:
        """What it keeps; raises `SpecError`."""
        analysis = _analyzed(self.spec)
        ops = [(row.path, row.layer) for row in analysis.rows]
        first = next((path for path, op in ops if isinstance(op, Conv)), "")
        last = next((path for path, op in reversed(ops) if isinstance(op, Conv | Linear)), "")
        return Layers(first, last, analysis.state)

    @property
    def shown(self) -> str:
        """The name of a shipped spec, or the user's file."""
        return display_path(self.folder / f"{self.base}.yaml") if self.folder else self.base

    @property
    def plainness(self) -> tuple[bool, int, int, str]:
        """The least of several specs is taken: the user's own, then the one of the shortest name.

        After the others comes what is in the zoo, and of the user's what extends another.
        """
        zoo = self.folder is None and (resources.ZOO / f"{self.base}.yaml").is_file()
        late = _bases(self.spec.document) if self.folder else int(zoo)
        return self.folder is None, late, len(self.base), self.base

    def is_found_from(self, output: Path) -> bool:
        """Whether it is this spec that a spec in the file `output` extends by the name."""
        beside = output.parent / f"{self.base}.yaml"
        if self.folder is None:
            return os.path.abspath(beside) == os.path.abspath(output) or not is_there(beside)
        return os.path.realpath(self.folder) == os.path.realpath(output.parent)


@dataclass(frozen=True, slots=True)
class Match:
    """A spec that explains a checkpoint, but for so many channels in and features out."""

    candidate: Candidate
    channels: int | None
    classes: int | None

    @property
    def order(self) -> tuple[int, tuple[bool, int, int, str]]:
        """The least of several is taken: that which needs the fewest changes."""
        changes = (self.channels is not None) + (self.classes is not None)
        return changes, self.candidate.plainness


def matches(shapes: Shapes, candidates: Iterable[Candidate]) -> list[Match]:
    """Every spec that explains `shapes`, that which needs the fewest changes first."""
    alike = _alike(shapes, candidates)
    found = [match for one in alike if (match := _match(*one, shapes)) is not None]
    return sorted(found, key=lambda match: match.order)


def templates(
    shapes: Shapes, candidates: Iterable[Candidate]
) -> list[tuple[Candidate, tuple[str, ...]]]:
    """Specs with these names and kernels but other widths, the plainest first.

    With each come the others that have its names and shapes.
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
            expected = _without_counters(candidate.layers.state, shapes)
            if expected.keys() == shapes.keys():
                yield candidate, expected


def _same_kernels(expected: Shapes, shapes: Shapes) -> bool:
    return all(
        len(shape) == len(shapes[key]) and shape[2:] == shapes[key][2:]
        for key, shape in expected.items()
    )


@cache
def shipped_specs() -> dict[str, Candidate]:
    """Every shipped spec by its name."""
    return {name: Candidate(name, load(name, memo=MEMO)) for name in shipped()}


def _bases(document: Document) -> int:
    """How many specs this one was laid over."""
    return 1 + _bases(document.older) if document.older else 0


def _analyzed(spec: Spec) -> Analysis:
    memo = MEMO.trimmed()
    return analyze_network(expand_network(spec, memo=memo), memo=memo)


def _children(shapes: Shapes) -> dict[str, int]:
    """How many numbered children each attribute has."""
    numbers: dict[str, set[str]] = {}
    for key in shapes:
        top, _, below = key.partition(".")
        numbers.setdefault(top, set()).add(below.partition(".")[0])
    return {top: len(below) for top, below in numbers.items()}


def _match(candidate: Candidate, expected: Shapes, shapes: Shapes) -> Match | None:
    first, last, _ = candidate.layers
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


def state_of(spec: Spec, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    """The names and shapes of a spec; without counters of batches if `shapes` has none."""
    return _without_counters(_analyzed(spec).state, shapes)


def _without_counters(all_of_it: Shapes, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    if any(key.endswith(COUNTER) for key in shapes):
        return all_of_it
    return {key: shape for key, shape in all_of_it.items() if not key.endswith(COUNTER)}
