"""Norms."""

from __future__ import annotations

from typing import ClassVar

from archspec.ir import Op, Real, Shape, ShapeError, argument, op
from archspec.ops.arriving import channels_first, divides


@op
class BatchNorm(Op):
    """Each channel to mean 0 and variance 1 over the batch (Ioffe & Szegedy, 2015)."""

    num_features: int = argument("arrives")
    eps: Real = argument("real", 1e-5, low=1e-12)
    momentum: Real = argument("real", 0.1, low=0, high=1)
    affine: bool = argument("flag", True)
    track_running_stats: bool = argument("flag", True)

    key: ClassVar[str] = "batch_norm"
    torch: ClassVar[str] = "BatchNorm{rank}d"
    attribute: ClassVar[str] = "bn"
    weighted: ClassVar[bool] = True
    numbered: ClassVar[bool] = True
    norm: ClassVar[bool] = True
    example: ClassVar[str] = "- batch_norm: {eps: 0.001, momentum: 0.01}"

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        return f"BatchNorm{max(1, shape.rank)}d"

    def output(self, x: Shape) -> Shape:
        channels_first(self, x)
        if not self.track_running_stats and x.elements == x.channels:
            raise ShapeError(
                f"`batch_norm` without running statistics has one number a channel ({x})",
                "torch refuses it for a batch of one: leave out `track_running_stats: false`",
                rule="feature-map-vanishes",
            )
        return x

    def weights(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias"), (self.num_features,)) if self.affine else {}

    def buffers(self) -> dict[str, tuple[int, ...]]:
        if not self.track_running_stats:
            return {}
        means = dict.fromkeys(("running_mean", "running_var"), (self.num_features,))
        return {**means, "num_batches_tracked": ()}


@op
class GroupNorm(Op):
    """Groups of channels to mean 0 and variance 1, sample by sample (Wu & He, 2018)."""

    num_groups: int = argument("size", short="groups")
    num_channels: int = argument("arrives")
    eps: Real = argument("real", 1e-5, low=1e-12)
    affine: bool = argument("flag", True)

    key: ClassVar[str] = "group_norm"
    torch: ClassVar[str] = "GroupNorm"
    attribute: ClassVar[str] = "norm"
    first: ClassVar[str | None] = "groups"
    weighted: ClassVar[bool] = True
    numbered: ClassVar[bool] = True
    norm: ClassVar[bool] = True
    example: ClassVar[str] = "- group_norm: 32"

    def output(self, x: Shape) -> Shape:
        channels_first(self, x)
        divides(self.num_groups, x.channels, self, "enter")
        if x.elements == self.num_groups:
            raise ShapeError(
                f"`group_norm` has one number in each of its {self.num_groups} groups ({x})",
                "torch refuses it: use fewer groups, or stride less ahead of this layer",
                rule="feature-map-vanishes",
            )
        return x

    def weights(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("weight", "bias"), (self.num_channels,)) if self.affine else {}


@op
class LayerNorm(Op):
    """All channels of a pixel to mean 0 and variance 1 (Ba et al., 2016)."""

    normalized_shape: int = argument("arrives")
    eps: Real = argument("real", 1e-5, low=1e-12)
    elementwise_affine: bool = argument("flag", True, short="affine")
    bias: bool = argument("flag", True)

    key: ClassVar[str] = "layer_norm"
    torch: ClassVar[str] = "LayerNorm"
    attribute: ClassVar[str] = "norm"
    weighted: ClassVar[bool] = True
    numbered: ClassVar[bool] = True
    norm: ClassVar[bool] = True
    example: ClassVar[str] = "- layer_norm: {eps: 1e-6}"

    @classmethod
    def torch_name(cls, shape: Shape) -> str:
        return "LayerNorm" if shape.last or not shape.rank else "ChannelLayerNorm"

    def weights(self) -> dict[str, tuple[int, ...]]:
        if not self.elementwise_affine:
            return {}
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, (self.normalized_shape,))
