"""Convolutions and linear layers: what multiplies and adds."""

from __future__ import annotations

import math
from typing import ClassVar

from archspec.ir import Op, Shape, ShapeError, Sizes, argument, each, op
from archspec.ops.arriving import divides, reflects
from archspec.ops.windows import SAME, Window


@op
class Conv(Window):
    """Convolution. No bias unless asked for; an odd kernel keeps the size at stride 1."""

    in_channels: int = argument("arrives")
    out_channels: int = argument("size", short="channels")
    kernel_size: Sizes = argument("size", short="kernel", ours="1", many=True, high=4096)
    stride: Sizes = argument("size", 1, many=True, high=4096)
    padding: Sizes = argument("count", 0, many=True, ours=SAME, high=4096)
    dilation: Sizes = argument("size", 1, many=True, high=4096)
    groups: int = argument("size", 1)
    bias: bool = argument("flag", True, ours="false")
    padding_mode: str = argument(
        "choice", "zeros", choices=("zeros", "reflect", "replicate", "circular")
    )

    key: ClassVar[str] = "conv"
    torch: ClassVar[str] = "Conv{rank}d"
    attribute: ClassVar[str] = "conv"
    leaves: ClassVar[str | None] = "out_channels"
    first: ClassVar[str | None] = "channels"
    weighted: ClassVar[bool] = True
    numbered: ClassVar[bool] = True
    example: ClassVar[str] = "- conv: {channels: 128, kernel: 3, stride: 2}"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        return self.kernel_size, self.stride, self.padding, self.dilation, False

    def output(self, x: Shape) -> Shape:
        divides(self.groups, self.in_channels, self, "enter")
        divides(self.groups, self.out_channels, self, "leave")
        sizes = self.slide(x)
        spare = {"reflect": 1, "circular": 0}.get(self.padding_mode)
        if spare is not None:
            for size, pad in zip(x.spatial, each(self.padding, x.rank), strict=True):
                reflects(self, size - spare, pad, x)
        return Shape(self.out_channels, sizes)

    def _kernel(self) -> int:
        return math.prod(each(self.kernel_size, self.rank)) * self.in_channels // self.groups

    def weights(self) -> dict[str, tuple[int, ...]]:
        window = each(self.kernel_size, self.rank)
        weight = (self.out_channels, self.in_channels // self.groups, *window)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def macs(self, y: Shape) -> int:
        return y.elements * self._kernel()


@op
class Linear(Op):
    """Every output from every input: on plain features, or on the channels behind."""

    in_features: int = argument("arrives")
    out_features: int = argument("size", short="features")
    bias: bool = argument("flag", True)

    key: ClassVar[str] = "linear"
    torch: ClassVar[str] = "Linear"
    attribute: ClassVar[str] = "fc"
    leaves: ClassVar[str | None] = "out_features"
    first: ClassVar[str | None] = "features"
    weighted: ClassVar[bool] = True
    example: ClassVar[str] = "- global_avg_pool\n- flatten\n- linear: 10"

    def output(self, x: Shape) -> Shape:
        if x.rank and not x.last:
            raise ShapeError(
                f"`linear` wants plain features, and what arrives is an image of {x}",
                "put `global_avg_pool` and `flatten` ahead of it",
            )
        return Shape(self.out_features, x.spatial, x.last)

    def weights(self) -> dict[str, tuple[int, ...]]:
        weight = {"weight": (self.out_features, self.in_features)}
        return weight | ({"bias": (self.out_features,)} if self.bias else {})

    def macs(self, y: Shape) -> int:
        return y.elements * self.in_features
