"""Other families than the ResNets, and what stages can say, each against a peer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from support import DATA, analyzed
from support.families import small
from support.modules import evaluate, images, same_bits
from support.zoo_peers import (
    CONVNEXT,
    IMAGES,
    OF_TIMM,
    PAIRS,
    PREACT,
    ZOO,
    BasicBlock,
    Bottleneck,
    Pair,
    assert_same_function,
    conv1x1,
    convnext_pair,
    efficientnet_pair,
    mobilenet_pair,
    narrow_of_timm,
    preact_pair,
    reduced,
    res2net_pair,
    resnet_pairs,
    shallow_of_timm,
    small_alexnet,
    small_convmixer,
    small_densenet,
    small_efficientnet_v2,
    small_mixer,
    small_mobileone,
    small_nf_resnet,
    small_of_timm,
    small_regnet,
    small_vgg,
    torchvision_pair,
    vit_pair,
)

COUNTS: dict[str, dict[str, Any]] = json.loads((DATA / "families.json").read_text("utf-8"))[
    "networks"
]
#: Of each of torchvision's families, the smallest that is compared in full here.
SMALLEST = (
    *("squeezenet1_1", "googlenet", "shufflenet_v2_x0_5", "mobilenet_v2"),
    *("mnasnet0_5", "mobilenet_v3_small", "mobilenet_v3_large"),
)

#: How many times narrower; the groups of `resnet51q` have a few channels each.
NARROWER = {"darknet53": 4, "cspresnet50": 4, "gernet_l": 4, "resnet51q": 2, "repvgg_a0": 2}


def on_smaller_images(name: str) -> Pair:
    """One of torchvision's, in full."""
    return replace(torchvision_pair(name), shapes=IMAGES)


#: Small enough for a test; `compare_zoo.py` compares all, in full.
COMPARED: dict[str, Callable[[], Pair]] = {
    **{
        name: partial(preact_pair, name) for name in PREACT if name not in ("wrn_28_10", "wrn_16_8")
    },
    **{
        name: partial(small_regnet, name)
        for name in ("regnet_x_400mf", "regnet_x_8gf", "regnet_y_400mf")
    },
    "alexnet": small_alexnet,
    **{name: partial(small_vgg, name) for name in ("vgg11", "vgg11_bn")},
    **{name: partial(on_smaller_images, name) for name in SMALLEST},
    "densenet121": small_densenet,
    "efficientnet_b0 of half the size": partial(efficientnet_pair, 0.5),
    "efficientnet_v2_s": small_efficientnet_v2,
    "mobilenet_v2 of half the width": partial(mobilenet_pair, 0.5),
    "convnext_tiny": partial(convnext_pair, "convnext_tiny"),
    "convnext_base": partial(convnext_pair, "convnext_base"),
    "vit_b_16": partial(vit_pair, 64),
    "vit_b_32": partial(vit_pair, 96, 32),
    **resnet_pairs(full=False),
    "res2net50_26w_4s": res2net_pair,
    "hrnet_w18_small": PAIRS["hrnet_w18_small"],
    **{name: PAIRS[name] for name in OF_TIMM},
    **{name: partial(small_of_timm, name, by) for name, by in NARROWER.items()},
    **{name: partial(shallow_of_timm, name) for name in ("starnet_s1", "convnextv2_atto")},
    **{name: partial(narrow_of_timm, name, 4) for name in ("skresnet18", "resnest14d")},
    "convmixer_768_32": small_convmixer,
    "mobileone_s0": small_mobileone,
    "mixer_s32_224": small_mixer,
    "nf_resnet50": small_nf_resnet,
    "residual_mlp": PAIRS["residual_mlp"],
}

#: They differ from another one in widths, depths, kernels, or dilated stages alone.
ALIKE = (
    *("cifar_preresnet1001", "regnet_x_8gf", "mobilenet_v2", "mobilenet_v3_large"),
    *("convnext_base", "vit_b_32", "resnet50_os16", "timm's output stride 16", "vgg11"),
)


def test_every_spec_of_the_zoo_has_a_peer() -> None:
    assert set(ZOO) - set(PAIRS) == {"unet"}  # its peer is in test_tensors.py
    assert set(ZOO) >= set(CONVNEXT) | set(PREACT)


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    cost = analyzed(name)
    assert list(cost.input) == COUNTS[name]["input"]
    assert (cost.params, cost.macs) == (COUNTS[name]["params"], COUNTS[name]["macs"])


@pytest.mark.sampled("name", [name for name in COMPARED if name not in ALIKE], of=COMPARED)
def test_same_function_as_the_peer(name: str) -> None:
    assert_same_function(COMPARED[name]())


def two_stages(name: str) -> Pair:
    """A ResNet of two stages with one block each."""
    spec = reduced(name, [1, 1, 1, 1])
    spec["stages"] |= dict.fromkeys(("layer3", "layer4"))
    return Pair(spec, nn.Module)


