"""Every primitive layer, once.

An op is named after its `torch.nn` class and has that constructor's parameters, with torch's
names and defaults; the language's short names and own defaults stand beside them. What a
class adds is shape, parameters and multiply-adds. To add an op, add a class.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from archspec.ir import Op, Shape, ShapeError, Sizes, argument, each

SAME = "dilation * (kernel - 1) // 2 if kernel % 2 == 1 else 0"
SAME_UNDILATED = "(kernel - 1) // 2 if kernel % 2 == 1 else 0"


def _spatial(op: Op, x: Shape) -> None:
    if not x.rank:
        raise ShapeError(
            f"`{op.key}` wants spatial sizes, and what arrives is {x.channels} plain features",
            "put it ahead of `flatten`, or use `linear`",
        )
    _channels_first(op, x)


def _channels_first(op: Op, x: Shape) -> None:
    if x.last:
        raise ShapeError(
            f"`{op.key}` wants the channels in front, and here they are behind ({x})",
            "put `channels_first` ahead of it",
        )


def _ranked(op: Op, sizes: Sizes, x: Shape, name: str) -> tuple[int, ...]:
    if isinstance(sizes, tuple) and len(sizes) != x.rank:
        raise ShapeError(
            f"`{name}` of `{op.key}` names {len(sizes)} dimensions, and the input has {x.rank}",
            "write one number for all, or one for each",
        )
    return tuple(each(sizes, x.rank))


def _divides(groups: int, channels: int, op: Op, which: str) -> None:
    if channels % groups:
        raise ShapeError(
            f"{groups} groups do not divide the {channels} channels that {which} `{op.key}`",
            "choose channels that are a multiple of the groups",
            rule="groups-do-not-divide",
        )


@dataclass(frozen=True)
class Window(Op):
    """What convolutions and pools share: a window that slides over the image."""

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        """Kernel, stride, padding, dilation, and whether sizes round up."""
        raise NotImplementedError

    def slide(self, x: Shape) -> tuple[int, ...]:
        """The spatial sizes that leave (torch's formula)."""
        _spatial(self, x)
        *sizes, ceil_mode = self.windows()
        named = zip(("kernel", "stride", "padding", "dilation"), sizes, strict=True)
        columns = [_ranked(self, value, x, name) for name, value in named]
        return tuple(
            self._step(size, window, ceil_mode, x)
            for size, window in zip(x.spatial, zip(*columns, strict=True), strict=True)
        )

    def _step(self, size: int, window: tuple[int, ...], up: bool, x: Shape) -> int:
        kernel, stride, pad, dilation = window
        reach = dilation * (kernel - 1) + 1
        room = size + 2 * pad - reach
        if room < 0:
            raise ShapeError(
                f"a window of {reach} does not fit the {size + 2 * pad} pixels it slides over"
                f" (input {x})",
                "make the input larger, or stride less ahead of this layer",
                rule="feature-map-vanishes",
            )
        out = (-(-room // stride) if up else room // stride) + 1
        return out - 1 if up and (out - 1) * stride >= size + pad else out

    def strides(self) -> tuple[int, ...]:
        stride = self.windows()[1]
        return stride if isinstance(stride, tuple) else (stride,)


@dataclass(frozen=True)
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

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        return self.kernel_size, self.stride, self.padding, self.dilation, False

    def output(self, x: Shape) -> Shape:
        _divides(self.groups, self.in_channels, self, "enter")
        _divides(self.groups, self.out_channels, self, "leave")
        sizes = self.slide(x)
        if self.padding_mode == "reflect":
            for size, pad in zip(x.spatial, each(self.padding, x.rank), strict=True):
                _reflects(self, size, pad, x)
        return Shape(self.out_channels, sizes)

    def _kernel(self) -> int:
        return math.prod(each(self.kernel_size, self.rank)) * self.in_channels // self.groups

    def parameters(self) -> int:
        return self.out_channels * (self._kernel() + self.bias)

    def macs(self, y: Shape) -> int:
        return y.elements * self._kernel()


def _reflects(op: Op, size: int, pad: int, x: Shape) -> None:
    if pad >= size:
        raise ShapeError(
            f"`{op.key}` cannot reflect {pad} pixels at the edge of an image of {size} ({x})",
            "make the input larger",
            rule="feature-map-vanishes",
        )


@dataclass(frozen=True)
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

    def output(self, x: Shape) -> Shape:
        if x.rank and not x.last:
            raise ShapeError(
                f"`linear` wants plain features, and what arrives is an image of {x}",
                "put `global_avg_pool` and `flatten` ahead of it",
            )
        return Shape(self.out_features, x.spatial, x.last)

    def parameters(self) -> int:
        return self.out_features * (self.in_features + self.bias)

    def macs(self, y: Shape) -> int:
        return y.elements * self.in_features


@dataclass(frozen=True)
class Pool(Window):
    """What the pools share: channels stay, and padding is at most half the window."""

    def output(self, x: Shape) -> Shape:
        _channels_first(self, x)
        kernel, _, padding, *_ = self.windows()
        _spatial(self, x)
        pairs = zip(
            _ranked(self, kernel, x, "kernel"),
            _ranked(self, padding, x, "padding"),
            strict=True,
        )
        for size, pad in pairs:
            if 2 * pad > size:
                raise ShapeError(
                    f"`{self.key}` pads {pad} pixels, more than half its window of {size}",
                    f"torch takes at most {size // 2}",
                )
        return Shape(x.channels, self.slide(x))


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest value of each window."""

    kernel_size: Sizes = argument("size", short="kernel", many=True, high=4096)
    stride: Sizes | None = argument("size", None, many=True, high=4096)
    padding: Sizes = argument("count", 0, many=True, ours=SAME, high=4096)
    dilation: Sizes = argument("size", 1, many=True, high=4096)
    ceil_mode: bool = argument("flag", False)

    key: ClassVar[str] = "max_pool"
    torch: ClassVar[str] = "MaxPool{rank}d"
    attribute: ClassVar[str] = "maxpool"
    first: ClassVar[str | None] = "kernel"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        stride = self.kernel_size if self.stride is None else self.stride
        return self.kernel_size, stride, self.padding, self.dilation, self.ceil_mode


@dataclass(frozen=True)
class AvgPool(Pool):
    """The mean of each window."""

    kernel_size: Sizes = argument("size", short="kernel", many=True, high=4096)
    stride: Sizes | None = argument("size", None, many=True, high=4096)
    padding: Sizes = argument("count", 0, many=True, ours=SAME_UNDILATED, high=4096)
    ceil_mode: bool = argument("flag", False)
    count_include_pad: bool = argument("flag", True)

    key: ClassVar[str] = "avg_pool"
    torch: ClassVar[str] = "AvgPool{rank}d"
    attribute: ClassVar[str] = "avgpool"
    first: ClassVar[str | None] = "kernel"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        stride = self.kernel_size if self.stride is None else self.stride
        return self.kernel_size, stride, self.padding, 1, self.ceil_mode


@dataclass(frozen=True)
class AdaptiveAvgPool(Op):
    """The mean of as many equal windows as the output has pixels."""

    output_size: Sizes = argument("size", many=True, high=4096)

    key: ClassVar[str] = "adaptive_avg_pool"
    torch: ClassVar[str] = "AdaptiveAvgPool{rank}d"
    attribute: ClassVar[str] = "avgpool"
    resizes: ClassVar[bool] = True
    first: ClassVar[str | None] = "output_size"

    def output(self, x: Shape) -> Shape:
        _spatial(self, x)
        return Shape(x.channels, _ranked(self, self.output_size, x, "output_size"))


@dataclass(frozen=True)
class GlobalAvgPool(Op):
    """The mean of each channel; sizes of 1 stay."""

    output_size: Sizes = argument("fixed", 1)

    key: ClassVar[str] = "global_avg_pool"
    torch: ClassVar[str] = "AdaptiveAvgPool{rank}d"
    attribute: ClassVar[str] = "avgpool"
    resizes: ClassVar[bool] = True

    def output(self, x: Shape) -> Shape:
        _spatial(self, x)
        return Shape(x.channels, (1,) * x.rank)


@dataclass(frozen=True)
class BlurPool(Op):
    """A fixed binomial filter of each channel, then the stride (Zhang, 2019)."""

    channels: int = argument("arrives")
    kernel_size: int = argument("size", 3, short="kernel", low=2, high=7)
    stride: int = argument("size", 2, high=4096)
    dims: int = argument("dims", 2)

    key: ClassVar[str] = "blur_pool"
    torch: ClassVar[str] = "BlurPool"
    attribute: ClassVar[str] = "blurpool"

    def output(self, x: Shape) -> Shape:
        _spatial(self, x)
        pad = (self.stride - 1 + self.kernel_size - 1) // 2
        for size in x.spatial:
            _reflects(self, size, pad, x)
        reach = 2 * pad - self.kernel_size
        return Shape(x.channels, tuple((n + reach) // self.stride + 1 for n in x.spatial))

    def strides(self) -> tuple[int, ...]:
        return (self.stride,)


@dataclass(frozen=True)
class BatchNorm(Op):
    """Each channel to mean 0 and variance 1 over the batch (Ioffe & Szegedy, 2015)."""

    num_features: int = argument("arrives")
    eps: float = argument("real", 1e-5, low=0)
    momentum: float = argument("real", 0.1, low=0, high=1)
    affine: bool = argument("flag", True)
    track_running_stats: bool = argument("flag", True)

    key: ClassVar[str] = "batch_norm"
    torch: ClassVar[str] = "BatchNorm{rank}d"
    attribute: ClassVar[str] = "bn"
    weighted: ClassVar[bool] = True
    numbered: ClassVar[bool] = True
    norm: ClassVar[bool] = True

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        return f"BatchNorm{max(1, shape.rank)}d"

    def output(self, x: Shape) -> Shape:
        _channels_first(self, x)
        return x

    def parameters(self) -> int:
        return 2 * self.num_features if self.affine else 0


@dataclass(frozen=True)
class GroupNorm(Op):
    """Groups of channels to mean 0 and variance 1, sample by sample (Wu & He, 2018)."""

    num_groups: int = argument("size", short="groups")
    num_channels: int = argument("arrives")
    eps: float = argument("real", 1e-5, low=0)
    affine: bool = argument("flag", True)

    key: ClassVar[str] = "group_norm"
    torch: ClassVar[str] = "GroupNorm"
    attribute: ClassVar[str] = "norm"
    first: ClassVar[str | None] = "groups"
    weighted: ClassVar[bool] = True
    numbered: ClassVar[bool] = True
    norm: ClassVar[bool] = True

    def output(self, x: Shape) -> Shape:
        _channels_first(self, x)
        _divides(self.num_groups, x.channels, self, "enter")
        return x

    def parameters(self) -> int:
        return 2 * self.num_channels if self.affine else 0


@dataclass(frozen=True)
class LayerNorm(Op):
    """All channels of a pixel to mean 0 and variance 1 (Ba et al., 2016)."""

    normalized_shape: int = argument("arrives")
    eps: float = argument("real", 1e-5, low=0)
    elementwise_affine: bool = argument("flag", True, short="affine")
    bias: bool = argument("flag", True)

    key: ClassVar[str] = "layer_norm"
    torch: ClassVar[str] = "LayerNorm"
    attribute: ClassVar[str] = "norm"
    weighted: ClassVar[bool] = True
    numbered: ClassVar[bool] = True
    norm: ClassVar[bool] = True

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        return "LayerNorm" if shape.last or not shape.rank else "ChannelLayerNorm"

    def parameters(self) -> int:
        return self.normalized_shape * (1 + self.bias) if self.elementwise_affine else 0


@dataclass(frozen=True)
class Activation(Op):
    """A function of each number by itself."""

    activation: ClassVar[bool] = True


@dataclass(frozen=True)
class ReLU(Activation):
    """max(0, x)."""

    key: ClassVar[str] = "relu"
    torch: ClassVar[str] = "ReLU"
    attribute: ClassVar[str] = "relu"


@dataclass(frozen=True)
class ReLU6(Activation):
    """min(max(0, x), 6)."""

    key: ClassVar[str] = "relu6"
    torch: ClassVar[str] = "ReLU6"
    attribute: ClassVar[str] = "relu"


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """x where positive, a small multiple of x elsewhere."""

    negative_slope: float = argument("real", 0.01, short="slope")

    key: ClassVar[str] = "leaky_relu"
    torch: ClassVar[str] = "LeakyReLU"
    attribute: ClassVar[str] = "relu"
    first: ClassVar[str | None] = "slope"


@dataclass(frozen=True)
class SiLU(Activation):
    """x * sigmoid(x), also called swish."""

    key: ClassVar[str] = "silu"
    torch: ClassVar[str] = "SiLU"
    attribute: ClassVar[str] = "silu"


@dataclass(frozen=True)
class GELU(Activation):
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016)."""

    approximate: str = argument("choice", "none", choices=("none", "tanh"))

    key: ClassVar[str] = "gelu"
    torch: ClassVar[str] = "GELU"
    attribute: ClassVar[str] = "gelu"


@dataclass(frozen=True)
class Mish(Activation):
    """x * tanh(softplus(x)) (Misra, 2019)."""

    key: ClassVar[str] = "mish"
    torch: ClassVar[str] = "Mish"
    attribute: ClassVar[str] = "mish"


@dataclass(frozen=True)
class Tanh(Activation):
    """The hyperbolic tangent."""

    key: ClassVar[str] = "tanh"
    torch: ClassVar[str] = "Tanh"
    attribute: ClassVar[str] = "tanh"


@dataclass(frozen=True)
class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    key: ClassVar[str] = "sigmoid"
    torch: ClassVar[str] = "Sigmoid"
    attribute: ClassVar[str] = "sigmoid"


@dataclass(frozen=True)
class Hardsigmoid(Activation):
    """relu6(x + 3) / 6."""

    key: ClassVar[str] = "hard_sigmoid"
    torch: ClassVar[str] = "Hardsigmoid"
    attribute: ClassVar[str] = "hardsigmoid"


@dataclass(frozen=True)
class Hardswish(Activation):
    """x * relu6(x + 3) / 6 (MobileNetV3)."""

    key: ClassVar[str] = "hard_swish"
    torch: ClassVar[str] = "Hardswish"
    attribute: ClassVar[str] = "hardswish"


@dataclass(frozen=True)
class Softmax(Op):
    """Shares of 1 over the channels. Cross-entropy wants what stands before it."""

    dim: int = argument("fixed", 1)

    key: ClassVar[str] = "softmax"
    torch: ClassVar[str] = "Softmax"
    attribute: ClassVar[str] = "softmax"

    def output(self, x: Shape) -> Shape:
        _channels_first(self, x)
        return x


@dataclass(frozen=True)
class Dropout(Op):
    """Zeroes each number with probability p while training (Srivastava et al., 2014)."""

    p: float = argument("real", 0.5, low=0, high=1)

    key: ClassVar[str] = "dropout"
    torch: ClassVar[str] = "Dropout"
    attribute: ClassVar[str] = "dropout"
    first: ClassVar[str | None] = "p"


@dataclass(frozen=True)
class Identity(Op):
    """What arrives."""

    key: ClassVar[str] = "identity"
    torch: ClassVar[str] = "Identity"
    attribute: ClassVar[str] = "identity"


@dataclass(frozen=True)
class Flatten(Op):
    """All numbers of a sample as plain features."""

    key: ClassVar[str] = "flatten"
    torch: ClassVar[str] = "Flatten"
    attribute: ClassVar[str] = "flatten"

    def output(self, x: Shape) -> Shape:
        return Shape(x.elements)


@dataclass(frozen=True)
class Reshape(Op):
    """The same numbers in another shape: channels, then spatial sizes."""

    shape: Sizes = argument("size", short="sizes", many=True)

    key: ClassVar[str] = "reshape"
    torch: ClassVar[str] = "Reshape"
    attribute: ClassVar[str] = "reshape"
    leaves: ClassVar[str | None] = "shape"
    first: ClassVar[str | None] = "sizes"

    def output(self, x: Shape) -> Shape:
        sizes = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        y = Shape(sizes[0], sizes[1:])
        if len(sizes) > 4:
            raise ShapeError(f"`reshape` to {len(sizes)} dimensions", "at most 4 are taken")
        if y.elements != x.elements:
            raise ShapeError(
                f"`reshape` to {y} has {y.elements} numbers, and what arrives has "
                f"{x.elements} ({x})",
                "the numbers of a sample stay the same",
            )
        return y


@dataclass(frozen=True)
class ChannelsLast(Op):
    """Moves the channels behind the spatial sizes."""

    key: ClassVar[str] = "channels_last"
    torch: ClassVar[str] = "ChannelsLast"
    attribute: ClassVar[str] = "channels_last"

    def output(self, x: Shape) -> Shape:
        _spatial(self, x)
        return Shape(x.channels, x.spatial, last=True)


@dataclass(frozen=True)
class ChannelsFirst(Op):
    """Moves the channels in front of the spatial sizes."""

    key: ClassVar[str] = "channels_first"
    torch: ClassVar[str] = "ChannelsFirst"
    attribute: ClassVar[str] = "channels_first"

    def output(self, x: Shape) -> Shape:
        if not x.last:
            raise ShapeError(
                f"`channels_first` finds the channels in front already ({x})",
                "leave it out",
            )
        return Shape(x.channels, x.spatial)


@dataclass(frozen=True)
class ChannelShuffle(Op):
    """Deals the channels of each group out over all groups (ShuffleNet, Zhang et al., 2017)."""

    groups: int = argument("size")

    key: ClassVar[str] = "channel_shuffle"
    torch: ClassVar[str] = "ChannelShuffle"
    attribute: ClassVar[str] = "shuffle"
    first: ClassVar[str | None] = "groups"

    def output(self, x: Shape) -> Shape:
        _spatial(self, x)
        _divides(self.groups, x.channels, self, "enter")
        return x


@dataclass(frozen=True)
class PadChannels(Op):
    """Adds channels of zeros ("option A" of He et al., 2015, section 4.2)."""

    in_channels: int = argument("arrives")
    out_channels: int = argument("size", short="channels")
    where: str = argument("choice", "both", choices=("both", "end"))

    key: ClassVar[str] = "pad_channels"
    torch: ClassVar[str] = "PadChannels"
    attribute: ClassVar[str] = "pad"
    leaves: ClassVar[str | None] = "out_channels"
    first: ClassVar[str | None] = "channels"

    def output(self, x: Shape) -> Shape:
        _channels_first(self, x)
        if self.out_channels < x.channels:
            raise ShapeError(
                f"`pad_channels` to {self.out_channels}, and {x.channels} channels arrive",
                "it only adds channels; a 1x1 `conv` takes some away",
            )
        return Shape(self.out_channels, x.spatial)


@dataclass(frozen=True)
class ChannelScale(Op):
    """A learned factor per channel (layer scale, Touvron et al., 2021)."""

    channels: int = argument("arrives")
    value: float = argument("real")
    dims: int = argument("dims", 2)

    key: ClassVar[str] = "channel_scale"
    torch: ClassVar[str] = "ChannelScale"
    attribute: ClassVar[str] = "scale"
    first: ClassVar[str | None] = "value"
    weighted: ClassVar[bool] = True

    def parameters(self) -> int:
        return self.channels


@dataclass(frozen=True)
class StochasticDepth(Op):
    """Drops the whole branch of a sample while training (Huang et al., 2016)."""

    p: float = argument("real", low=0, high=1)

    key: ClassVar[str] = "stochastic_depth"
    torch: ClassVar[str] = "StochasticDepth"
    attribute: ClassVar[str] = "drop_path"
    first: ClassVar[str | None] = "p"


def _concrete(op: type[Op]) -> list[type[Op]]:
    below = [leaf for child in op.__subclasses__() for leaf in _concrete(child)]
    return below or [op]


OPS: dict[str, type[Op]] = {op.key: op for op in _concrete(Op)}
