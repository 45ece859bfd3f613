"""Elementwise functions."""

from __future__ import annotations

from typing import ClassVar

from archspec.ir import Op, Real, Shape, argument


class Activation(Op):
    """An elementwise function."""

    activation: ClassVar[bool] = True
    keeps: ClassVar[str] = "x"


class SiLU(Activation):
    """x * sigmoid(x), also called swish."""

    key: ClassVar[str] = "silu"
    torch: ClassVar[str] = "SiLU"
    attribute: ClassVar[str] = "silu"


class GELU(Activation):
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016)."""

    approximate: str = argument("choice", "none", choices=("none", "tanh"))

    key: ClassVar[str] = "gelu"
    torch: ClassVar[str] = "GELU"
    attribute: ClassVar[str] = "gelu"
    example: ClassVar[str] = "- gelu: {approximate: tanh}"


class Mish(Activation):
    """x * tanh(softplus(x)) (Misra, 2019)."""

    key: ClassVar[str] = "mish"
    torch: ClassVar[str] = "Mish"
    attribute: ClassVar[str] = "mish"


class Tanh(Activation):
    """The hyperbolic tangent."""

    key: ClassVar[str] = "tanh"
    torch: ClassVar[str] = "Tanh"
    attribute: ClassVar[str] = "tanh"
    keeps: ClassVar[str] = "y"


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    key: ClassVar[str] = "sigmoid"
    torch: ClassVar[str] = "Sigmoid"
    attribute: ClassVar[str] = "sigmoid"
    keeps: ClassVar[str] = "y"


class Hardsigmoid(Activation):
    """relu6(x + 3) / 6."""

    key: ClassVar[str] = "hard_sigmoid"
    torch: ClassVar[str] = "Hardsigmoid"
    attribute: ClassVar[str] = "hardsigmoid"


class Hardswish(Activation):
    """x * relu6(x + 3) / 6 (MobileNetV3)."""

    key: ClassVar[str] = "hard_swish"
    torch: ClassVar[str] = "Hardswish"
    attribute: ClassVar[str] = "hardswish"


class Softplus(Activation):
    """log(1 + exp(beta * x)) / beta, and x itself above the threshold."""

    beta: Real = argument("real", 1.0, low=1e-6)
    threshold: Real = argument("real", 20.0)

    key: ClassVar[str] = "softplus"
    torch: ClassVar[str] = "Softplus"
    attribute: ClassVar[str] = "softplus"


class Softsign(Activation):
    """x / (1 + |x|)."""

    key: ClassVar[str] = "softsign"
    torch: ClassVar[str] = "Softsign"
    attribute: ClassVar[str] = "softsign"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements


class LogSigmoid(Activation):
    """log(sigmoid(x))."""

    key: ClassVar[str] = "log_sigmoid"
    torch: ClassVar[str] = "LogSigmoid"
    attribute: ClassVar[str] = "logsigmoid"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements


class Tanhshrink(Activation):
    """x - tanh(x)."""

    key: ClassVar[str] = "tanhshrink"
    torch: ClassVar[str] = "Tanhshrink"
    attribute: ClassVar[str] = "tanhshrink"
    keeps: ClassVar[str] = ""

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * x.elements


class Softshrink(Activation):
    """x moved towards 0 by lambd, and 0 if it is closer to 0 than that."""

    lambd: Real = argument("real", 0.5, low=0)

    key: ClassVar[str] = "softshrink"
    torch: ClassVar[str] = "Softshrink"
    attribute: ClassVar[str] = "softshrink"
    first: ClassVar[str | None] = "lambd"
    example: ClassVar[str] = "- softshrink: 0.1"


class Hardshrink(Activation):
    """x, and 0 if it is closer to 0 than lambd."""

    lambd: Real = argument("real", 0.5, low=0)

    key: ClassVar[str] = "hardshrink"
    torch: ClassVar[str] = "Hardshrink"
    attribute: ClassVar[str] = "hardshrink"
    first: ClassVar[str | None] = "lambd"
    example: ClassVar[str] = "- hardshrink: 0.1"
