"""Which shipped specs have these names and shapes, other inputs and classes aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from archspec import resources
from archspec.analysis import Analysis, analyze_network
from archspec.expand import expand_network
from archspec.infer.header import Shapes
from archspec.language import Spec, load
from archspec.language.load import shipped
from archspec.memo import Memo
from archspec.ops.convolutions import Conv, Linear

COUNTER = ".num_batches_tracked"
#: What shipped specs and proposals have in common is worked out once a process.
MEMO = Memo()


class Layers(NamedTuple):
    """Paths of the first convolution and the last layer with weights; names and shapes of all."""

    first: str
    last: str
    state: Shapes


@dataclass(frozen=True, slots=True)
class Match:
    """A shipped spec that explains a checkpoint, with so many channels in and features out."""

    spec: Spec
    channels: int | None
    classes: int | None


def matches(shapes: Shapes) -> list[Match]:
    """Every shipped spec that explains `shapes`, the plainest first."""
    found = [match for one in _alike(shapes) if (match := _match(*one, shapes)) is not None]
    return sorted(found, key=lambda match: _plainness(match.spec))


def templates(shapes: Shapes) -> list[tuple[Spec, tuple[str, ...]]]:
    """Shipped specs with these names and kernels but other widths, the plainest first.

    With each come the others that have its names and shapes.
    """
    found: dict[tuple[tuple[int, ...], ...], list[Spec]] = {}
    for spec, _, expected in _alike(shapes):
        if _same_kernels(expected, shapes):
            key = tuple(expected[name] for name in sorted(expected))
            found.setdefault(key, []).append(spec)
    groups = [sorted(group, key=_plainness) for group in found.values()]
    groups.sort(key=lambda group: _plainness(group[0]))
    return [(first, tuple(spec.name for spec in others)) for first, *others in groups]


def _alike(shapes: Shapes) -> Iterator[tuple[Spec, Layers, Shapes]]:
    """The shipped specs with these names, each with its layers and its shapes."""
    counts = _children(shapes)
    for name, (spec, blocks) in known().items():
        if counts.keys() & spec.stages and all(counts.get(k) == n for k, n in blocks.items()):
            layers = _layers(name)
            expected = _without_counters(layers.state, shapes)
            if expected.keys() == shapes.keys():
                yield spec, layers, expected


def _same_kernels(expected: Shapes, shapes: Shapes) -> bool:
    return all(
        len(shape) == len(shapes[key]) and shape[2:] == shapes[key][2:]
        for key, shape in expected.items()
    )


@cache
def known() -> dict[str, tuple[Spec, dict[str, int]]]:
    """Every shipped spec, and the blocks of each stage that is an attribute of its own."""
    specs = {name: load(name, memo=MEMO) for name in shipped()}
    return {name: (spec, _counts(spec)) for name, spec in specs.items()}


def _counts(spec: Spec) -> dict[str, int]:
    return {str(path[-1]): count for path, count in spec.repeats.items() if len(path) == 2}


@cache
def _layers(name: str) -> Layers:
    analysis = _analyzed(known()[name][0])
    ops = [(row.path, row.layer) for row in analysis.rows]
    first = next((path for path, op in ops if isinstance(op, Conv)), "")
    last = next((path for path, op in reversed(ops) if isinstance(op, Conv | Linear)), "")
    return Layers(first, last, analysis.state)


def _analyzed(spec: Spec) -> Analysis:
    memo = MEMO.trimmed()
    return analyze_network(expand_network(spec, memo=memo), memo=memo)


def _plainness(spec: Spec) -> tuple[bool, int, str]:
    return (resources.ZOO / f"{spec.name}.yaml").is_file(), len(spec.name), spec.name


def _children(shapes: Shapes) -> dict[str, int]:
    """How many numbered children each attribute has."""
    numbers: dict[str, set[str]] = {}
    for key in shapes:
        top, _, below = key.partition(".")
        numbers.setdefault(top, set()).add(below.partition(".")[0])
    return {top: len(below) for top, below in numbers.items()}


def _match(spec: Spec, layers: Layers, expected: Shapes, shapes: Shapes) -> Match | None:
    channels = classes = None
    for key, shape in expected.items():
        found, wanted = list(shapes[key]), list(shape)
        if key == f"{layers.first}.weight" and len(found) == len(wanted):
            channels, found[1] = found[1], wanted[1]
        elif key in (f"{layers.last}.weight", f"{layers.last}.bias") and found:
            classes, found[0] = found[0], wanted[0]
        if found != wanted:
            return None
    return Match(spec, channels, classes)


def state_of(spec: Spec, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    """The names and shapes of a spec; without counters of batches if `shapes` has none."""
    return _without_counters(_analyzed(spec).state, shapes)


def _without_counters(all_of_it: Shapes, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    if any(key.endswith(COUNTER) for key in shapes):
        return all_of_it
    return {key: shape for key, shape in all_of_it.items() if not key.endswith(COUNTER)}
