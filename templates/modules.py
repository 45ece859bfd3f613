"""Layers that torch has no class for. Each is printed whole into a file that uses it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlurPool(nn.Module):
    """Reflection padding, then a fixed binomial filter of each channel (Zhang, 2019)."""

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
    """Layer norm over the channels of each pixel, with the channels in front."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(1, -1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.movedim(-1, 1)


class ChannelScale(nn.Module):
    """A learned factor per channel (layer scale, Touvron et al., 2021)."""

    def __init__(self, channels: int, value: float, dims: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,) + (1,) * dims, value))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class ChannelsFirst(nn.Module):
    """Moves the channels in front of the spatial sizes."""

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(-1, 1)


class ChannelsLast(nn.Module):
    """Moves the channels behind the spatial sizes."""

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(1, -1)


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


class Reshape(nn.Module):
    """The numbers of each sample in another shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = list(shape)

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape([x.shape[0]] + self.shape)


class StochasticDepth(nn.Module):
    """Drops the whole branch of a sample while training (Huang et al., 2016)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        keep = 1.0 - self.p
        noise = x.new_empty([x.shape[0]] + [1] * (x.dim() - 1)).bernoulli_(keep)
        return x * noise.div_(keep) if keep > 0.0 else x * noise
