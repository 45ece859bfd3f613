"""Layers that torch has no class for. Each is printed as a whole into a file that uses
it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlurPool(nn.Module):
    """Reflection padding, then a fixed binomial filter per channel (Zhang, 2019)."""

    filt: Tensor

    def __init__(
        self, channels: int, kernel_size: int = 3, stride: int = 2, dims: int = 2
    ) -> None:
        super().__init__()
        self.channels = channels
        self.stride = [stride] * dims
        self.edges = [(stride - 1 + kernel_size - 1) // 2] * (2 * dims)
        self.none = [0] * dims
        self.one = [1] * dims
        row = torch.ones(1)
        for _ in range(kernel_size - 1):
            row = F.pad(row, (1, 0)) + F.pad(row, (0, 1))
        filt = torch.ones(())
        for _ in range(dims):
            filt = filt.unsqueeze(-1) * row / row.sum()
        filt = filt.expand(channels, 1, *filt.shape).contiguous()
        self.register_buffer("filt", filt, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, self.edges, mode="reflect")
        return torch.convolution(
            x,
            self.filt,
            None,
            self.stride,
            self.none,
            self.one,
            False,
            self.none,
            self.channels,
        )


class ChannelLayerNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel, with channels first."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(1, -1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.movedim(-1, 1)


class ChannelRMSNorm(nn.RMSNorm):
    """RMS norm over the channels of each pixel, with channels first."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(1, -1)
        x = F.rms_norm(x, self.normalized_shape, self.weight, self.eps)
        return x.movedim(-1, 1)


class ChannelScale(nn.Module):
    """A learned factor per channel (layer scale, Touvron et al., 2021)."""

    def __init__(self, channels: int, value: float, dims: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,) + (1,) * dims, value))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class ChannelsFirst(nn.Module):
    """Moves the channels before the spatial dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(-1, 1)


class ChannelsLast(nn.Module):
    """Moves the channels after the spatial dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(1, -1)


class Crop(nn.Module):
    """Removes pixels at the edges: left and right, then top and bottom."""

    def __init__(self, padding: int | tuple[int, ...], dims: int = 2) -> None:
        super().__init__()
        edges = (padding,) * (2 * dims) if isinstance(padding, int) else padding
        self.edges = [-pixels for pixels in edges]

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.edges)


class FrozenBatchNorm(nn.Module):
    """A batch norm with frozen statistics, weights, and biases, as they are loaded."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        bias = self.bias - self.running_mean * scale
        shape = [1, -1] + [1] * (x.dim() - 2)
        return x * scale.reshape(shape) + bias.reshape(shape)


class GlobalResponseNorm(nn.Module):
    """Scales channels by their share of the energy (ConvNeXt V2, Woo et al., 2023)."""

    def __init__(self, channels: int, dim: int = 1, eps: float = 1e-6) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(self.dim, -1)
        energy = x.norm(2, dim=list(range(1, x.dim() - 1)), keepdim=True)
        share = energy / (energy.mean(-1, keepdim=True) + self.eps)
        x = x + torch.addcmul(self.bias, self.weight, x * share)
        return x.movedim(-1, self.dim)


class Max(nn.Module):
    """The maximum over the channels or a spatial dimension, which stays with size 1."""

    def __init__(self, over: str) -> None:
        super().__init__()
        sizes = ["length", "width", "height", "depth"]
        self.dim = 1 if over == "channels" else min(-sizes.index(over), -1)

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(self.dim, keepdim=True)


class Mean(nn.Module):
    """The mean over the channels or one spatial dimension, which stays with size 1."""

    def __init__(self, over: str) -> None:
        super().__init__()
        sizes = ["length", "width", "height", "depth"]
        self.dim = 1 if over == "channels" else min(-sizes.index(over), -1)

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.dim, keepdim=True)


class PadChannels(nn.Module):
    """Adds channels of zeros on both sides, or at the end."""

    def __init__(
        self, in_channels: int, out_channels: int, where: str = "both"
    ) -> None:
        super().__init__()
        extra = out_channels - in_channels
        before = extra // 2 if where == "both" else 0
        self.before = before
        self.after = extra - before

    def forward(self, x: Tensor) -> Tensor:
        spatial = [0, 0] * (x.dim() - 2)
        return F.pad(x, spatial + [self.before, self.after])


class Rescale(nn.Module):
    """Multiplies by a constant that is not learned."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Reshape(nn.Module):
    """The values of each sample in another shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = list(shape)

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape([x.shape[0]] + self.shape)


class ScaledStdConv2d(nn.Conv2d):
    """A standardized convolution with gain (NFNets, Brock et al., 2021, section 2)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        gamma: float = 1.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
        )
        self.gain = nn.Parameter(torch.ones(out_channels, 1, 1, 1))
        self.scale = gamma * self.weight[0].numel() ** -0.5
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        rows = self.weight.reshape(1, self.out_channels, -1)
        gain = (self.gain * self.scale).flatten()
        rows = F.batch_norm(rows, None, None, gain, None, True, 0.0, self.eps)
        return self._conv_forward(x, rows.reshape_as(self.weight), self.bias)


