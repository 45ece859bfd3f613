"""Functions over all channels: softmax, and gates."""

from archspec.ir import Op, Shape, ShapeError, argument


class OverChannels(Op):
    """A function over the channels, wherever that dimension is."""

    dim: int = argument("axis", 1)


class Softmax(OverChannels):
    """Probabilities over the channels. Cross-entropy expects the input of the softmax, not its
    output.
    """

    key = "softmax"
    torch = "Softmax"
    attribute = "softmax"
    shares = True
    example = "- global_avg_pool\n- flatten\n- linear: 10\n- softmax"
    keeps = "y"


class LogSoftmax(OverChannels):
    """The logarithms of the softmax."""

    key = "log_softmax"
    torch = "LogSoftmax"
    attribute = "log_softmax"
    shares = True
    keeps = "y"


class Softmin(OverChannels):
    """The softmax of -x."""

    key = "softmin"
    torch = "Softmin"
    attribute = "softmin"
    shares = True
    keeps = "y"


class GLU(OverChannels):
    """The first half of the channels times the sigmoid of the second (Dauphin et al., 2017)."""

    key = "glu"
    torch = "GLU"
    attribute = "glu"
    example = "- conv: {channels: 128, kernel: 3}\n- glu"
    keeps = "x"

    def output(self, x: Shape) -> Shape:
        if x.channels % 2:
            raise ShapeError(
                f"`glu` halves the channels, but the input has {x.channels}", "use an even number"
            )
        return x._replace(channels=x.channels // 2)
