"""The op that the passes put in place of convolutions; no spec can name it."""

from __future__ import annotations

from typing import ClassVar

from archspec.ir import argument, op
from archspec.ops.convolutions import Convolution

# What oneDNN applies to the numbers that leave a convolution, by torch's function of that name.
ACTIVATIONS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SiLU": "silu",
    "Hardswish": "hardswish",
    "Hardsigmoid": "hardsigmoid",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
}


@op
class FusedConv(Convolution):
    """A convolution of images that adds a tensor, if it is given one, and ends in an activation."""

    act: str = argument("choice", "", choices=("", *ACTIVATIONS.values()))

    key: ClassVar[str] = "fused_conv"
    torch: ClassVar[str] = "FusedConv2d"
    extends: ClassVar[str] = "Conv2d"
    ends_in: ClassVar[str] = "act"
