"""Layers that drop numbers, channels, or branches during training."""

from __future__ import annotations

from typing import ClassVar

from archspec.ir import Op, Real, Shape, argument
from archspec.ops.arriving import spatial


class Drop(Op):
    """The base of layers that drop values with probability p during training."""

    p: Real = argument("real", 0.5, low=0, high=1)

    attribute: ClassVar[str] = "dropout"
    first: ClassVar[str | None] = "p"
    drops: ClassVar[bool] = True

    def idle(self) -> str:
        return "" if self.p else f"a `{self.key}` of 0 has no effect"


class Dropout(Drop):
    """Zeroes each number with probability p during training (Srivastava et al., 2014)."""

    key: ClassVar[str] = "dropout"
    torch: ClassVar[str] = "Dropout"
    example: ClassVar[str] = "- dropout: 0.2"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements  # the mask


class Dropout2d(Drop):
    """Zeroes each channel with probability p during training (Tompson et al., 2015).

    It is `Dropout1d` or `Dropout3d` for inputs with one or three spatial dimensions.
    """

    key: ClassVar[str] = "dropout2d"
    torch: ClassVar[str] = "Dropout{rank}d"
    example: ClassVar[str] = "- dropout2d: 0.2"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return x


class AlphaDropout(Drop):
    """A dropout that keeps mean and variance, for `selu` (Klambauer et al., 2017)."""

    key: ClassVar[str] = "alpha_dropout"
    torch: ClassVar[str] = "AlphaDropout"
    example: ClassVar[str] = "- selu\n- alpha_dropout: 0.1"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements  # the mask


class FeatureAlphaDropout(Drop):
    """The same for whole channels."""

    key: ClassVar[str] = "feature_alpha_dropout"
    torch: ClassVar[str] = "FeatureAlphaDropout"
    example: ClassVar[str] = "- selu\n- feature_alpha_dropout: 0.1"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return x


class StochasticDepth(Drop):
    """Drops the branch of a residual per sample during training (Huang et al., 2016)."""

    p: Real = argument("real", low=0, high=1)

    key: ClassVar[str] = "stochastic_depth"
    torch: ClassVar[str] = "StochasticDepth"
    attribute: ClassVar[str] = "drop_path"
    example: ClassVar[str] = "- stochastic_depth: 0.1"
