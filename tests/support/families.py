"""Small networks of many families, whose files for inference are compared with them."""

from __future__ import annotations

from typing import Any

import archspec
from support.zoo_peers import small_vgg, vit_pair


def cut(*removed: str, **changed: Any) -> dict[str, Any]:
    """Some stages removed, and others changed."""
    return {"stages": dict.fromkeys(removed) | changed}


def cut_features(*removed: str, **changed: Any) -> dict[str, Any]:
    """The same where one stage has all the others."""
    return {"stages": {"features": {"sequence": dict.fromkeys(removed) | changed}}}


ONE, TWO = {"repeat": 1}, {"repeat": 2}
REP_VGG = TWO | {"block": "rep_vgg", "stride": 2}
#: Smaller versions: most of the layers that they lack are like others that remain.
NARROWER: dict[str, Any] = {
    "unet": {
        "stem": {"inc": {"double_conv": 16}},
        **cut("down3", "down4", down1={"down": 32}, down2={"down": 64}),
        "head": {
            **dict.fromkeys(("up1", "up2")),
            "up3": {"up": {"channels": 32, "skip": "down1"}},
            "up4": {"up": {"channels": 16, "skip": "inc"}},
        },
    },
    "vgg11_bn": small_vgg("vgg11_bn").spec,
    "convnext_tiny": cut_features("down2", "stage3", "down3", "stage4", stage1=TWO, stage2=ONE),
    "vit_b_16": vit_pair(32).spec | cut(encoder={"encoder": {"layers": 1, "heads": 4}}),
    "densenet121": cut_features(
        *("transition2", "denseblock3", "transition3", "denseblock4"),
        denseblock1=TWO,
        denseblock2=TWO,
    ),
    "efficientnet_b0": cut_features("stage3", "stage4", "stage5", "stage6", "stage7"),
    "shufflenet_v2_x1_0": cut("stage3", "stage4", stage2=TWO),
    "repvgg_a0": cut(stages=[REP_VGG | {"channels": channels} for channels in (48, 96)]),
    "googlenet": cut("inception4b", "inception4c", "inception4e", "inception5b"),
    **dict.fromkeys(("resnet18", "resnet50d", "res2net50_26w_4s"), cut("layer3", "layer4")),
}
SIZES = {"inception_v3": 299, "googlenet": 64}


def small(name: str) -> archspec.Spec:
    """A network of that family, for small images."""
    whole: Any = archspec.load({"extends": name} | NARROWER.get(name, {}) | {"name": "net"})
    spec = {key: one for key, one in whole.document.data.items() if key not in ("expect", "train")}
    size = SIZES.get(name, 32)
    return archspec.load(spec | {"input": [3, size, size]})
