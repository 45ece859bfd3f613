"""The networks that ours must equal: torchvision's, and two written by hand.

`from support.peers import models` gives `torchvision.models` on every machine, as `archspec verify`
imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.verify.peers import torchvision_models

TORCHVISION = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
)

models = torchvision_models()


def torchvision_model(name: str, **options: Any) -> nn.Module:
    """One of torchvision's networks with random weights."""
    builder: Callable[..., nn.Module] = getattr(models, name)
    return builder(weights=None, **options)


class OptionA(nn.Module):
    """Every second pixel, then channels of zeros on both sides: no weights."""

    def __init__(self, extra: int) -> None:
        super().__init__()
        self.extra = extra

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.extra // 2, self.extra // 2))


class CifarBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., 2015)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        grows = channels != in_channels
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=1 + grows, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = OptionA(channels - in_channels) if grows else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class CifarResNet(nn.Module):
    """A ResNet for CIFAR with 6n + 2 layers (He et al., 2015, section 4.2)."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        n = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self.stage(n, 16, 16)
        self.layer2 = self.stage(n, 16, 32)
        self.layer3 = self.stage(n, 32, 64)
        self.fc = nn.Linear(64, 10)
        initialise(self)

    @staticmethod
    def stage(n: int, in_channels: int, channels: int) -> nn.Sequential:
        """`n` blocks, the first of which may grow."""
        first = CifarBlock(in_channels, channels)
        return nn.Sequential(first, *[CifarBlock(channels, channels) for _ in range(n - 1)])

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class LectureBlock(nn.Module):
    """`Residual` of Dive into Deep Learning, section 8.6, on channels known ahead."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        use_1x1conv: bool = False,
        strides: int = 1,
    ) -> None:
        super().__init__()
        shortcut: nn.Module | None = None
        if use_1x1conv:  # drawn ahead of the body's weights, and registered after them
            shortcut = nn.Conv2d(in_channels, channels, 1, stride=strides)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1, stride=strides)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.conv3 is not None:
            x = self.conv3(x)
        return torch.relu(y + x)


class LectureResNet18(nn.Module):
    """`ResNet18` of Dive into Deep Learning, section 8.6, under our names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(LectureBlock(64, 64), LectureBlock(64, 64))
        self.layer2 = self.stage(64, 128)
        self.layer3 = self.stage(128, 256)
        self.layer4 = self.stage(256, 512)
        self.fc = nn.Linear(512, 10)
        initialise(self)

    @staticmethod
    def stage(in_channels: int, channels: int) -> nn.Sequential:
        """Two blocks, the first of which halves the image."""
        return nn.Sequential(
            LectureBlock(in_channels, channels, use_1x1conv=True, strides=2),
            LectureBlock(channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def initialise(model: nn.Module) -> None:
    """Draw convolutions as He et al. do, in the order in which they were registered."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


#: Every peer by the name of the spec that must equal it.
PEERS: dict[str, Callable[[], nn.Module]] = {
    **{name: lambda name=name: torchvision_model(name) for name in TORCHVISION},  # type: ignore[misc]
    **{
        f"cifar_resnet{depth}": lambda depth=depth: CifarResNet(depth)  # type: ignore[misc]
        for depth in (20, 32, 44, 56, 110)
    },
    "resnet18_fashion_mnist": LectureResNet18,
    "resnet50_a3": lambda: torchvision_model("resnet50"),
}
