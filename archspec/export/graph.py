"""The folded network as an ONNX model, with the names of the spec."""

from __future__ import annotations

import ast
import contextlib
import io
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from archspec.export.taken import Taken

INPUT = "input"
OUTPUT = "output"  # if the spec does not name its outputs
SCOPES = "pkg.torch.onnx.name_scopes"


def graph(module: nn.Module, taken: Taken, outputs: Sequence[str]) -> Any:
    """An ONNX model (`onnx.ModelProto`) for batches of any size.

    Weights keep their names in `module`, and each node is named after its layer.
    """
    x = taken.random(2)
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        made: Any = torch.onnx.export(
            module,
            (x,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            input_names=[INPUT],
            output_names=list(outputs) or [OUTPUT],
            verbose=False,
        )
    return _named(made.model_proto)


def _named(model: Any) -> Any:
    """The model without torch's notes on files and lines; nodes are named after layers."""
    times: Counter[str] = Counter()
    for node in model.graph.node:
        name = f"{_layer(node)}/{node.op_type}".lstrip("/")
        times[name] += 1
        node.name = name if times[name] == 1 else f"{name}_{times[name]}"
    everything = (model.graph.node, model.graph.value_info, model.graph.input, model.graph.output)
    for one in [model, model.graph, *(one for kind in everything for one in kind)]:
        del one.metadata_props[:]
    return model


def _layer(node: Any) -> str:
    """The layer that a node belongs to, or "" if there is none."""
    scopes = next((p.value for p in node.metadata_props if p.key == SCOPES), "[]")
    found = ast.literal_eval(scopes)
    return str(found[-2]) if len(found) > 1 else ""
