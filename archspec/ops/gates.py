"""Functions over all channels: softmax, and gates."""

from __future__ import annotations

from typing import ClassVar

from archspec.ir import Op, Shape, ShapeError, argument


class OverChannels(Op):
    """A function over the channels, wherever that dimension is."""

    dim: int = argument("axis", 1)


class Softmax(OverChannels):
    """Probabilities over the channels. Cross-entropy expects the input of the softmax, not its
    output.
    """

    key: ClassVar[str] = "softmax"
    torch: ClassVar[str] = "Softmax"
    attribute: ClassVar[str] = "softmax"
    shares: ClassVar[bool] = True
    example: ClassVar[str] = "- global_avg_pool\n- flatten\n- linear: 10\n- softmax"
    keeps: ClassVar[str] = "y"


class LogSoftmax(OverChannels):
    """The logarithms of the softmax."""

    key: ClassVar[str] = "log_softmax"
    torch: ClassVar[str] = "LogSoftmax"
    attribute: ClassVar[str] = "log_softmax"
    shares: ClassVar[bool] = True
    keeps: ClassVar[str] = "y"


class Softmin(OverChannels):
    """The softmax of -x."""

    key: ClassVar[str] = "softmin"
    torch: ClassVar[str] = "Softmin"
    attribute: ClassVar[str] = "softmin"
    shares: ClassVar[bool] = True
    keeps: ClassVar[str] = "y"


class GLU(OverChannels):
    """The first half of the channels times the sigmoid of the second (Dauphin et al., 2017)."""

    key: ClassVar[str] = "glu"
    torch: ClassVar[str] = "GLU"
    attribute: ClassVar[str] = "glu"
    example: ClassVar[str] = "- conv: {channels: 128, kernel: 3}\n- glu"
    keeps: ClassVar[str] = "x"

    def output(self, x: Shape) -> Shape:
        if x.channels % 2:
            raise ShapeError(
                f"`glu` halves the channels, but the input has {x.channels}", "use an even number"
            )
        return x._replace(channels=x.channels // 2)
