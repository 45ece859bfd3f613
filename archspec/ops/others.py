"""Layers that move or scale values."""

import math
from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import plural
from archspec.ir import Method, Op, Real, Shape, ShapeError, Sizes, argument
from archspec.ops.arriving import channels_first, divides, spatial


class Identity(Op):
    """Returns its input."""

    key = "identity"
    torch = "Identity"
    attribute = "identity"
    view = True


class Flatten(Op):
    """All values of a sample as a feature vector; with `start_dim: 2`, its pixels as a sequence."""

    start_dim: int = argument("size", 1, high=2)

    key = "flatten"
    torch = "Flatten"
    attribute = "flatten"
    example = "- flatten: {start_dim: 2}\n- channels_last"
    view = True

    def output(self, x: Shape) -> Shape:
        if self.start_dim == 1:
            return Shape(x.elements)
        spatial(self, x)
        return Shape(x.channels, (math.prod(x.spatial),))

    def strides(self) -> tuple[Real, ...] | None:
        return None

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (math.inf,) if self.start_dim == 1 else ()


class Reshape(Op):
    """The same values in another shape: channels, then spatial sizes."""

    shape: Sizes = argument("size", short="sizes", many=True)

    key = "reshape"
    torch = "Reshape"
    attribute = "reshape"
    leaves = "shape"
    first = "sizes"
    example = "- global_avg_pool\n- flatten\n- reshape: [1, channels]"
    view = True

    def output(self, x: Shape) -> Shape:
        sizes = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        y = Shape(sizes[0], sizes[1:])
        if len(sizes) > 4:
            raise ShapeError(f"`reshape` to {len(sizes)} dimensions", "the maximum is 4")
        if y.elements != x.elements:
            raise ShapeError(
                f"cannot reshape {x} ({plural(x.elements, 'value')}) to {y} "
                f"({plural(y.elements, 'value')})",
                "the number of values must stay the same",
            )
        return y

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (math.inf,)


class ChannelsLast(Op):
    """Moves the channels after the spatial dimensions."""

    key = "channels_last"
    torch = "ChannelsLast"
    attribute = "channels_last"
    example = "- channels_last\n- linear: 256\n- channels_first"
    written = True

    @classmethod
    def method(cls, words: Mapping[str, Any]) -> Method:
        return Method("movedim", (1, -1))

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return Shape(x.channels, x.spatial, last=True)


class ChannelsFirst(Op):
    """Moves the channels before the spatial dimensions."""

    key = "channels_first"
    torch = "ChannelsFirst"
    attribute = "channels_first"
    example = "- channels_last\n- layer_norm\n- channels_first"
    view = True
    written = True

    @classmethod
    def method(cls, words: Mapping[str, Any]) -> Method:
        return Method("movedim", (-1, 1))

    def output(self, x: Shape) -> Shape:
        if not x.last:
            raise ShapeError(
                "the input of `channels_first` already has channels first",
                "remove it",
            )
        return Shape(x.channels, x.spatial)


class ChannelShuffle(Op):
    """Distributes the channels of each group over all groups (ShuffleNet, Zhang et al., 2017)."""

    groups: int = argument("size")

    key = "channel_shuffle"
    torch = "ChannelShuffle"
    attribute = "shuffle"
    first = "groups"
    example = "- channel_shuffle: 4"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        divides(self.groups, x.channels, self, "input")
        return x


class PadChannels(Op):
    """Adds channels of zeros ("option A" of He et al., 2015, section 4.2)."""

    in_channels: int = argument("arrives")
    out_channels: int = argument("size", short="channels")
    where: str = argument("choice", "both", choices=("both", "end"))

    key = "pad_channels"
    torch = "PadChannels"
    attribute = "pad"
    leaves = "out_channels"
    first = "channels"
    example = "- pad_channels: {channels: channels, where: end}"

    def output(self, x: Shape) -> Shape:
        channels_first(self, x)
        if self.out_channels < x.channels:
            raise ShapeError(
                f"`pad_channels` to {self.out_channels}, but the input has "
                f"{plural(x.channels, 'channel')}",
                "it only adds channels; use a 1x1 `conv` to remove some",
            )
        return Shape(self.out_channels, x.spatial)


class ChannelScale(Op):
    """A learned factor per channel (layer scale, Touvron et al., 2021)."""

    channels: int = argument("arrives")
    value: Real = argument("real")
    dims: int = argument("dims", 2)

    key = "channel_scale"
    torch = "ChannelScale"
    attribute = "scale"
    first = "value"
    weighted = True
    learned = ("weight",)
    example = "- channel_scale: 1e-6"
    keeps = "x"
    autocast = "widest"

    def weights(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.channels, *[1] * self.dims)}


class Rescale(Op):
    """Multiplies by a fixed constant (Szegedy et al., 2016, scale residuals by one)."""

    factor: Real = argument("real")

    key = "rescale"
    torch = "Rescale"
    attribute = "rescale"
    first = "factor"
    example = "- residual: [{conv: {channels: 64, kernel: 3}}, {rescale: 0.1}]"

    def idle(self) -> str:
        return f"`{self.key}` by 1 has no effect" if self.factor == 1 else ""
