"""Counts of operations as other tools report them, to compare their totals with archspec's.

fvcore 0.1.5 (`FlopCountAnalysis`), torchinfo 1.8 (`total_mult_adds`), and ptflops 0.7.5 (its
default backend) agree neither with each other nor with torch's counter. archspec counts like torch:
a multiply-add of a matrix product or convolution counts once, and nothing else counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from archspec.ir import Op, Shape

Count = Callable[[Op, Shape, Shape], int]


def fvcore(op: Op, x: Shape, y: Shape) -> int:
    """No biases; norms, pools to a given size, and upsampling count one operation per value."""
    learned = bool(op.weights())
    if op.key == "batch_norm":
        return (1 + learned) * x.elements
    if op.key in ("layer_norm", "group_norm", "instance_norm"):
        return (4 + learned) * x.elements
    if op.key in ("global_avg_pool", "adaptive_avg_pool"):
        return x.elements
    if op.key == "upsample":
        return y.elements * (4 if getattr(op, "mode", "") == "bilinear" else 1)
    return op.macs(y)


def torchinfo(op: Op, x: Shape, y: Shape) -> int:
    """Weights and biases: those of a convolution once per position, all others once."""
    if op.key in ("channel_scale", "parameter"):  # parameters of the enclosing module
        return 0
    positions = math.prod(y.spatial) if "Conv" in op.torch else 1
    found = op.weights()
    return positions * sum(math.prod(found[name]) for name in ("weight", "bias") if name in found)


def ptflops(op: Op, x: Shape, y: Shape) -> int:
    """With biases; norms count their values, twice with weights, and so do activations and pools.

    It counts activations and pools twice because it sees the module, and the function that the
    module calls.
    """
    if op.key == "layer_norm":  # it does not know norms of an image's channels
        return x.elements if x.last or not x.rank else 0
    if op.norm:
        return (1 + bool(op.weights())) * x.elements
    if op.activation:
        return y.elements * _TIMES.get(op.key, 0)
    if op.key in _POOLS:
        return 2 * x.elements
    bias = y.elements if op.projects and "bias" in op.weights() else 0
    return op.macs(y) + bias


_TIMES = {"relu": 2, "gelu": 2, "prelu": 2, "elu": 2, "relu6": 1, "leaky_relu": 1, "silu": 1}
_POOLS = {f"{kind}_pool" for kind in ("max", "avg", "adaptive_max", "adaptive_avg")}
_POOLS |= {"global_max_pool", "global_avg_pool"}

CONVENTIONS: dict[str, Count] = {"fvcore": fvcore, "torchinfo": torchinfo, "ptflops": ptflops}
