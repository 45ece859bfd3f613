"""Everything the template prints, as text and numbers, so that the template has no logic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from archspec.analysis import Analysis, analyze_network
from archspec.classes import classes_of
from archspec.codegen import generate
from archspec.diagnostics import plural
from archspec.expand import expand_network
from archspec.ir.classes import Network
from archspec.language import Spec
from archspec.memo import Memo
from archspec.picture import svg
from archspec.report.findings import Finding, file_name, findings_of
from archspec.report.layers import FLOAT, Layer, layers_of
from archspec.report.numbers import brief, exact, field_of, mebibytes, sizes
from archspec.report.panes import panes
from archspec.report.plots import along_the_depth, scatter

ARROW = "\u00a0\u2192 "


class Subject(NamedTuple):
    """A loaded spec, and its name on the page."""

    name: str
    spec: Spec


class Column(NamedTuple):
    """A sortable column of a table."""

    name: str
    numeric: bool = True
    sorted: bool = False


NAMES = ("Kernel", "Stride", "Groups", "Input", "Output", "Parameters", "MACs")
OF_LAYERS = [Column("#", sorted=True), Column("Layer", False), Column("Operation", False)]
OF_LAYERS += map(Column, NAMES)


def view(subjects: Sequence[Subject], memo: Memo | None) -> dict[str, Any]:
    """The content of the page; raises `SpecError` for a spec that cannot be expanded."""
    pairs = [_network(subject, f"n{n}", memo) for n, subject in enumerate(subjects, 1)]
    compared = [(one["key"], one["name"], _compared(analysis)) for one, analysis in pairs]
    *_, figures = compared[0]
    return {
        "title": " and ".join(_few([subject.name for subject in subjects])),
        "networks": [one for one, _ in pairs],
        "columns": [Column("Network", False), *map(Column, figures)],
        "compared": compared,
        "scatter": Markup(scatter([(one["name"], analysis) for one, analysis in pairs])),
    }


def _few(names: Sequence[str]) -> list[str]:
    return [*names] if len(names) < 3 else [names[0], f"{len(names) - 1} others"]


def _network(subject: Subject, key: str, memo: Memo | None) -> tuple[dict[str, Any], Analysis]:
    """One network, whose part of the page has ids that start with `key`."""
    spec = subject.spec
    tree = expand_network(spec, memo=memo)
    analysis = analyze_network(tree, memo=memo)
    network: Network = classes_of(tree, spec)
    found = findings_of(spec, memo)
    layers = layers_of(analysis)
    files, source, places = panes(spec, network, generate(network), found, key)
    made = {
        "key": key,
        "name": subject.name,
        "doc": spec.doc,
        "file": file_name(spec.document.file),
        "facts": list(_facts(analysis)),
        "picture": Markup(svg(analysis, key)),
        "columns": OF_LAYERS,
        "layers": layers,
        "counted": plural(len(layers), "layer"),
        "folded": sum(layer.again for layer in layers),
        "total": _total(analysis, layers),
        "plots": [Markup(plot) for plot in along_the_depth(layers, key)],
        "files": files,
        "source": source,
        "findings": list(zip(found, places, strict=True)),
        "verdict": _verdict(found),
    }
    return made, analysis


def _facts(analysis: Analysis) -> Iterator[tuple[str, str, str]]:
    """The figures at the top: name, text, and an addition in small print."""
    field, memory = analysis.receptive_field, analysis.memory(1)
    yield "Parameters", exact(analysis.params), ""
    yield "MACs", brief(analysis.macs), exact(analysis.macs) if analysis.macs > 999 else ""
    yield "Weighted layers", str(analysis.depth), ""
    yield f"Input{ARROW}output", f"{sizes(analysis.input)}{ARROW}{sizes(analysis.output)}", ""
    if field:
        yield "Receptive field", field_of(field), ""
    yield "Memory to train", mebibytes(memory.training), "one sample"
    yield "Memory for inference", mebibytes(memory.inference), "one sample"


def _total(analysis: Analysis, layers: Sequence[Layer]) -> Layer:
    return layers[-1]._replace(
        input=analysis.input, output=analysis.output, params=analysis.params, macs=analysis.macs
    )


def _verdict(found: Sequence[Finding]) -> str:
    if not found:
        return "No findings."
    counts = {word: sum(one.severity == word for one in found) for word in ("error", "warning")}
    texts = [plural(n, word) for word, n in counts.items() if n]
    return f"{' and '.join(texts)}."


def _compared(analysis: Analysis) -> dict[str, tuple[str, float]]:
    """Column -> text, and a number to sort by; memory is for one sample in float32."""
    memory, field, held = analysis.memory(1), analysis.receptive_field, FLOAT * analysis.activations
    reach = max((size or math.inf for size in field.sizes), default=0) if field else 0
    return {
        "Parameters": (exact(analysis.params), analysis.params),
        "MACs": (exact(analysis.macs), analysis.macs),
        "Weighted layers": (str(analysis.depth), analysis.depth),
        "Activations": (mebibytes(held), held),
        "Memory to train": (mebibytes(memory.training), memory.training),
        "Memory for inference": (mebibytes(memory.inference), memory.inference),
        "Receptive field": (field_of(field), reach),
        "Input": (sizes(analysis.input), math.prod(analysis.input)),
        "Output": (sizes(analysis.output), math.prod(analysis.output)),
    }