class Select(nn.Module):
    """The features at the first or last position of a sequence."""

    def __init__(self, position: str) -> None:
        super().__init__()
        self.index = 0 if position == "first" else -1

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.index]


class SelfAttention(nn.MultiheadAttention):
    """Self-attention over [length, channels] (Vaswani et al., 2017, section 3.2)."""

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True
    ) -> None:
        super().__init__(embed_dim, num_heads, dropout, bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(0, 1)
        x, _ = F.multi_head_attention_forward(
            x,
            x,
            x,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            None,
            None,
            False,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            need_weights=False,
        )
        return x.transpose(0, 1)


class SequenceEmbedding(nn.Embedding):
    """A learned vector for each integer; the integers may be floats."""

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__(num_embeddings, embedding_dim)

    def forward(self, x: Tensor) -> Tensor:
        return F.embedding(x.long(), self.weight)


class SequenceGRU(nn.GRU):
    """A GRU over [length, channels], starting with zeros; outputs every state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, True, dropout, bidirectional
        )

    def forward(self, x: Tensor) -> Tensor:
        layers = self.num_layers * (2 if self.bidirectional else 1)
        x, _ = torch.gru(
            x,
            x.new_zeros(layers, x.shape[0], self.hidden_size),
            self._flat_weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            True,
        )
        return x


class SequenceLSTM(nn.LSTM):
    """An LSTM over [length, channels], starting with zeros; outputs every state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, True, dropout, bidirectional
        )

    def forward(self, x: Tensor) -> Tensor:
        layers = self.num_layers * (2 if self.bidirectional else 1)
        state = x.new_zeros(layers, x.shape[0], self.hidden_size)
        x, _, _ = torch.lstm(
            x,
            [state, state],
            self._flat_weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            True,
        )
        return x


class StdConv2d(nn.Conv2d):
    """A convolution with standardized kernels (Qiao et al., 2019, section 3.1)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        eps: float = 1e-6,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
        )
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        rows = self.weight.reshape(1, self.out_channels, -1)
        rows = F.batch_norm(rows, None, None, None, None, True, 0.0, self.eps)
        return self._conv_forward(x, rows.reshape_as(self.weight), self.bias)


class StochasticDepth(nn.Module):
    """Drops a residual's branch per sample during training (Huang et al., 2016)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        keep = 1.0 - self.p
        noise = x.new_empty([x.shape[0]] + [1] * (x.dim() - 1)).bernoulli_(keep)
        return x * noise.div_(keep) if keep > 0.0 else x * noise


class Transpose(nn.Module):
    """Swaps the positions and the channels of a sequence."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)
