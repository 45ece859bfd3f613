"""Convolutions and linear layers."""

import math
from fractions import Fraction

from archspec.ir import Op, Real, Shape, ShapeError, Sizes, argument, each
from archspec.ops.arriving import divides, image, ranked, reflects, spatial
from archspec.ops.windows import SAME, Window


class Convolution(Window):
    """The base of convolutions that slide over an image."""

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

    attribute = "conv"
    leaves = "out_channels"
    first = "channels"
    weighted = True
    numbered = True
    projects = True
    keeps = "x"
    autocast = "low"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        return self.kernel_size, self.stride, self.padding, self.dilation, False

    def output(self, x: Shape) -> Shape:
        divides(self.groups, self.in_channels, self, "input")
        divides(self.groups, self.out_channels, self, "output")
        sizes = self.slide(x)
        spare = {"reflect": 1, "circular": 0}.get(self.padding_mode)
        if spare is not None:
            for size, pad in zip(x.spatial, each(self.padding, x.rank), strict=True):
                reflects(self, size - spare, pad, x)
        return Shape(self.out_channels, sizes)

    def weights(self) -> dict[str, tuple[int, ...]]:
        window = each(self.kernel_size, self.rank)
        weight = (self.out_channels, self.in_channels // self.groups, *window)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def macs(self, y: Shape) -> int:
        return y.elements * math.prod(self.weights()["weight"][1:])


class Conv(Convolution):
    """A convolution. It has no bias by default; an odd kernel keeps the size at stride 1."""

    key = "conv"
    torch = "Conv{rank}d"
    example = "- conv: {channels: 128, kernel: 3, stride: 2}"


class StandardizedConv(Convolution):
    """The base of convolutions with standardized kernels, which are for images only."""

    extends = "Conv2d"

    def output(self, x: Shape) -> Shape:
        image(self, x)
        y = super().output(x)
        if math.prod(self.weights()["weight"][1:]) == 1:
            raise ShapeError(
                f"each kernel of `{self.key}` is one number, which has no variance",
                "use a larger kernel or fewer groups",
            )
        return y


class StdConv(StandardizedConv):
    """A convolution whose kernels have mean 0 and variance 1 (Qiao et al., 2019)."""

    eps: Real = argument("real", 1e-6, low=1e-12)

    key = "std_conv"
    torch = "StdConv2d"
    example = "- std_conv: {channels: 128, kernel: 3}\n- group_norm: 32"


class ScaledStdConv(StandardizedConv):
    """A standardized convolution that keeps the variance, with a gain (Brock et al., 2021)."""

    gamma: Real = argument("real", 1.0)
    eps: Real = argument("real", 1e-6, low=1e-12)

    learned = ("weight", "bias", "gain")
    key = "scaled_std_conv"
    torch = "ScaledStdConv2d"
    example = "- scaled_std_conv: {channels: 128, kernel: 3, bias: true}"

    def weights(self) -> dict[str, tuple[int, ...]]:
        return {**super().weights(), "gain": (self.out_channels, 1, 1, 1)}


class ConvTranspose(Op):
    """A convolution from output to input, which enlarges the image (Zeiler et al., 2010)."""

    in_channels: int = argument("arrives")
    out_channels: int = argument("size", short="channels")
    kernel_size: Sizes = argument("size", short="kernel", many=True, high=4096)
    stride: Sizes = argument("size", 1, many=True, high=4096)
    padding: Sizes = argument("count", 0, many=True, high=4096)
    output_padding: Sizes = argument("count", 0, many=True, high=4096)
    groups: int = argument("size", 1)
    bias: bool = argument("flag", True, ours="false")
    dilation: Sizes = argument("size", 1, many=True, high=4096)

    key = "conv_transpose"
    torch = "ConvTranspose{rank}d"
    attribute = "conv"
    leaves = "out_channels"
    first = "channels"
    weighted = True
    numbered = True
    projects = True
    example = "- conv_transpose: {channels: 32, kernel: 2, stride: 2}"
    keeps = "x"
    autocast = "low"

    def _grown(self, rank: int) -> list[tuple[int, int]]:
        """The stride and an offset per dimension: n pixels become n * stride + offset."""
        names = (self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation)
        columns = zip(*(each(value, rank) for value in names), strict=True)
        return [
            (stride, dilation * (kernel - 1) + 1 + more - stride - 2 * pad)
            for kernel, stride, pad, more, dilation in columns
        ]

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        divides(self.groups, self.in_channels, self, "input")
        divides(self.groups, self.out_channels, self, "output")
        for name in ("kernel", "stride", "padding", "output_padding", "dilation"):
            value = self.kernel_size if name == "kernel" else getattr(self, name)
            ranked(self, value, x, name)
        columns = (each(v, x.rank) for v in (self.output_padding, self.stride, self.dilation))
        for more, stride, dilation in zip(*columns, strict=True):
            if more >= max(stride, dilation):
                raise ShapeError(
                    f"`output_padding` of `conv_transpose` is {more}, with a stride of "
                    f"{stride} and a dilation of {dilation}",
                    "it must be less than the larger of the two",
                )
        pairs = zip(x.spatial, self._grown(x.rank), strict=True)
        sizes = tuple(size * stride + added for size, (stride, added) in pairs)
        if min(sizes) < 1:
            raise ShapeError(
                f"`conv_transpose` outputs {Shape(self.out_channels, sizes)} for {x}",
                "use less padding: `padding` removes pixels from the output",
                rule="feature-map-vanishes",
            )
        return Shape(self.out_channels, sizes)

    def strides(self) -> tuple[Real, ...]:
        sizes = self.stride if isinstance(self.stride, tuple) else (self.stride,)
        return tuple(Fraction(1, size) for size in sizes)

    def reach(self, x: Shape) -> tuple[float, ...]:
        names = (self.kernel_size, self.stride, self.dilation)
        columns = zip(*(each(value, x.rank) for value in names), strict=True)
        return tuple(-(-(step * (kernel - 1) + 1) // stride) for kernel, stride, step in columns)

    def weights(self) -> dict[str, tuple[int, ...]]:
        window = each(self.kernel_size, self.rank)
        weight = (self.in_channels, self.out_channels // self.groups, *window)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def macs(self, y: Shape) -> int:
        pairs = zip(y.spatial, self._grown(y.rank), strict=True)
        pixels = math.prod((size - added) // stride for size, (stride, added) in pairs)
        return pixels * math.prod(self.weights()["weight"])


class Linear(Op):
    """A linear map of a feature vector, or of the last dimension if channels are last."""

    in_features: int = argument("arrives")
    out_features: int = argument("size", short="features")
    bias: bool = argument("flag", True)

    key = "linear"
    torch = "Linear"
    attribute = "fc"
    leaves = "out_features"
    first = "features"
    weighted = True
    projects = True
    example = "- global_avg_pool\n- flatten\n- linear: 10"
    keeps = "x"
    autocast = "low"

    def output(self, x: Shape) -> Shape:
        if x.rank and not x.last:
            pool = "`global_avg_pool` and " if max(x.spatial) > 1 else ""
            raise ShapeError(
                f"`linear` expects a feature vector, but its input is {x}",
                f"add {pool}`flatten` before it",
            )
        return Shape(self.out_features, x.spatial, x.last)

    def weights(self) -> dict[str, tuple[int, ...]]:
        weight = {"weight": (self.out_features, self.in_features)}
        return weight | ({"bias": (self.out_features,)} if self.bias else {})

    def macs(self, y: Shape) -> int:
        return y.elements * self.in_features
