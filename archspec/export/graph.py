"""The folded network as a program of torch, compiled or not, and as an ONNX model."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from archspec.export.taken import Taken

INPUT = "input"
OUTPUT = "output"  # if the spec does not name its outputs
SHAPES = ({0: torch.export.Dim("batch")},)
SCOPES = "pkg.torch.onnx.name_scopes"
INDUCTOR = {"cpp.dynamic_threads": True}


def program(module: nn.Module, taken: Taken) -> torch.export.ExportedProgram:
    """The operations of a module, for batches of any size."""
    with _quiet():
        return torch.export.export(module, (taken.random(2),), dynamic_shapes=SHAPES)


def saved(program: torch.export.ExportedProgram) -> bytes:
    """A program as a file that `torch.export.load` reads."""
    file = BytesIO()
    with _quiet():
        torch.export.save(program, file)
    return file.getvalue()


def compiled(program: torch.export.ExportedProgram) -> bytes:
    """A program as machine code, for `torch._inductor.aoti_load_package` (AOTInductor).

    It runs on as many threads as torch does when it is called. Raises `RuntimeError` if there is no
    C++ compiler.
    """
    library: Any = import_module("torch._inductor")
    file = BytesIO()
    with _quiet():
        library.aoti_compile_and_package(program, package_path=file, inductor_configs={**INDUCTOR})
    return file.getvalue()


def openvino(onnx: bytes) -> dict[str, bytes]:
    """An ONNX model as the two files of OpenVINO, by their suffixes."""
    library: Any = import_module("openvino")
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.xml")
        library.save_model(library.Core().read_model(onnx), str(file), compress_to_fp16=False)
        return {one: file.with_suffix(one).read_bytes() for one in (".xml", ".bin")}


def graph(program: torch.export.ExportedProgram, outputs: Sequence[str]) -> Any:
    """A program as an ONNX model (`onnx.ModelProto`).

    Weights keep their names, and each node is named after its layer.
    """
    names = list(outputs) or [OUTPUT]
    with _quiet():
        made: Any = torch.onnx.export(
            program, input_names=[INPUT], output_names=names, dynamic_shapes=SHAPES, dynamo=True
        )
    return _named(made.model_proto)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide torch's progress bar and its own warnings."""
    with warnings.catch_warnings(), redirect_stderr(StringIO()), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def _named(model: Any) -> Any:
    """Remove torch's file names and lines from the model, and name nodes after layers."""
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
