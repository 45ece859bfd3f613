"""Attention, embeddings, and recurrent layers: over positions, with channels last."""

import math
from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import plural
from archspec.ir import Method, Op, Real, Shape, ShapeError, argument


def sequence(op: Op, x: Shape) -> int:
    """The positions of the input sequence."""
    if x.rank != 1 or not x.last:
        hint = "add `flatten: {start_dim: 2}` and `channels_last` before it"
        if x.last:
            hint = "add `channels_first`, `flatten: {start_dim: 2}`, and `channels_last` before it"
        raise ShapeError(
            f"`{op.key}` expects a sequence with channels last, but its input is {x}", hint
        )
    return x.spatial[0]


MOST_LAYERS = 16


class Embedding(Op):
    """A learned vector for each integer: `input: [12]` is a sequence of twelve integers."""

    num_embeddings: int = argument("size")
    embedding_dim: int = argument("size", short="channels")

    key = "embedding"
    torch = "SequenceEmbedding"
    extends = "Embedding"
    attribute = "embedding"
    leaves = "embedding_dim"
    counts = True
    weighted = True
    example = "input: [12]\nstem: [{embedding: {num_embeddings: 1000, channels: 32}}, {lstm: 64}]"

    def output(self, x: Shape) -> Shape:
        if x.rank:
            raise ShapeError(
                f"`embedding` expects a sequence of integers, but its input is {x}",
                "use it first, in a network with a one-dimensional input: `input: [12]`",
            )
        return Shape(self.embedding_dim, (x.channels,), last=True)

    def weights(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}


class MultiheadAttention(Op):
    """Multi-head self-attention (Vaswani et al., 2017)."""

    embed_dim: int = argument("arrives")
    num_heads: int = argument("size", short="heads")
    dropout: Real = argument("real", 0.0, low=0, high=1)
    bias: bool = argument("flag", True)

    attends = True
    key = "multi_head_attention"
    torch = "SelfAttention"
    extends = "MultiheadAttention"
    attribute = "attention"
    first = "heads"
    weighted = True
    learned = (
        "in_proj_weight",
        "in_proj_bias",
        "out_proj.weight",
        "out_proj.bias",
    )
    example = "- flatten: {start_dim: 2}\n- channels_last\n- multi_head_attention: 4"
    autocast = "low"

    def output(self, x: Shape) -> Shape:
        sequence(self, x)
        if x.channels % self.num_heads:
            raise ShapeError(
                f"`{self.key}` cannot divide its {plural(x.channels, 'input channel')} into "
                f"{plural(self.num_heads, 'head')}",
                "use a number of channels divisible by the number of heads",
            )
        return x

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (math.inf,)

    def weights(self) -> dict[str, tuple[int, ...]]:
        wide = self.embed_dim
        of_input = {"in_proj_weight": (3 * wide, wide)}
        of_output: dict[str, tuple[int, ...]] = {"out_proj.weight": (wide, wide)}
        if not self.bias:
            return {**of_input, **of_output}
        biased = {**of_input, "in_proj_bias": (3 * wide,), **of_output}
        return {**biased, "out_proj.bias": (wide,)}

    def macs(self, y: Shape) -> int:
        length, wide = y.spatial[0], self.embed_dim
        return 4 * length * wide**2 + 2 * length**2 * wide

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        """The transposed input, queries, keys, values, the heads, and their normalizers."""
        return width * (5 * x.elements + self.num_heads * x.spatial[0])


class Select(Op):
    """The features at the first or last position of a sequence, such as those of a class token."""

    position: str = argument("choice", choices=("first", "last"))

    key = "select"
    torch = "Select"
    attribute = "select"
    first = "position"
    example = "- flatten: {start_dim: 2}\n- channels_last\n- lstm: 128\n- select: last"
    view = True
    written = True

    @classmethod
    def method(cls, words: Mapping[str, Any]) -> Method:
        return Method("select", (1, 0 if words["position"] == "first" else -1))

    def output(self, x: Shape) -> Shape:
        sequence(self, x)
        return Shape(x.channels)


class Transpose(Op):
    """Swaps positions and channels, to mix positions with layers that mix channels."""

    key = "transpose"
    torch = "Transpose"
    attribute = "transpose"
    example = "- flatten: {start_dim: 2}\n- channels_last\n- transpose\n- linear: 49\n- transpose"
    view = True
    written = True

    @classmethod
    def method(cls, words: Mapping[str, Any]) -> Method:
        return Method("transpose", (1, 2))

    def output(self, x: Shape) -> Shape:
        return Shape(sequence(self, x), (x.channels,), last=True)

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (math.inf,)


class Recurrent(Op):
    """The base of recurrent layers: each position uses the state of those before it."""

    input_size: int = argument("arrives")
    hidden_size: int = argument("size")
    num_layers: int = argument("size", 1, short="layers", high=MOST_LAYERS)
    bias: bool = argument("flag", True)
    dropout: Real = argument("real", 0.0, low=0, high=1)
    bidirectional: bool = argument("flag", False)

    first = "hidden_size"
    leaves = "hidden_size"
    weighted = True
    learned = tuple(
        f"{kind}_{of}_l{place}{way}"
        for place in range(MOST_LAYERS)
        for way in ("", "_reverse")
        for kind in ("weight", "bias")
        for of in ("ih", "hh")
    )
    gates = 1
    keeps = "y"
    autocast = "low"

    def output(self, x: Shape) -> Shape:
        sequence(self, x)
        if self.dropout and self.num_layers == 1:
            raise ShapeError(
                f"the `dropout` of `{self.key}` acts between its layers, but it has only one",
                "add a `dropout` after it",
            )
        return x._replace(channels=self.hidden_size * (2 if self.bidirectional else 1))

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (math.inf,)

    def weights(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        rows = self.gates * self.hidden_size
        for place in range(self.num_layers):
            entering = self.input_size if place == 0 else self.hidden_size
            if self.bidirectional and place:
                entering *= 2
            for way in ("", "_reverse") if self.bidirectional else ("",):
                found[f"weight_ih_l{place}{way}"] = (rows, entering)
                found[f"weight_hh_l{place}{way}"] = (rows, self.hidden_size)
                if self.bias:
                    found[f"bias_ih_l{place}{way}"] = (rows,)
                    found[f"bias_hh_l{place}{way}"] = (rows,)
        return found

    def macs(self, y: Shape) -> int:
        matrices = (shape for shape in self.weights().values() if len(shape) == 2)
        return y.spatial[0] * sum(rows * columns for rows, columns in matrices)

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        """The input, and the gates and states of each layer at each position."""
        return width * (x.elements + y.elements * self.num_layers * (self.gates + 3))


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997); outputs every state."""

    key = "lstm"
    torch = "SequenceLSTM"
    extends = "LSTM"
    attribute = "lstm"
    gates = 4
    example = "- flatten: {start_dim: 2}\n- channels_last\n- lstm: 128"


class GRU(Recurrent):
    """Gated recurrent units (Cho et al., 2014)."""

    key = "gru"
    torch = "SequenceGRU"
    extends = "GRU"
    attribute = "gru"
    gates = 3
    example = (
        "- flatten: {start_dim: 2}\n- channels_last\n- gru: {hidden_size: 64, bidirectional: true}"
    )
