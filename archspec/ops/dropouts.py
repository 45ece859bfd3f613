"""Layers that drop numbers, channels, or branches during training."""

from archspec.ir import Op, Real, Shape, argument
from archspec.ops.arriving import spatial


class Drop(Op):
    """The base of layers that drop values with probability p during training."""

    p: Real = argument("real", 0.5, low=0, high=1)

    attribute = "dropout"
    first = "p"
    drops = True

    def idle(self) -> str:
        return "" if self.p else f"a `{self.key}` of 0 has no effect"


class Dropout(Drop):
    """Zeroes each number with probability p during training (Srivastava et al., 2014)."""

    key = "dropout"
    torch = "Dropout"
    example = "- dropout: 0.2"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements  # the mask


class Dropout2d(Drop):
    """Zeroes each channel with probability p during training (Tompson et al., 2015).

    It is `Dropout1d` or `Dropout3d` for inputs with one or three spatial dimensions.
    """

    key = "dropout2d"
    torch = "Dropout{rank}d"
    example = "- dropout2d: 0.2"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return x


class AlphaDropout(Drop):
    """A dropout that keeps mean and variance, for `selu` (Klambauer et al., 2017)."""

    key = "alpha_dropout"
    torch = "AlphaDropout"
    example = "- selu\n- alpha_dropout: 0.1"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements  # the mask


class FeatureAlphaDropout(Drop):
    """The same for whole channels."""

    key = "feature_alpha_dropout"
    torch = "FeatureAlphaDropout"
    example = "- selu\n- feature_alpha_dropout: 0.1"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return x


class StochasticDepth(Drop):
    """Drops the branch of a residual per sample during training (Huang et al., 2016)."""

    p: Real = argument("real", low=0, high=1)

    key = "stochastic_depth"
    torch = "StochasticDepth"
    attribute = "drop_path"
    example = "- stochastic_depth: 0.1"
