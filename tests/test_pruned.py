"""Pruned checkpoints: `infer` finds the widths of a shipped spec, block by block."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import archspec
from archspec.api import MEMO
from archspec.infer import Inference, infer
from archspec.language.load import parse_text
from support.peers import torchvision_model


def cut(module: nn.Module, leaves: int | None = None, arrives: int | None = None) -> None:
    """Leaves the first channels of a convolution, norm or linear layer."""
    for name, tensor in module.state_dict().items():
        if tensor.ndim:
            short = tensor[:leaves] if tensor.ndim == 1 else tensor[:leaves, :arrives]
            kept = nn.Parameter(short) if name in ("weight", "bias") else short
            setattr(module, name, kept)


def pruned_by_hand() -> nn.Module:
    """torchvision's ResNet-18 with fewer channels in two stages, and within each block."""
    torch.manual_seed(0)
    model = torchvision_model("resnet18").eval()
    for number, width in ((1, 40), (2, 55), (3, 70), (4, 90)):
        for block in getattr(model, f"layer{number}"):
            cut(block.conv1, leaves=width)
            cut(block.bn1, leaves=width)
            cut(block.conv2, arrives=width)
            width += number % 3
    for module in (model.layer4[0].conv2, model.layer4[0].bn2, *model.layer4[0].downsample):
        cut(module, leaves=200)
    cut(model.layer4[1].conv1, arrives=200)
    cut(model.layer4[1].conv2, leaves=200)
    cut(model.layer4[1].bn2, leaves=200)
    cut(model.fc, arrives=200)
    return model


def lines(found: Inference) -> list[str]:
    assert found.text is not None, found.reasons
    return [line for line in found.text.splitlines() if not line.startswith("#")]


def test_a_network_pruned_by_hand_comes_back() -> None:
    model = pruned_by_hand()
    state = model.state_dict()
    found = infer({name: tuple(tensor.shape) for name, tensor in state.items()}, "mine")
    assert lines(found) == [
        "extends: resnet18",
        "name: mine",
        "stages:",
        "  layer1: {width: [40, 41]}",
        "  layer2: {width: [55, 57]}",
        "  layer3: {width: 70}",
        "  layer4:",
        "    channels: 200",
        "    shrink: the widths are those of the checkpoint",
        "    width: [90, 91]",
    ]
    assert found.text
    ours = archspec.build_module(parse_text(found.text, "mine")).eval()
    ours.load_state_dict(state, strict=True)
    image = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(image), model(image))


MOBILENET = """\
extends: mobilenet_v2
name: mine
stages:
  features:
    - [{conv_norm_act: {channels: 18, kernel: 3, stride: 2}}]
    - inverted_residual: {channels: 11, expansion: 1}
    - {inverted_residual: {channels: 22, stride: 2, width: [64, 95]}, repeat: 2}
    - {inverted_residual: {channels: 32, stride: 2, width: [95, 137, 136]}, repeat: 3}
    - {inverted_residual: {channels: 64, stride: 2, width: [134, 265, 268, 269]}, repeat: 4}
    - {inverted_residual: {channels: 96, width: [269, 400, 409]}, repeat: 3}
    - {inverted_residual: {channels: 160, stride: 2, width: [391, 678, 683]}, repeat: 3}
    - inverted_residual: {channels: 303, width: 687}
    - [{conv_norm_act: 703}]
"""


def test_layers_in_a_list_have_widths_turn_by_turn() -> None:
    found = infer(archspec.analyze(parse_text(MOBILENET, "test", memo=MEMO)).state, "mine")
    assert lines(found) == MOBILENET.splitlines()


@pytest.mark.parametrize("key", ["layer2.1.conv1.weight", "layer3.0.bn1.weight"])
def test_widths_that_do_not_agree_are_refused(key: str) -> None:
    text = "extends: resnet18\nname: mine\nstages: {layer2: {width: [50, 60]}}\n"
    shapes = archspec.analyze(parse_text(text, "test")).state
    assert infer(shapes).text is not None
    size, *rest = shapes[key]
    found = infer({**shapes, key: (size + 1, *rest)})
    assert found.text is None
    assert found.reasons
