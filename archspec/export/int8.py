"""An ONNX model in 8 bits, by static calibration.

Weights become signed integers with one scale per output channel. The outputs of layers become
unsigned integers, scaled by their minimum and maximum over the calibration images (Jacob et al.,
2018; Krishnamoorthi, 2018, section 3).
"""

from __future__ import annotations

import logging
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

from archspec.export.graph import INPUT

IN_FLOAT = {"MaxPool", "Relu", "Clip"}  # stay in float32 after the first convolution
LINEAR = {"Gemm", "MatMul"}


def quantized(model: Any, images: Iterable[Tensor], *, first: bool) -> Any:
    """The model with QuantizeLinear and DequantizeLinear around the layers that run in 8 bits.

    The first convolution is one of them if `first`. It should not be for onnxruntime, whose 8-bit
    kernel is slower than its float32 kernel for 1 or 3 input channels. Changes `model`.
    """
    quantization: Any = import_module("onnxruntime.quantization")
    onnx: Any = import_module("onnx")
    with tempfile.TemporaryDirectory() as folder, _silent():
        file = str(Path(folder, "model.onnx"))
        global_pools(model)
        if not first:
            pooled_first(model)
        onnx.save(model, file)
        quantization.quant_pre_process(file, file, skip_symbolic_shape=True)
        ready = onnx.load(file)
        quantization.quantize_static(
            ready,
            file,
            _Reader(images),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=[] if first else [*in_float(ready)],
        )
        made = onnx.load(file)
    outputs_in_float(made)
    return made


class _Reader:
    """The calibration images, as onnxruntime asks for them."""

    def __init__(self, images: Iterable[Tensor]) -> None:
        self.batches: Iterator[Tensor] = iter(images)

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self.batches, None)
        return None if batch is None else {INPUT: batch.numpy()}


@contextmanager
def _silent() -> Iterator[None]:
    """Hide onnxruntime's warnings about steps that were done before."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def global_pools(model: Any) -> None:
    """Replace means over an image by GlobalAveragePool, which onnxruntime runs in 8 bits."""
    numbers: Any = import_module("onnx.numpy_helper")
    known = {one.name: one for one in model.graph.initializer}
    ranks = {one.name: len(one.type.tensor_type.shape.dim) for one in model.graph.value_info}
    for node in model.graph.node:
        if node.op_type == "ReduceMean" and ranks.get(node.input[0]) == 4:
            keeps = next((one.i for one in node.attribute if one.name == "keepdims"), 1)
            axes = known.get(node.input[1]) if len(node.input) > 1 else None
            if keeps and axes and sorted(numbers.to_array(axes) % 4) == [2, 3]:
                node.op_type = "GlobalAveragePool"
                del node.input[1:], node.attribute[:]
    _remove_unused(model)


def pooled_first(model: Any) -> None:
    """Swap each ReLU with the max pooling after it, which changes no output.

    Otherwise onnxruntime runs the pooling of a float32 stem in 8 bits, which is slow.
    """
    uses = _uses(model)
    for relu in model.graph.node:
        after = uses[relu.output[0]]
        if relu.op_type == "Relu" and [node.op_type for node in after] == ["MaxPool"]:
            _exchange(relu, after[0])
    del model.graph.value_info[:]  # the shapes of the tensors, some of which have changed


def _exchange(one: Any, other: Any) -> None:
    """Swap two nodes; each keeps the inputs and outputs of the other's place."""
    for field in ("op_type", "name"):
        first, second = getattr(one, field), getattr(other, field)
        setattr(one, field, second)
        setattr(other, field, first)
    attributes = [*one.attribute], [*other.attribute]
    for node, new in zip((one, other), reversed(attributes), strict=True):
        del node.attribute[:]
        node.attribute.extend(new)


def in_float(model: Any) -> Iterator[str]:
    """Names of the first convolution, and of the activation and the pooling after it."""
    uses = _uses(model)
    after = [node for node in model.graph.node if node.op_type == "Conv"][:1]
    while len(after) == 1:
        yield after[0].name
        after = uses[after[0].output[0]]
        if after and after[0].op_type not in IN_FLOAT:
            return


def outputs_in_float(model: Any) -> None:
    """Remove the rounding of the network's outputs to 8 bits, if a linear layer computes them.

    onnxruntime's 8-bit kernels of linear layers can output float32, those of convolutions cannot.
    """
    nodes, uses = model.graph.node, _uses(model)
    made = {name: node for node in nodes for name in node.output}
    outputs = {one.name for one in model.graph.output} - uses.keys()
    for back in [made[name] for name in outputs & made.keys()]:
        if back.op_type == "DequantizeLinear":
            rounded = made[back.input[0]]
            layer = made[rounded.input[0]]
            if layer.op_type in LINEAR:
                layer.output[0] = back.output[0]
                nodes.remove(rounded)
                nodes.remove(back)
    _remove_unused(model)


def _remove_unused(model: Any) -> None:
    """Remove the weights that no node reads."""
    uses = _uses(model)
    for one in [one for one in model.graph.initializer if one.name not in uses]:
        model.graph.initializer.remove(one)


def _uses(model: Any) -> dict[str, list[Any]]:
    """The nodes that read each tensor."""
    uses = defaultdict[str, list[Any]](list)
    for node in model.graph.node:
        for name in node.input:
            uses[name].append(node)
    return uses
