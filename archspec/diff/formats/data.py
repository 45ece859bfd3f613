"""JSON, for tools."""

from __future__ import annotations

from typing import Any

from archspec.analysis import Analysis
from archspec.diagnostics import visible_json
from archspec.diff.changes import Change
from archspec.diff.comparison import Comparison


def render(comparison: Comparison, every: bool = True) -> str:
    """Everything: each change separately, and the lines that fold them."""
    facts, weights = comparison.facts, comparison.checkpoint
    whole = {
        "before": _network(comparison.names[0], facts.before),
        "after": _network(comparison.names[1], facts.after),
        "equal": facts.equal,
        "verdict": comparison.verdict,
        "lines": [
            {"mark": line.mark, "where": [*line.where], "text": line.text.replace("`", "")}
            for line in comparison.lines
        ],
        "changes": [_change(change) for change in facts.changes],
        "renamed": {a.path: b.path for a, b in facts.pairs if a.path != b.path},
        "checkpoint": {
            "keys": len(weights.old),
            "fit": len(weights.fit),
            "share": weights.share,
            "lost": weights.lost,
            "fresh": weights.fresh,
            "other_layer": weights.other_layer,
            "fit_once_renamed": len(weights.fit_renamed),
            "summary": comparison.survival,
        },
        "notes": [note.replace("`", "") for note in comparison.notes],
        "text": [text._asdict() for text in comparison.texts],
    }
    return visible_json(whole, indent=2)


def _network(name: str, analysis: Analysis) -> dict[str, Any]:
    field = analysis.receptive_field
    return {
        "name": name,
        "input": analysis.input,
        "output": analysis.output,
        "params": analysis.params,
        "macs": analysis.macs,
        "activations": analysis.activations,
        "receptive_field": field and field.sizes,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "before": change.before and change.before.path,
        "after": change.after and change.after.path,
        "arguments": {name: [*map(_data, pair)] for name, pair in change.arguments.items()},
    }


def _data(value: Any) -> Any:
    """An argument as a JSON value."""
    return float(value) if hasattr(value, "numerator") and value != int(value) else value
