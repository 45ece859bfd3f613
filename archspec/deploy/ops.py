"""The op with which the passes replace convolutions; specs cannot use it."""

from __future__ import annotations

from archspec.ir import argument
from archspec.ops.convolutions import Convolution

# What oneDNN applies to the output of a convolution, by the name of torch's function.
ACTIVATIONS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SiLU": "silu",
    "Hardswish": "hardswish",
    "Hardsigmoid": "hardsigmoid",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
}


class FusedConv(Convolution):
    """A convolution of images that adds a tensor, if it gets one, and ends in an activation."""

    act: str = argument("choice", "", choices=("", *ACTIVATIONS.values()))

    key = "fused_conv"
    torch = "FusedConv2d"
    extends = "Conv2d"
    ends_in = "act"
