"""docs/shapes.md: each recipe computes what the same network written by hand does."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.cli import main
from archspec.verify.tensors import randomise
from support import ROOT
from support.draws import undrawn
from support.modules import READERS, images
from support.peers import models

TEXT = (ROOT / "docs" / "shapes.md").read_text("utf-8")
CLASSES = re.findall(r"```python\n# mypkg/layers.py\n(.*?)```", TEXT, re.DOTALL)
RECIPES: dict[str, str] = dict(re.findall(r"```yaml\n# (\w+)\.yaml\n(.*?)```", TEXT, re.DOTALL))


LAYERS = ModuleType("mypkg.layers")
exec(compile("\n".join(CLASSES), "mypkg/layers.py", "exec"), vars(LAYERS))


def conv(arrive: int, leave: int, kernel: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(arrive, leave, kernel, padding=kernel // 2, bias=bias)


def norm_act(arrive: int, leave: int) -> list[nn.Module]:
    return [conv(arrive, leave, 3), nn.BatchNorm2d(leave), nn.ReLU()]


def pair(arrive: int, leave: int) -> nn.Sequential:
    return nn.Sequential(*norm_act(arrive, leave), *norm_act(leave, leave))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fine, self.middle, self.coarse = pair(3, 16), pair(16, 32), pair(32, 64)
        self.reduce1, self.join1 = conv(64, 32), pair(64, 32)
        self.reduce2, self.join2 = conv(32, 16), pair(32, 16)
        self.classify = conv(16, 2, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(x)
        middle = self.middle(F.max_pool2d(fine, 2))
        x = self.coarse(F.max_pool2d(middle, 2))
        x = self.join1(torch.cat([middle, like(self.reduce1(x), middle)], 1))
        x = self.join2(torch.cat([fine, like(self.reduce2(x), fine)], 1))
        return self.classify(x)


def like(x: Tensor, other: Tensor) -> Tensor:
    return F.interpolate(x, other.shape[-2:])


class Pyramid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = models.resnet18()
        del self.body.fc
        self.lateral = nn.ModuleList(conv(width, 64) for width in (512, 256, 128, 64))
        self.smooth = nn.ModuleList(conv(64, 64, 3) for _ in range(4))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        b = self.body
        x = b.maxpool(b.relu(b.bn1(b.conv1(x))))
        c2 = b.layer1(x)
        c3 = b.layer2(c2)
        c4 = b.layer3(c3)
        m5 = self.lateral[0](b.layer4(c4))
        m4 = self.lateral[1](c4) + like(m5, c4)
        m3 = self.lateral[2](c3) + like(m4, c3)
        m2 = self.lateral[3](c2) + like(m3, c2)
        return tuple(smooth(m) for smooth, m in zip(self.smooth, (m2, m3, m4, m5), strict=True))


class DeepLab(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first = nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        second = nn.Conv2d(16, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()
        self.stem = nn.Sequential(*first, *second)
        self.aspp = models.segmentation.deeplabv3.ASPP(32, [2, 4, 6], 64)
        self.head = nn.Sequential(*norm_act(64, 64), conv(64, 21, bias=True))

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(self.aspp(self.stem(x)))
        return F.interpolate(y, x.shape[-2:], mode="bilinear")


class C2f(nn.Module):
    """As in YOLOv8: a list of all outputs, which is concatenated once."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.half = half = channels // 2
        self.cv1 = self.norm_act(channels, channels, 1)
        self.m = nn.ModuleList(
            nn.Sequential(self.norm_act(half, half, 3), self.norm_act(half, half, 3))
            for _ in range(depth)
        )
        self.cv2 = self.norm_act(channels + depth * half, channels, 1)

    @staticmethod
    def norm_act(arrive: int, leave: int, kernel: int, stride: int = 1) -> nn.Sequential:
        made = nn.Conv2d(arrive, leave, kernel, stride, kernel // 2, bias=False)
        return nn.Sequential(made, nn.BatchNorm2d(leave), nn.SiLU())

    def forward(self, x: Tensor) -> Tensor:
        y = list(self.cv1(x).split(self.half, 1))
        for layer in self.m:
            y.append(y[-1] + layer(y[-1]))
        return self.cv2(torch.cat(y, 1))


def small_yolo() -> nn.Module:
    layers: list[nn.Module] = [C2f.norm_act(3, 16, 3, 2)]
    for channels, depth in ((32, 1), (64, 3), (128, 2)):
        layers += [C2f.norm_act(channels // 2, channels, 3, 2), C2f(channels, depth)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32))
        down = nn.Sequential(nn.Conv2d(32, 64, 1, 2, bias=False), nn.BatchNorm2d(64))
        block: Any = models.resnet.BasicBlock
        self.body = nn.Sequential(block(32, 64, 2, down), block(64, 64))
        self.label, self.box = nn.Linear(64, 10), nn.Linear(64, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(torch.relu(self.stem(x))).mean((2, 3))
        return self.label(x), self.box(x)


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first = nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()
        second = nn.Conv2d(32, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()
        self.encode = nn.Sequential(*first, *second)
        self.hidden, self.same = nn.Linear(128, 32), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        sides = [self.encode(side).mean((2, 3)) for side in x.chunk(2, 1)]
        return self.same(torch.relu(self.hidden(torch.cat(sides, 1))))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 64, 4, 4, bias=False)
        layer = nn.TransformerEncoderLayer(64, 4, 256, 0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm, self.fc = nn.LayerNorm(64), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(self.patches(x).flatten(2).transpose(1, 2))
        return self.fc(self.norm(x)[:, 0])


class Gated(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(32, 64, 2, dilation=dilation, bias=False)
        self.side = nn.Conv1d(32, 64, 1, bias=False)
        self.residual = nn.Conv1d(32, 32, 1, bias=False)
        self.dilation = dilation

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        value, gate = self.conv(F.pad(x, (self.dilation, 0))).chunk(2, 1)
        y = torch.tanh(value) * torch.sigmoid(gate)
        return x + self.residual(y), self.side(y)


class WaveNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Conv1d(1, 32, 2, bias=False)
        self.layers = nn.ModuleList(Gated(2**n) for n in range(3))
        self.end = nn.Conv1d(64, 256, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, total = self.start(F.pad(x, (1, 0))), torch.zeros(())
        for layer in self.layers:
            x, side = layer(x)
            total = total + side
        return self.end(torch.relu(total))


def generator() -> nn.Module:
    widths = (100, 512, 256, 128, 64)
    layers: list[nn.Module] = []
    for n, (arrive, leave) in enumerate(pairwise(widths)):
        how = (1, 0) if n == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(arrive, leave, 4, *how, bias=False)]
        layers += [nn.BatchNorm2d(leave), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())


class EDSR(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = conv(3, 64, 3, bias=True)
        self.body = nn.ModuleList(
            nn.Sequential(conv(64, 64, 3, bias=True), nn.ReLU(), conv(64, 64, 3, bias=True))
            for _ in range(4)
        )
        self.last, self.expand = conv(64, 64, 3, bias=True), conv(64, 256, 3, bias=True)
        self.image = conv(64, 3, 3, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        x = y = self.first(x)
        for block in self.body:
            y = y + block(y)
        return self.image(F.pixel_shuffle(self.expand(self.last(y) + x), 2))


def eca_resnet18() -> nn.Module:
    model = models.resnet18()
    for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
        for block in stage:
            block.bn2 = nn.Sequential(block.bn2, LAYERS.ECA(3))
    return model


PEERS: dict[str, tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...]]] = {
    "small_unet": (UNet, ((3, 64, 64), (3, 45, 70))),
    "pyramid": (Pyramid, ((3, 40, 40), (3, 33, 47))),
    "deeplab": (DeepLab, ((3, 65, 65), (3, 50, 79))),
    "small_yolo": (small_yolo, ((3, 64, 64), (3, 75, 101))),
    "two_heads": (TwoHeads, ((3, 64, 64), (3, 33, 47))),
    "siamese": (Siamese, ((6, 64, 64), (6, 45, 70))),
    "encoder": (Encoder, ((3, 32, 32), (3, 20, 36))),
    "wavenet": (WaveNet, ((1, 256), (1, 77))),
    "generator": (generator, ((100, 1, 1), (100, 3, 2))),
    "edsr": (EDSR, ((3, 16, 16), (3, 11, 14))),
    "eca_resnet18": (eca_resnet18, ((3, 40, 40), (3, 33, 47))),
}


@pytest.fixture(autouse=True)
def own_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that a recipe imports from."""
    monkeypatch.setitem(sys.modules, "mypkg", ModuleType("mypkg"))
    monkeypatch.setitem(sys.modules, "mypkg.layers", LAYERS)


def built(reader: str, path: Path) -> nn.Module:
    given = {"modules": {"ECA": LAYERS.ECA}} if "import: mypkg" in path.read_text("utf-8") else {}
    return READERS[reader](path, **(given if reader == "interpreted" else {}))


def recipe(name: str, folder: Path) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(RECIPES[name], "utf-8")
    return path


def test_every_recipe_has_a_peer() -> None:
    assert RECIPES.keys() == PEERS.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_short_and_clean(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recipe(name, tmp_path)
    (tmp_path / "archspec.toml").write_text('imports = ["mypkg"]\n')
    monkeypatch.chdir(tmp_path)
    assert RECIPES[name].count("\n") < 30
    assert main(["lint", "--strict", "--no-cache", str(path)]) == 0


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_computes_what_the_peer_does(name: str, reader: str, tmp_path: Path) -> None:
    build, shapes = PEERS[name]
    peer = undrawn(build).double().eval()
    randomise(peer)
    model = undrawn(partial(built, reader, recipe(name, tmp_path))).double().eval()
    copy(peer, model)
    for shape in shapes:
        x = images(2, *shape).double()
        with torch.no_grad():
            pairs = zip(outputs(model(x)), outputs(peer(x)), strict=True)
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def outputs(y: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return y if isinstance(y, tuple) else (y,)


def copy(peer: nn.Module, model: nn.Module) -> None:
    """Weights by their names where these agree, else by the order of the layers."""
    state = {key.replace("layers.layers", "layers"): v for key, v in peer.state_dict().items()}
    if state.keys() == model.state_dict().keys():
        model.load_state_dict(state)
        return
    ours, theirs = ([*leaves(module)] for module in (model, peer))
    assert [shapes(layer) for layer in ours] == [shapes(layer) for layer in theirs]
    for one, other in zip(ours, theirs, strict=True):
        one.load_state_dict(other.state_dict())


def leaves(module: nn.Module) -> Iterable[nn.Module]:
    """The layers with weights, as they are registered; attention is one."""
    for child in module.children():
        if isinstance(child, nn.MultiheadAttention) or not [*child.children()]:
            yield from [child] * bool(child.state_dict())
        else:
            yield from leaves(child)


def shapes(layer: nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(value.shape)) for name, value in layer.state_dict().items()]
