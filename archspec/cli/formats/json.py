"""Everything as data, for tools: the layers in execution order, with their inputs."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from archspec.analysis import Analysis, Row
from archspec.ir.visitor import Visit, visits
from archspec.language import Spec
from archspec.picture.edges import edges_of


def render(analysis: Analysis, spec: Spec, depth: int | None) -> str:
    """The network and its layers."""
    assert analysis.network is not None
    network = analysis.network
    edges = edges_of(network)
    layers = zip(analysis.rows, visits(network), edges.layers, strict=True)
    rows = [_row(row, visit, spec.stages) | {"reads": reads} for row, visit, reads in layers]
    whole = {
        "name": analysis.name,
        "input": analysis.input,
        "output": analysis.output,
        "params": analysis.params,
        "macs": analysis.macs,
        "depth": analysis.depth,
        "activations": analysis.activations,
        "receptive_field": analysis.receptive_field and analysis.receptive_field.sizes,
        "layers": rows,
        "joins": edges.joins,
        "returns": edges.returns,
    }
    return json.dumps(whole, indent=2, default=float)  # a fraction


def _row(row: Row, visit: Visit, stages: Container[str]) -> dict[str, Any]:
    """A layer as data: `block` is the class that it is in, and `role` is "shortcut" or "gate"."""
    top = row.path.partition(".")[0]
    return {
        "path": row.path,
        "op": row.op,
        "input": visit.site.x.sizes,
        "output": row.output,
        "params": row.params,
        "macs": row.macs,
        "arguments": visit.site.call.arguments,
        "stage": top if top in stages else None,
        "block": {"path": visit.frame.path, "name": visit.block} if visit.frame else None,
        "role": visit.role or None,
    }