@pytest.mark.parametrize(
    "pair",
    [
        two_stages("ecaresnet26t"),
        two_stages("resnetblur18"),
        Pair(small("convnext_tiny"), nn.Module),
        vit_pair(32),
        Pair(reduced("cifar_preresnet110", [2, 1, 1]), nn.Module),
        Pair("residual_mlp", nn.Module, ((13,),)),
    ],
    ids=["eca", "blur", "convnext", "vit", "preact", "mlp"],
)
def test_torch_takes_the_rendered_source(pair: Pair) -> None:
    model, x = pair.generated().eval(), images(2, *pair.shapes[0])
    expected = evaluate(model, x)
    with torch.no_grad():
        assert same_bits(torch.jit.script(model)(x), expected)
        assert same_bits(torch.fx.symbolic_trace(model)(x), expected)
        assert same_bits(torch.compile(model, fullgraph=True, backend="eager")(x), expected)
    torch.compiler.reset()


# Stages whose blocks differ -----------------------------------------------------------


def projection(arrive: int, leave: int, stride: int) -> nn.Module:
    return nn.Sequential(conv1x1(arrive, leave, stride), nn.BatchNorm2d(leave))


class Blocks(nn.Module):
    """torchvision's blocks one after the other, behind a 3x3 convolution."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(*blocks)
        self.fc = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer1(torch.relu(self.bn1(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


def one_stage(**stage: Any) -> dict[str, Any]:
    """A spec of one stage of three blocks."""
    return {
        "name": "one_stage",
        "input": [3, 32, 32],
        "stem": [{"conv": {"channels": 64, "kernel": 3}}, "norm", "act"],
        "stages": {"layer1": {"repeat": 3, **stage}},
        "head": ["global_avg_pool", "flatten", {"linear": 10}],
    }


def test_a_list_of_strides_and_channels() -> None:
    spec = one_stage(block="basic", channels=[64, 128, 256], stride=[1, 2, 2])

    def peer() -> nn.Module:
        return Blocks(
            BasicBlock(64, 64),
            BasicBlock(64, 128, 2, projection(64, 128, 2)),
            BasicBlock(128, 256, 2, projection(128, 256, 2)),
        )

    assert_same_function(Pair(spec, peer, ((3, 16, 16), (3, 13, 19))))


def test_a_list_of_widths_and_dilations() -> None:
    spec = one_stage(block="bottleneck", channels=256, width=[64, 48, 96], dilation=[1, 2, 4])

    def peer() -> nn.Module:
        first = Bottleneck(64, 64, downsample=projection(64, 256, 1))
        second = Bottleneck(256, 64, base_width=48, dilation=2)
        return Blocks(first, second, Bottleneck(256, 64, base_width=96, dilation=4))

    assert_same_function(Pair(spec, peer, ((3, 16, 16), (3, 13, 19))))


def test_a_list_of_blocks() -> None:
    spec = one_stage(block=["basic", "bottleneck", "basic"], channels=256, stride=[2, 1, 1])

    def peer() -> nn.Module:
        first = BasicBlock(64, 256, 2, projection(64, 256, 2))
        return Blocks(first, Bottleneck(256, 64), BasicBlock(256, 256))

    assert_same_function(Pair(spec, peer, ((3, 16, 16), (3, 13, 19))))


def test_a_layer_stands_where_a_variant_writes_it() -> None:
    """A new layer of a variant goes ahead of the old one that is written behind it."""
    spec = {
        "extends": "resnet18",
        "name": "resnet18_dropout",
        "head": {"dropout": {"dropout": 0.5}, "fc": {"linear": "classes"}},
    }
    assert [name for name, _ in archspec.build_module(spec).named_children()][-3:] == [
        "flatten",
        "dropout",
        "fc",
    ]


def test_a_rate_of_zero_leaves_no_layer() -> None:
    plain = archspec.render("resnet50").partition("\n")[2]
    spec = {"extends": "resnet50", "name": "resnet50", "class": "ResNet50"}
    zero = {**spec, "defaults": {"bottleneck": {"drop_path": 0}}}
    classes = archspec.render(zero).partition("from torch")[2]
    assert classes == plain.partition("from torch")[2]


def test_stochastic_depth_grows_with_depth() -> None:
    """timm's rule: block k of n drops with rate * k / (n - 1)."""
    model = archspec.build_module("resnet50_drop")
    rates = [m.p for m in model.modules() if type(m).__name__ == "StochasticDepth"]
    assert rates == pytest.approx([0.1 * k / 15 for k in range(16)])


# From outside -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet50d", "mobilenet_v2", "regnet_y_400mf"])
def test_other_classes_and_another_input(name: str) -> None:
    model = archspec.build_module(name, classes=7, input=[1, 65, 47])
    assert evaluate(model, images(2, 1, 65, 47)).shape == (2, 7)


def test_a_regression_has_no_softmax() -> None:
    for name in ("resnet18_regression", "residual_mlp"):
        assert archspec.analyze(name).output == (1,)
        assert "softmax" not in archspec.render(name).lower()
