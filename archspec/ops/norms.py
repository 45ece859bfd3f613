"""Norms."""

import math

from archspec.diagnostics import plural
from archspec.ir import Op, Real, Shape, ShapeError, argument
from archspec.ops.arriving import channels_first, divides, spatial


class ChannelNorm(Op):
    """The base of norms that normalize each channel separately."""

    num_features: int = argument("arrives")
    eps: Real = argument("real", 1e-5, low=1e-12)
    momentum: Real = argument("real", 0.1, low=0, high=1)
    affine: bool = argument("flag", True)
    track_running_stats: bool = argument("flag", True)

    weighted = True
    numbered = True
    norm = True
    centers = True
    keeps = "x"

    def weights(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias"), (self.num_features,)) if self.affine else {}

    def buffers(self) -> dict[str, tuple[int, ...]]:
        if not self.track_running_stats:
            return {}
        means = dict.fromkeys(("running_mean", "running_var"), (self.num_features,))
        return {**means, "num_batches_tracked": ()}


class BatchNorm(ChannelNorm):
    """Normalizes each channel to mean 0 and variance 1 over the batch (Ioffe & Szegedy, 2015)."""

    key = "batch_norm"
    torch = "BatchNorm{rank}d"
    attribute = "bn"
    example = "- batch_norm: {eps: 0.001, momentum: 0.01}"

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        return f"BatchNorm{max(1, shape.rank)}d"

    def output(self, x: Shape) -> Shape:
        channels_first(self, x)
        if not self.track_running_stats and x.elements == x.channels:
            raise ShapeError(
                f"`batch_norm` without running statistics sees one value per channel ({x})",
                "torch rejects it for a batch of one: remove `track_running_stats: false`",
                rule="feature-map-vanishes",
            )
        return x


class InstanceNorm(ChannelNorm):
    """Normalizes each channel to mean 0 and variance 1, per sample (Ulyanov et al., 2016)."""

    affine: bool = argument("flag", False)
    track_running_stats: bool = argument("flag", False)

    key = "instance_norm"
    torch = "InstanceNorm{rank}d"
    attribute = "norm"
    example = "- instance_norm: {affine: true}"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        if x.elements == x.channels:
            raise ShapeError(
                f"`instance_norm` sees one value per channel ({x})",
                "torch rejects it in training: move it to where the image is larger",
                rule="feature-map-vanishes",
            )
        return x


class FrozenBatchNorm(Op):
    """A batch norm with frozen statistics, weights, and biases, as they are loaded."""

    num_features: int = argument("arrives")
    eps: Real = argument("real", 1e-5, low=1e-12)

    key = "frozen_batch_norm"
    torch = "FrozenBatchNorm"
    attribute = "bn"
    weighted = True
    numbered = True
    norm = True
    autocast = "widest"

    def output(self, x: Shape) -> Shape:
        channels_first(self, x)
        return x

    def buffers(self) -> dict[str, tuple[int, ...]]:
        names = ("weight", "bias", "running_mean", "running_var")
        return dict.fromkeys(names, (self.num_features,))


class GroupNorm(Op):
    """Normalizes groups of channels to mean 0 and variance 1, per sample (Wu & He, 2018)."""

    num_groups: int = argument("size", short="groups")
    num_channels: int = argument("arrives")
    eps: Real = argument("real", 1e-5, low=1e-12)
    affine: bool = argument("flag", True)

    key = "group_norm"
    torch = "GroupNorm"
    attribute = "norm"
    first = "groups"
    weighted = True
    numbered = True
    norm = True
    example = "- group_norm: 32"
    keeps = "x"

    def output(self, x: Shape) -> Shape:
        channels_first(self, x)
        divides(self.num_groups, x.channels, self, "input")
        if x.elements == self.num_groups:
            raise ShapeError(
                f"`group_norm` has {plural(self.num_groups, 'group')} of one value each ({x})",
                "torch rejects it: use fewer groups, or reduce the stride of earlier layers",
                rule="feature-map-vanishes",
            )
        return x

    def weights(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias"), (self.num_channels,)) if self.affine else {}


class LayerNorm(Op):
    """Normalizes all channels of a pixel to mean 0 and variance 1 (Ba et al., 2016)."""

    normalized_shape: int = argument("arrives")
    eps: Real = argument("real", 1e-5, low=1e-12)
    elementwise_affine: bool = argument("flag", True, short="affine")
    bias: bool = argument("flag", True)

    key = "layer_norm"
    torch = "LayerNorm"
    attribute = "norm"
    weighted = True
    numbered = True
    norm = True
    example = "- layer_norm: {eps: 1e-6}"
    keeps = "x"

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        return "LayerNorm" if shape.last or not shape.rank else "ChannelLayerNorm"

    def weights(self) -> dict[str, tuple[int, ...]]:
        if not self.elementwise_affine:
            return {}
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, (self.normalized_shape,))

    def keeping(self, x: Shape) -> str:
        return self.keeps if x.last or not x.rank else ""

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        """Means and deviations, and a copy with channels last if they are not."""
        copied = 0 if x.last or not x.rank else width * x.elements
        return copied + 8 * math.prod(x.spatial)


class RMSNorm(Op):
    """Normalizes all channels of a pixel to mean square 1 (Zhang & Sennrich, 2019)."""

    normalized_shape: int = argument("arrives")
    eps: Real | None = argument("real", None, none="the smallest step of the type", low=1e-12)
    elementwise_affine: bool = argument("flag", True, short="affine")

    key = "rms_norm"
    torch = "RMSNorm"
    attribute = "norm"
    weighted = True
    numbered = True
    norm = True
    example = "- rms_norm: {eps: 1e-6}"
    keeps = "x"

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        return "RMSNorm" if shape.last or not shape.rank else "ChannelRMSNorm"

    def weights(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.normalized_shape,)} if self.elementwise_affine else {}

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * (x.elements + math.prod(x.spatial))


class LocalResponseNorm(Op):
    """Normalizes each number by the adjacent channels (AlexNet, Krizhevsky et al., 2012)."""

    size: int = argument("size", high=4096)
    alpha: Real = argument("real", 1e-4)
    beta: Real = argument("real", 0.75)
    k: Real = argument("real", 1.0)

    key = "local_response_norm"
    torch = "LocalResponseNorm"
    attribute = "lrn"
    first = "size"
    norm = True
    example = "- local_response_norm: 5"
    keeps = "x"
    autocast = "widest"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return x

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        """Squares with a border of channels, their mean, and the divisor."""
        return width * (3 * x.elements + (self.size - 1) * math.prod(x.spatial))


class GlobalResponseNorm(Op):
    """Scales each channel by its share of the energy of all channels (ConvNeXt V2, Woo et al.,
    2023).
    """

    channels: int = argument("arrives")
    dim: int = argument("axis", 1)
    eps: Real = argument("real", 1e-6, low=1e-12)

    key = "global_response_norm"
    torch = "GlobalResponseNorm"
    attribute = "grn"
    weighted = True
    example = "- channels_last\n- global_response_norm\n- channels_first"
    keeps = "x"
    autocast = "widest"

    def output(self, x: Shape) -> Shape:
        if not x.rank:
            spatial(self, x)
        return x

    def weights(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias"), (self.channels,))

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements
