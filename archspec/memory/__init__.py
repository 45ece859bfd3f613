"""The memory of a training step and of inference, calculated without torch and before a run.

A body is evaluated as in torch, on tensors with a size but without values. A tensor is live as long
as something refers to it, as in torch. Layers add what autograd keeps of them, and the backward
pass frees it again. Only tensors are counted, not the rounding of an allocator, the workspaces of
kernels, or the CUDA context (some hundred MB).

tensors   tensors, and the layers that need no site: sums, products, parts
forward   a forward pass; that of a block is a value, which equal uses share
backward  a backward pass over its nodes
"""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple

from archspec.ir.tree import BlockCall, Child, Container, ExpandedNetwork, OpCall
from archspec.memo import Memo, remember
from archspec.memory.backward import Backward
from archspec.memory.forward import ALL, Forward, inside
from archspec.memory.tensors import WIDTH, Setting, Storage

Precision = Literal["fp32", "bf16", "fp16"]
# : The values that an optimizer holds per weight.
STATES = {"sgd": 1, "adamw": 2, "lamb": 2}
# : The number of temporary tensors with the size of a weight in its step.
MADE = {"sgd": 0, "adamw": 2, "lamb": 2}


class Memory(NamedTuple):
    """Bytes. `training` and `inference` are peaks, including everything that is live at that time.

    `kept` is what the forward pass keeps for the backward pass. `weights` are the weights and
    buffers of the network, and `states` the optimizer's. Gradients have the size of the weights.
    """

    weights: int
    states: int
    kept: int
    training: int
    inference: int


class Step(NamedTuple):
    """The bytes of a training step alone, as in `Memory`."""

    weights: int
    states: int
    kept: int
    training: int


def memory_of(
    network: ExpandedNetwork,
    batch: int,
    precision: Precision = "fp32",
    optimizer: str = "sgd",
    ema: bool = False,
    frozen: Collection[str] = (),
    *,
    memo: Memo | None,
) -> Memory:
    """Calculate the memory for `batch` samples on one device, in bytes.

    With `bf16` or `fp16`, autocast runs layers that multiply by weights, but the weights stay in
    float32. `ema` includes a copy of the weights. The layers at the paths in `frozen` have no
    gradients and no state in the optimizer.
    """
    step = step_of(network, batch, precision, optimizer, ema, frozen, memo=memo)
    setting = Setting(batch, precision != "fp32", training=False)
    evaluation = Forward(setting, memo, frozen=tuple(frozen))
    evaluation.run(network.evaluated, network.input)
    return Memory(*step, inference=step.weights + evaluation.meter.peak)


def step_of(
    network: ExpandedNetwork,
    batch: int,
    precision: Precision,
    optimizer: str,
    ema: bool,
    frozen: Collection[str],
    *,
    memo: Memo | None,
) -> Step:
    """The same for a training step alone."""
    weights, buffers, trained = _saved(network.root.attributes, tuple(frozen), memo)
    states = STATES[optimizer] * trained
    base = weights + buffers + states + ema * (weights + buffers)
    low = precision != "fp32"
    forward = Forward(Setting(batch, low), memo, frozen=tuple(frozen))
    forward.run(network.root.body, network.input)
    meter, nodes = forward.meter, forward.nodes
    kept, backward = meter.live, Backward(low, memo, meter)
    backward.run(nodes, {nodes[-1]: Storage(meter, batch * WIDTH)})
    training = base + max(meter.peak, meter.live + MADE[optimizer] * backward.largest)
    return Step(weights + buffers, states, kept, training)


def _saved(
    children: Iterable[Child], frozen: Sequence[str], memo: Memo | None
) -> tuple[int, int, int]:
    """Bytes of weights, of buffers, and of weights that are trained, each layer once."""
    weights, buffers, trained = 0, 0, 0
    for child in children:
        module, paths = child.module, inside((child.attribute,), frozen)
        if isinstance(module, OpCall):
            own = WIDTH * module.params
            other = WIDTH * sum(map(math.prod, module.op.buffers().values()))
            inner = own, other, 0 if ALL in paths else own
        else:
            part = module.instance if isinstance(module, BlockCall) else module
            inner = _saved_in(part, paths, memo=memo)
        weights, buffers, trained = map(sum, zip((weights, buffers, trained), inner, strict=True))
    return weights, buffers, trained


@remember
def _saved_in(
    container: Container, frozen: tuple[str, ...], *, memo: Memo | None
) -> tuple[int, int, int]:
    return _saved(container.attributes, frozen, memo)
