"""Functions of each number by itself."""

from __future__ import annotations

from typing import ClassVar

from archspec.ir import Op, Real, argument, op


@op
class Activation(Op):
    """A function of each number by itself."""

    activation: ClassVar[bool] = True


@op
class ReLU(Activation):
    """max(0, x)."""

    key: ClassVar[str] = "relu"
    torch: ClassVar[str] = "ReLU"
    attribute: ClassVar[str] = "relu"


@op
class ReLU6(Activation):
    """min(max(0, x), 6)."""

    key: ClassVar[str] = "relu6"
    torch: ClassVar[str] = "ReLU6"
    attribute: ClassVar[str] = "relu"


@op
class LeakyReLU(Activation):
    """x where positive, a small multiple of x elsewhere."""

    negative_slope: Real = argument("real", 0.01, short="slope")

    key: ClassVar[str] = "leaky_relu"
    torch: ClassVar[str] = "LeakyReLU"
    attribute: ClassVar[str] = "relu"
    first: ClassVar[str | None] = "slope"
    example: ClassVar[str] = "- leaky_relu: 0.2"


@op
class SiLU(Activation):
    """x * sigmoid(x), also called swish."""

    key: ClassVar[str] = "silu"
    torch: ClassVar[str] = "SiLU"
    attribute: ClassVar[str] = "silu"


@op
class GELU(Activation):
    """x times the normal distribution function of x (Hendrycks & Gimpel, 2016)."""

    approximate: str = argument("choice", "none", choices=("none", "tanh"))

    key: ClassVar[str] = "gelu"
    torch: ClassVar[str] = "GELU"
    attribute: ClassVar[str] = "gelu"
    example: ClassVar[str] = "- gelu: {approximate: tanh}"


@op
class Mish(Activation):
    """x * tanh(softplus(x)) (Misra, 2019)."""

    key: ClassVar[str] = "mish"
    torch: ClassVar[str] = "Mish"
    attribute: ClassVar[str] = "mish"


@op
class Tanh(Activation):
    """The hyperbolic tangent."""

    key: ClassVar[str] = "tanh"
    torch: ClassVar[str] = "Tanh"
    attribute: ClassVar[str] = "tanh"


@op
class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    key: ClassVar[str] = "sigmoid"
    torch: ClassVar[str] = "Sigmoid"
    attribute: ClassVar[str] = "sigmoid"


@op
class Hardsigmoid(Activation):
    """relu6(x + 3) / 6."""

    key: ClassVar[str] = "hard_sigmoid"
    torch: ClassVar[str] = "Hardsigmoid"
    attribute: ClassVar[str] = "hardsigmoid"


@op
class Hardswish(Activation):
    """x * relu6(x + 3) / 6 (MobileNetV3)."""

    key: ClassVar[str] = "hard_swish"
    torch: ClassVar[str] = "Hardswish"
    attribute: ClassVar[str] = "hardswish"
