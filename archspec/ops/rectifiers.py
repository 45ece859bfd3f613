"""Activations that keep x where it is large, or bound it."""

from archspec.diagnostics import plural
from archspec.ir import Real, Shape, ShapeError, argument
from archspec.ops.activations import Activation
from archspec.ops.arriving import channels_first, ordered


class ReLU(Activation):
    """max(0, x)."""

    key = "relu"
    torch = "ReLU"
    attribute = "relu"
    keeps = "y"


class ReLU6(Activation):
    """min(max(0, x), 6)."""

    key = "relu6"
    torch = "ReLU6"
    attribute = "relu"


class LeakyReLU(Activation):
    """x where positive, a small multiple of x elsewhere."""

    negative_slope: Real = argument("real", 0.01, short="slope")

    key = "leaky_relu"
    torch = "LeakyReLU"
    attribute = "relu"
    first = "slope"
    example = "- leaky_relu: 0.2"


class PReLU(Activation):
    """x where positive, a learned multiple elsewhere: one, or one per channel (He et al., 2015)."""

    num_parameters: int = argument("size", 1)
    init: Real = argument("real", 0.25)

    key = "prelu"
    torch = "PReLU"
    attribute = "prelu"
    first = "num_parameters"
    weighted = True
    example = "- conv: 64\n- prelu: 64"

    def output(self, x: Shape) -> Shape:
        if self.num_parameters > 1:
            channels_first(self, x)
            if self.num_parameters != x.channels:
                raise ShapeError(
                    f"`prelu` has {self.num_parameters} parameters, but the input has "
                    f"{plural(x.channels, 'channel')}",
                    "use one parameter for all channels, or one per channel",
                )
        return x

    def weights(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.num_parameters,)}


class RReLU(Activation):
    """x where positive; elsewhere a multiple, random during training (Xu et al., 2015)."""

    lower: Real = argument("real", 1 / 8)
    upper: Real = argument("real", 1 / 3)

    key = "rrelu"
    torch = "RReLU"
    attribute = "rrelu"
    example = "- rrelu: {lower: 0.1, upper: 0.3}"

    def output(self, x: Shape) -> Shape:
        ordered(self, "lower", self.lower, "upper", self.upper)
        return x

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements


class ELU(Activation):
    """x where positive, alpha * (exp(x) - 1) elsewhere (Clevert et al., 2016)."""

    alpha: Real = argument("real", 1.0)

    key = "elu"
    torch = "ELU"
    attribute = "elu"
    first = "alpha"
    example = "- elu: 0.5"


class CELU(Activation):
    """x where positive, alpha * (exp(x / alpha) - 1) elsewhere (Barron, 2017)."""

    alpha: Real = argument("real", 1.0, low=1e-6)

    key = "celu"
    torch = "CELU"
    attribute = "celu"
    first = "alpha"
    example = "- celu: 0.5"


class SELU(Activation):
    """A scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017)."""

    key = "selu"
    torch = "SELU"
    attribute = "selu"


class Hardtanh(Activation):
    """x between the two values, and the closer of them outside."""

    min_val: Real = argument("real", -1.0)
    max_val: Real = argument("real", 1.0)

    key = "hard_tanh"
    torch = "Hardtanh"
    attribute = "hardtanh"
    example = "- hard_tanh: {min_val: 0, max_val: 6}"

    def output(self, x: Shape) -> Shape:
        ordered(self, "min_val", self.min_val, "max_val", self.max_val)
        return x


class Threshold(Activation):
    """x above the threshold, and the value elsewhere."""

    threshold: Real = argument("real")
    value: Real = argument("real")

    key = "threshold"
    torch = "Threshold"
    attribute = "threshold"
    example = "- threshold: {threshold: 0.1, value: 0}"
