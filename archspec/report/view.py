"""Everything the template prints, as text and numbers, so that the template has no logic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from archspec.analysis import Analysis, analyze_network
from archspec.classes import classes_of
from archspec.codegen import generate
from archspec.expand import expand_network
from archspec.ir.classes import Network
from archspec.language import Spec
from archspec.memo import Memo
from archspec.picture import svg
from archspec.report.findings import Finding, file_name, findings_of
from archspec.report.layers import FLOAT, Layer, layers_of
from archspec.report.numbers import brief, exact, field_of, mebibytes, sizes
from archspec.report.panes import Panes, panes
from archspec.report.plots import Point, along_the_depth, scatter

ARROW = "\u00a0\u2192 "


class Subject(NamedTuple):
    """A loaded spec, and its name on the page."""

    name: str
    spec: Spec


class Fact(NamedTuple):
    """A figure at the top: its name, its text, and an addition in small print."""

    name: str
    text: str
    more: str = ""


class Column(NamedTuple):
    """A sortable column of a table."""

    name: str
    numeric: bool = True
    sorted: bool = False


class Cell(NamedTuple):
    """A text, and a number to sort by."""

    text: str
    value: float


class Compared(NamedTuple):
    """One row of the comparison."""

    key: str
    name: str
    cells: list[Cell]


NAMES = ("Kernel", "Stride", "Groups", "Input", "Output", "Parameters", "MACs")
OF_LAYERS = [
    Column("#", sorted=True),
    Column("Layer", False),
    Column("Operation", False),
    *map(Column, NAMES),
]
COMPARED = (
    "Parameters",
    "MACs",
    "Weighted layers",
    "Activations",
    "Memory to train",
    "Memory for inference",
    "Receptive field",
    "Input",
    "Output",
)


@dataclass
class NetworkView:
    """One network. `key` starts all ids of its part of the page."""

    key: str
    name: str
    doc: str
    file: str
    facts: list[Fact]
    picture: Markup
    columns: list[Column]
    layers: list[Layer]
    folded: int
    total: Layer
    plots: list[Markup]
    panes: Panes
    findings: list[tuple[Finding, str]]
    verdict: str


@dataclass
class View:
    """The page: one network, or several with their comparison."""

    title: str
    networks: list[NetworkView]
    columns: list[Column]
    compared: list[Compared]
    scatter: Markup


def view(subjects: Sequence[Subject], memo: Memo | None) -> View:
    """The content of the page; raises `SpecError` for a spec that cannot be expanded."""
    pairs = [_network(subject, f"n{n}", memo) for n, subject in enumerate(subjects, 1)]
    made, analyses = [one for one, _ in pairs], [one for _, one in pairs]
    if len(made) == 1:
        return View(made[0].name, made, [], [], Markup())
    names = [subject.name for subject in subjects]
    points = [Point(n, a.params, a.macs) for n, a in zip(names, analyses, strict=True)]
    rows = [_compared(one, analysis) for one, analysis in pairs]
    columns = [Column("Network", False), *map(Column, COMPARED)]
    return View(" and ".join(_few(names)), made, columns, rows, Markup(scatter(points)))


def _few(names: Sequence[str]) -> list[str]:
    return [*names] if len(names) < 3 else [names[0], f"{len(names) - 1} others"]


def _network(subject: Subject, key: str, memo: Memo | None) -> tuple[NetworkView, Analysis]:
    spec = subject.spec
    tree = expand_network(spec, memo=memo)
    analysis = analyze_network(tree, memo=memo)
    network: Network = classes_of(tree, spec)
    found = findings_of(spec, memo)
    layers = layers_of(analysis)
    sides = panes(spec, network, generate(network), found, key)
    made = NetworkView(
        key,
        subject.name,
        spec.doc,
        file_name(spec.document.file),
        _facts(analysis),
        Markup(svg(analysis, key)),
        OF_LAYERS,
        layers,
        sum(layer.again for layer in layers),
        _total(analysis, layers),
        [Markup(plot) for plot in along_the_depth(layers, key)],
        sides,
        list(zip(found, sides.of_findings, strict=True)),
        _verdict(found),
    )
    return made, analysis


def _facts(analysis: Analysis) -> list[Fact]:
    field, memory = analysis.receptive_field, analysis.memory(1)
    return [
        Fact("Parameters", exact(analysis.params)),
        Fact("MACs", brief(analysis.macs), exact(analysis.macs) if analysis.macs > 999 else ""),
        Fact("Weighted layers", str(analysis.depth)),
        Fact("Input" + ARROW + "output", f"{sizes(analysis.input)}{ARROW}{sizes(analysis.output)}"),
        *([Fact("Receptive field", field_of(field))] if field else ()),
        Fact("Memory to train", mebibytes(memory.training), "one sample"),
        Fact("Memory for inference", mebibytes(memory.inference), "one sample"),
    ]


def _total(analysis: Analysis, layers: Sequence[Layer]) -> Layer:
    return layers[-1]._replace(
        input=analysis.input, output=analysis.output, params=analysis.params, macs=analysis.macs
    )


def _verdict(found: Sequence[Finding]) -> str:
    if not found:
        return "No findings."
    counts = {word: sum(one.severity == word for one in found) for word in ("error", "warning")}
    texts = [f"{n} {word}{'s' * (n > 1)}" for word, n in counts.items() if n]
    return f"{' and '.join(texts)}."


def _compared(view: NetworkView, analysis: Analysis) -> Compared:
    """One row of the comparison; memory is for one sample in float32."""
    memory, field, held = analysis.memory(1), analysis.receptive_field, FLOAT * analysis.activations
    cells = [
        Cell(exact(analysis.params), analysis.params),
        Cell(exact(analysis.macs), analysis.macs),
        Cell(str(analysis.depth), analysis.depth),
        Cell(mebibytes(held), held),
        Cell(mebibytes(memory.training), memory.training),
        Cell(mebibytes(memory.inference), memory.inference),
        Cell(
            field_of(field),
            max((size or math.inf for size in field.sizes), default=0) if field else 0,
        ),
        Cell(sizes(analysis.input), math.prod(analysis.input)),
        Cell(sizes(analysis.output), math.prod(analysis.output)),
    ]
    return Compared(view.key, view.name, cells)
