"""Elementwise functions."""

from archspec.ir import Op, Real, Shape, argument


class Activation(Op):
    """An elementwise function."""

    activation = True
    keeps = "x"


class SiLU(Activation):
    """x * sigmoid(x), also called swish."""

    key = "silu"
    torch = "SiLU"
    attribute = "silu"


class GELU(Activation):
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016)."""

    approximate: str = argument("choice", "none", choices=("none", "tanh"))

    key = "gelu"
    torch = "GELU"
    attribute = "gelu"
    example = "- gelu: {approximate: tanh}"


class Mish(Activation):
    """x * tanh(softplus(x)) (Misra, 2019)."""

    key = "mish"
    torch = "Mish"
    attribute = "mish"


class Tanh(Activation):
    """The hyperbolic tangent."""

    key = "tanh"
    torch = "Tanh"
    attribute = "tanh"
    keeps = "y"


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    key = "sigmoid"
    torch = "Sigmoid"
    attribute = "sigmoid"
    keeps = "y"


class Hardsigmoid(Activation):
    """relu6(x + 3) / 6."""

    key = "hard_sigmoid"
    torch = "Hardsigmoid"
    attribute = "hardsigmoid"


class Hardswish(Activation):
    """x * relu6(x + 3) / 6 (MobileNetV3)."""

    key = "hard_swish"
    torch = "Hardswish"
    attribute = "hardswish"


class Softplus(Activation):
    """log(1 + exp(beta * x)) / beta, and x itself above the threshold."""

    beta: Real = argument("real", 1.0, low=1e-6)
    threshold: Real = argument("real", 20.0)

    key = "softplus"
    torch = "Softplus"
    attribute = "softplus"


class Softsign(Activation):
    """x / (1 + |x|)."""

    key = "softsign"
    torch = "Softsign"
    attribute = "softsign"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements


class LogSigmoid(Activation):
    """log(sigmoid(x))."""

    key = "log_sigmoid"
    torch = "LogSigmoid"
    attribute = "logsigmoid"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements


class Tanhshrink(Activation):
    """x - tanh(x)."""

    key = "tanhshrink"
    torch = "Tanhshrink"
    attribute = "tanhshrink"
    keeps = ""

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements


class Softshrink(Activation):
    """x moved towards 0 by lambd, and 0 if it is closer to 0 than that."""

    lambd: Real = argument("real", 0.5, low=0)

    key = "softshrink"
    torch = "Softshrink"
    attribute = "softshrink"
    first = "lambd"
    example = "- softshrink: 0.1"


class Hardshrink(Activation):
    """x, and 0 if it is closer to 0 than lambd."""

    lambd: Real = argument("real", 0.5, low=0)

    key = "hardshrink"
    torch = "Hardshrink"
    attribute = "hardshrink"
    first = "lambd"
    example = "- hardshrink: 0.1"
