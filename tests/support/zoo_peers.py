"""The zoo beside its peers: timm's and torchvision's networks, and some written by hand.

A `Pair` builds our network and the one it must equal. `differences` makes every weight and
statistic of the peer random, copies them, and measures how far the two are apart.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import archspec
from archspec.verify.tensors import randomise
from support import DATA, ROOT
from support.draws import undrawn
from support.modules import evaluate, generated_module, images, same_bits, seeded
from support.peers import TORCHVISION, models, torchvision_model

import timm  # isort: skip
from timm.models import byobnet, convmixer, cspnet, mlp_mixer, nfnet  # isort: skip
from torchvision.models import convnext, efficientnet, regnet, vgg  # isort: skip
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet, conv1x1, conv3x3  # isort: skip
from torchvision.models.video import resnet as video  # isort: skip

FAMILY: dict[str, Any] = json.loads((DATA / "resnet_family.json").read_text("utf-8"))
CENSUS: dict[str, dict[str, Any]] = FAMILY["networks"]
TWINS: list[list[str]] = FAMILY["same_keys_and_shapes"]
ZOO = tuple(sorted(path.stem for path in (ROOT / "specs" / "zoo").glob("*.yaml")))

__all__ = ["BasicBlock", "Bottleneck", "conv1x1"]  # torchvision's, for the tests

Shape = tuple[int, ...]
IMAGES: tuple[Shape, ...] = ((3, 40, 40), (3, 33, 47))
LARGER: tuple[Shape, ...] = ((3, 64, 64), (3, 65, 79))  # AlexNet takes no smaller ones
Order = Callable[[list[str]], list[str]]


@dataclass
class Pair:
    """Two builders, the sizes at which to compare, and the order of the peer's weights.

    `order` is None where the keys agree; otherwise it sorts the peer's keys into ours.
    `seeded` says that both have the same weights from a seed.
    """

    spec: archspec.Spec | dict[str, Any] | str
    peer: Callable[[], nn.Module]
    shapes: Sequence[Shape] = IMAGES
    batch: int = 2
    order: Order | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    seeded: bool = False

    def ours(self) -> nn.Module:
        return archspec.build_module(self.spec, **self.settings)

    def generated(self) -> nn.Module:
        return generated_module(self.spec, **self.settings)


def features(name: str) -> frozenset[str]:
    """What a network has, its depth and its widths aside."""
    kind, _, rest = CENSUS[name]["recipe"].partition(" ")
    _, *having = re.sub(r"\d+x\d+|w128", "grouped", rest).split("; ")
    return frozenset((kind, *having))


#: One network of each combination of features, the smallest.
DISTINCT = tuple(
    {
        features(name): name for name in sorted(CENSUS, key=lambda name: -CENSUS[name]["params"])
    }.values()
)


# Our specs, smaller -------------------------------------------------------------------


def reduced(name: str, repeats: Sequence[int] | None = None, by: int = 1) -> dict[str, Any]:
    """The spec of this name with other repeats of its stages, and `by` times narrower."""
    given = archspec.load(name).data["stages"]
    stages = {key: stage for key, stage in given.items() if "block" in stage}
    changed = {key: {"channels": stage["channels"] // by} for key, stage in stages.items()}
    for key, count in zip(stages, repeats or (), strict=repeats is not None):
        changed[key]["repeat"] = count
    return {"extends": name, "name": f"{name}_reduced", "stages": changed}


def few(layers: Sequence[int], most: Sequence[int] = (2, 1, 1, 1)) -> list[int]:
    """Repeats of a network that is quick to run; the first stage repeats."""
    return [min(pair) for pair in zip(layers, most, strict=True)]


# timm ---------------------------------------------------------------------------------


def timm_pair(name: str, full: bool = False) -> Pair:
    """A network of timm's module `resnet` and ours; few and narrow blocks unless `full`."""
    census = CENSUS[name]
    shapes = IMAGES
    if "aa=avg" in census["recipe"]:  # timm's raises where a stage gets an odd size
        shapes = ((3, 32, 32), (3, 32, 64))
    build = partial(timm.create_model, name, pretrained=False)
    if full or "pruned" in name or name == "test_resnet":
        return Pair(name, build, shapes)
    layers, by = few(census["layers"]), narrower(census["recipe"])
    channels = [width // by for width in (64, 128, 256, 512)]
    peer = partial(build, layers=layers, channels=channels)
    return Pair(reduced(name, layers, by), peer, shapes)


def res2net_pair(full: bool = False) -> Pair:
    """timm's Res2Net and ours; few blocks unless `full`."""
    name, layers = "res2net50_26w_4s", [2, 2, 1, 1]
    build = partial(timm.create_model, name, pretrained=False)
    if full:
        return Pair(name, build)
    return Pair(reduced(name, layers), partial(build, layers=layers))


def hrnet_pair() -> Pair:
    """timm's HRNet and ours, which take multiples of 32."""
    name = "hrnet_w18_small"
    build = partial(timm.create_model, name, pretrained=False)
    return Pair(name, build, ((3, 64, 64), (3, 32, 96)))


#: Others of timm that have its names, each with the sizes at which it is compared.
OF_TIMM: dict[str, tuple[Shape, ...]] = {
    "darknet53": IMAGES,
    "cspresnet50": IMAGES,
    "gernet_l": IMAGES,
    "resnet51q": IMAGES,
    "nf_resnet50": IMAGES,
    "repvgg_a0": IMAGES,
    "convmixer_768_32": IMAGES,
    "mobileone_s0": LARGER,  # it rounds differently, and norms over few pixels amplify that
    "ese_vovnet19b_dw": IMAGES,
    "fasternet_t0": IMAGES,
    "mobilenetv4_conv_small": IMAGES,
    "skresnet18": IMAGES,
    "resnest14d": IMAGES,
    "starnet_s1": IMAGES,
    "convnextv2_atto": IMAGES,
    "mixer_s32_224": ((3, 224, 224),),  # its layers over the patches are made for 49 of them
}


def of_timm(name: str) -> Pair:
    """A network of timm and ours, in full."""
    order: Order | None = None
    if name == "fasternet_t0":  # timm registers what runs last first
        order = partial(in_order, list(archspec.analyze(name).state))
    build = partial(timm.create_model, name, pretrained=False)
    return Pair(name, build, OF_TIMM[name], order=order)


def in_order(ours: list[str], keys: list[str]) -> list[str]:
    """The same names in our order."""
    assert set(keys) == set(ours)
    return ours


def small_of_timm(name: str, by: int) -> Pair:
    """The same, `by` times narrower, with at most two blocks a stage."""
    given = archspec.load(name).data["stages"]["stages"]
    spec = variant(name, stages={"stages": smaller(given, by)})
    if name in cspnet.model_cfgs:
        csp = cspnet.model_cfgs[name]
        depth, wide = ([*map(int, row)] for row in (csp.stages.depth, csp.stages.out_chs))
        narrow = {"depth": [min(n, 2) for n in depth], "out_chs": [n // by for n in wide]}
        stages = replace(csp.stages, **narrow)
        return Pair(spec, partial(cspnet.CspNet, replace(csp, stages=stages)), OF_TIMM[name])
    byob = byobnet.model_cfgs[name]
    blocks = [replace(block, d=min(block.d, 2), c=block.c // by) for block in byob.blocks]
    return Pair(spec, partial(byobnet.ByobNet, replace(byob, blocks=blocks)), OF_TIMM[name])


def smaller(stages: Any, by: int = 1) -> Any:
    """Stages that are `by` times narrower, with at most two blocks each."""
    if isinstance(stages, list):
        return [smaller(stage, by) for stage in stages]
    if not isinstance(stages, dict):
        return stages
    changed = {key: smaller(value, by) for key, value in stages.items()}
    narrow = {key: changed[key] // by for key in ("channels", "width", "groups") if key in stages}
    return changed | narrow | {key: 2 for key in ("repeat", "depth") if stages.get(key, 0) > 2}


def shallow_of_timm(name: str) -> Pair:
    """A network of timm and ours with two blocks a stage."""
    stages = {"stages": smaller(archspec.load(name).data["stages"]["stages"])}
    peer = partial(timm.create_model, name, pretrained=False, depths=(2, 2, 2, 2))
    return Pair(variant(name, stages=stages), peer, OF_TIMM[name])


def narrow_of_timm(name: str, by: int) -> Pair:
    """One built like timm's ResNets, `by` times narrower."""
    channels = [width // by for width in (64, 128, 256, 512)]
    peer = partial(timm.create_model, name, pretrained=False, channels=channels)
    return Pair(reduced(name, by=by), peer, OF_TIMM[name])


def small_mixer() -> Pair:
    """An eighth as wide, with two blocks; the images have as many patches."""
    name = "mixer_s32_224"
    stem, stages = {"stem": {"patch_embed": 64}}, {"blocks": {"repeat": 2}}
    peer = partial(mlp_mixer.MlpMixer, patch_size=32, num_blocks=2, embed_dim=64)
    return Pair(variant(name, stem=stem, stages=stages), peer, OF_TIMM[name])


def small_nf_resnet() -> Pair:
    """NF-ResNet-50 at a quarter of the width; the depth of a stage decides on the next."""
    name, widths = "nf_resnet50", [64, 128, 256, 512]
    given = archspec.load(name).data["stages"]["stages"]
    stages = [stage | {"channels": wide} for stage, wide in zip(given, widths, strict=True)]
    peer = partial(nfnet.NormFreeNet, replace(nfnet.model_cfgs[name], channels=tuple(widths)))
    return Pair(variant(name, stages={"stages": stages}), peer, OF_TIMM[name])


def small_mobileone() -> Pair:
    """MobileOne with at most two pairs of blocks a stage: the order of its sums is not timm's."""
    name = "mobileone_s0"
    given = archspec.load(name).data["stages"]["stages"]
    pairs = [[pair | {"repeat": min(pair.get("repeat", 1), 2)}] for (pair,) in given]
    cfg = byobnet.model_cfgs[name]
    peer = partial(byobnet.ByobNet, replace(cfg, blocks=[stage[:4] for stage in cfg.blocks]))
    return Pair(variant(name, stages={"stages": pairs}), peer, OF_TIMM[name])


def small_convmixer() -> Pair:
    name = "convmixer_768_32"
    peer = partial(convmixer.ConvMixer, 64, 3, kernel_size=7, act_layer=nn.ReLU)
    return Pair(name, peer, OF_TIMM[name], settings={"width": 64, "depth": 3})


def narrower(recipe: str) -> int:
    """How many times: a group keeps two channels."""
    return 2 if re.search(r"gn32|\d+x\d+", recipe) else 4


# torchvision --------------------------------------------------------------------------


def late(part: str) -> Order:
    """Registered ahead of the rest of its block by the peer, behind it by us."""

    def order(keys: list[str]) -> list[str]:
        blocks = {key.split(part)[0] + "." for key in keys if part in key}
        of = {key: next((b for b in blocks if key.startswith(b)), key) for key in keys}
        first = {block: place for place, block in reversed(list(enumerate(of.values())))}
        return sorted(keys, key=lambda key: (first[of[key]], part in key))

    return order


def regnet_params(name: str) -> regnet.BlockParams:
    """The widths and depths of one of torchvision's RegNets, without building it."""
    kept: list[regnet.BlockParams] = []
    build = regnet._regnet
    regnet._regnet = lambda params, *_, **__: kept.append(params)
    try:
        getattr(models, name)(weights=None)
    finally:
        regnet._regnet = build
    return kept[0]


def regnet_peer(name: str, depths: Sequence[int] | None = None) -> Callable[[], nn.Module]:
    """Builds one of torchvision's RegNets, if need be with other depths, on any device."""
    params = regnet_params(name)
    if depths is not None:
        params.depths = list(depths)
    norm = partial(nn.BatchNorm2d, eps=1e-5, momentum=0.1)
    return partial(regnet.RegNet, params, norm_layer=norm)


def small_regnet(name: str) -> Pair:
    depths = few(regnet_params(name).depths, (1, 2, 1, 1))
    blocks = {f"block{number}": {"repeat": count} for number, count in enumerate(depths, 1)}
    spec = variant(name, stages={"trunk_output": {"sequence": blocks}})
    return Pair(spec, regnet_peer(name, depths))


def variant(name: str, **changes: Any) -> dict[str, Any]:
    return {"extends": name, "name": f"{name}_small", **changes}


CONVNEXT = {
    "convnext_tiny": (96, (3, 3, 9, 3), 0.1),
    "convnext_small": (96, (3, 3, 27, 3), 0.4),
    "convnext_base": (128, (3, 3, 27, 3), 0.5),
    "convnext_large": (192, (3, 3, 27, 3), 0.5),
}


def convnext_pair(name: str, full: bool = False) -> Pair:
    width, layers, rate = CONVNEXT[name]
    spec: Any = name
    build: Callable[[], nn.Module] = partial(getattr(models, name), weights=None)
    if not full:
        layers, width = (1, 2, 2, 1), width // 4
        widths = [width, 2 * width, 4 * width, 8 * width]
        conv = {"channels": width, "kernel": 4, "stride": 4}
        sequence: dict[str, Any] = {"patches": [{"conv": conv}, "norm"]}
        for n, (here, count) in enumerate(zip(widths, layers, strict=True), 1):
            sequence[f"stage{n}"] = {"channels": here, "repeat": count}
        for n in (1, 2, 3):
            down = {"channels": widths[n], "kernel": 2, "stride": 2}
            sequence[f"down{n}"] = ["norm", {"conv": down}]
        spec = variant(name, stages={"features": {"sequence": sequence}})
        settings = [
            convnext.CNBlockConfig(here, after, count)
            for here, after, count in zip(widths, [*widths[1:], None], layers, strict=True)
        ]
        build = partial(convnext.ConvNeXt, settings, rate)
    return Pair(spec, build)


def vit_pair(size: int, patch: int = 16) -> Pair:
    """A narrow ViT of two layers for images of one size, the only one that it takes."""
    conv = {"kernel": patch, "stride": patch}
    spec = variant(
        "vit_b_16",
        input=[3, size, size],
        args={"width": 32, "tokens": (size // patch) ** 2 + 1, "classes": 10},
        stem={"conv_proj": {"conv": conv}},
        stages={"encoder": {"encoder": {"layers": 2, "heads": 4}}},
    )
    peer = partial(models.VisionTransformer, size, patch, 2, 4, 32, 128, num_classes=10)
    return Pair(spec, peer, ((3, size, size),), seeded=True)


def small_efficientnet_v2() -> Pair:
    """An EfficientNetV2-S of two blocks a stage."""
    settings, last = efficientnet._efficientnet_conf("efficientnet_v2_s")
    for setting in settings:
        setting.num_layers = 2
    repeats = {f"stage{number}": {"repeat": 2} for number in range(1, len(settings) + 1)}
    spec = variant("efficientnet_v2_s", stages={"features": {"sequence": repeats}})
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    peer = partial(efficientnet.EfficientNet, settings, 0.2, norm_layer=norm, last_channel=last)
    return Pair(spec, peer)


def small_alexnet() -> Pair:
    """An AlexNet with a small head."""
    return small_head("alexnet", partial(torchvision_model, "alexnet"), LARGER)


def small_vgg(name: str) -> Pair:
    """A VGG of 11 layers, a quarter as wide and with a small head."""
    sizes = [size if size == "M" else int(size) // 4 for size in vgg.cfgs["A"]]
    given = archspec.load(name).data["stages"]["features"]
    stages = [
        layer | {key: wide // 4 for key, wide in layer.items() if key == "conv_norm_act"}
        for layer in given
    ]

    def peer() -> vgg.VGG:
        return vgg.VGG(vgg.make_layers(sizes, batch_norm=name.endswith("_bn")))

    return small_head(name, peer, stages={"features": stages})


def small_head(
    name: str,
    build: Callable[[], nn.Module],
    shapes: Sequence[Shape] = IMAGES,
    **changes: Any,
) -> Pair:
    """A network with 32 and 24 features in the head, where most weights are."""
    layers: list[Any] = list(archspec.load(name).data["head"]["classifier"])
    linear = [at for at, layer in enumerate(layers) if layer not in ("act", "dropout")]
    for at, leave in zip(linear, (32, 24, 10), strict=True):
        layers[at] = {"linear": leave}

    def peer() -> nn.Module:
        model: Any = build()
        *_, last = (layer for layer in model.features if isinstance(layer, nn.Conv2d))
        arrive = last.out_channels * model.avgpool.output_size[0] ** 2
        for at, (here, after) in zip(linear, ((arrive, 32), (32, 24), (24, 10)), strict=True):
            model.classifier[at] = nn.Linear(here, after)
        return model

    return Pair(variant(name, head={"classifier": layers}, **changes), peer, shapes)


def small_densenet() -> Pair:
    """A DenseNet-121 of two layers a block; of smaller images its last norm has one pixel."""
    blocks = {f"denseblock{number}": {"repeat": 2} for number in (1, 2, 3, 4)}
    spec = variant("densenet121", stages={"features": {"sequence": blocks}})
    return Pair(spec, partial(models.DenseNet, block_config=(2, 2, 2, 2)), LARGER)


def efficientnet_pair(scale: float) -> Pair:
    """An EfficientNet-B0 of other widths and depths."""
    multiples = {"width_mult": scale, "depth_mult": scale}
    settings, last = efficientnet._efficientnet_conf("efficientnet_b0", **multiples)
    peer = partial(efficientnet.EfficientNet, settings, 0.2, last_channel=last)
    return Pair("efficientnet_b0", peer, settings={"width": scale, "depth": scale})


def mobilenet_pair(width: float) -> Pair:
    build = partial(torchvision_model, "mobilenet_v2", width_mult=width)
    return Pair("mobilenet_v2", build, settings={"width": width})


#: With further heads for training, whose images are not small.
WITH_HEADS = {"googlenet": LARGER, "inception_v3": ((3, 299, 299), (3, 303, 331))}


def torchvision_pair(name: str) -> Pair:
    """A network of torchvision and ours: the same keys, the same weights from a seed."""
    regnets = name.startswith("regnet")
    peer = regnet_peer(name) if regnets else partial(torchvision_model, name)
    if name in WITH_HEADS:
        peer = partial(torchvision_model, name, init_weights=True)
    if name.startswith("vit_"):
        return Pair(name, peer, ((3, 224, 224),), seeded=True)
    return Pair(name, peer, WITH_HEADS.get(name, LARGER), seeded=True)


class NarrowResNet(ResNet):
    """torchvision's ResNet with stages that are `by` times narrower."""

    by = 4

    def __init__(self, block: type[BasicBlock | Bottleneck], *given: Any, **more: Any) -> None:
        super().__init__(block, *given, **more)
        self.fc = nn.Linear(512 // self.by * block.expansion, self.fc.out_features)

    def _make_layer(self, block: Any, planes: int, *given: Any, **more: Any) -> nn.Sequential:
        return super()._make_layer(block, planes // self.by, *given, **more)


class NarrowVideoResNet(video.VideoResNet):
    """torchvision's ResNet for video, likewise."""

    def _make_layer(
        self, block: Any, maker: Any, planes: int, *given: Any, **more: Any
    ) -> nn.Sequential:
        return super()._make_layer(block, maker, planes // 4, *given, **more)


def narrow_r3d() -> nn.Module:
    makers = [video.Conv3DSimple] * 4
    peer = NarrowVideoResNet(video.BasicBlock, makers, [2, 2, 2, 2], video.BasicStem)
    peer.fc = nn.Linear(128, 400)
    return peer


def resnet50_like(**options: Any) -> nn.Module:
    return NarrowResNet(Bottleneck, [3, 4, 6, 3], **options)


def resnet18_like(**options: Any) -> nn.Module:
    return NarrowResNet(BasicBlock, [2, 2, 2, 2], **options)


def timm_resnet50(full: bool, **options: Any) -> nn.Module:
    channels = [width if full else width // 4 for width in (64, 128, 256, 512)]
    return timm.create_model("resnet50", channels=channels, **options)


def resnet_pairs(full: bool) -> dict[str, Callable[[], Pair]]:
    """Variants of ResNets, all but timm's module `resnet`; narrow unless `full`."""
    resnet50 = partial(models.resnet50, weights=None) if full else resnet50_like
    resnet18 = partial(models.resnet18, weights=None) if full else resnet18_like

    def pair(name: str, peer: Callable[[], nn.Module], **how: Any) -> Callable[[], Pair]:
        return lambda: Pair(name if full else reduced(name, by=4), peer, **how)

    def dilated(*stages: bool) -> Callable[[], nn.Module]:
        return partial(resnet50, replace_stride_with_dilation=list(stages))

    def strided(stride: int) -> Callable[[], nn.Module]:
        return partial(timm_resnet50, full, output_stride=stride)

    return {
        "resnet50_os8": pair("resnet50_os8", dilated(False, True, True)),
        "resnet50_os16": pair("resnet50_os16", dilated(False, False, True)),
        "timm's output stride 8": pair("resnet50_os8", strided(8)),
        "timm's output stride 16": pair("resnet50_os16", strided(16)),
        "resnet50_v1": pair("resnet50_v1", lambda: first(resnet50())),
        "resnet50_drop": pair(
            "resnet50_drop",
            partial(timm_resnet50, full, drop_path_rate=0.1, drop_rate=0.2),
            batch=4,
        ),
        "resnet50_cbam": pair(
            "resnet50_cbam", partial(timm_resnet50, full, block_args={"attn_layer": "cbam"})
        ),
        "cifar_resnet18": pair(
            "cifar_resnet18", lambda: for_small_images(resnet18(num_classes=10))
        ),
        "resnet18_regression": pair("resnet18_regression", partial(resnet18, num_classes=1)),
        "resnet18_sequence": pair(
            "resnet18_sequence",
            lambda: one_dimensional(resnet18(num_classes=5)),
            shapes=((2, 1000), (2, 777)),
        ),
        "r3d_18": pair(
            "r3d_18",
            partial(models.video.r3d_18, weights=None) if full else narrow_r3d,
            shapes=((3, 4, 24, 24), (3, 5, 19, 27)),
            order=list,
        ),
    }


def recipe_pair(name: str) -> Pair:
    """A ResNet-50 that differs in its recipe alone."""
    return Pair(name, partial(torchvision_model, "resnet50"))


def first(peer: nn.Module) -> nn.Module:
    """A ResNet-50 as published in 2015: the first 1x1 takes the stride."""
    for block in peer.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    return peer


def for_small_images(peer: nn.Module) -> nn.Module:
    """A ResNet with a 3x3 stem and no pool."""
    peer.conv1 = conv3x3(3, peer.conv1.out_channels)
    peer.maxpool = nn.Identity()
    return peer


def one_dimensional(peer: nn.Module) -> nn.Module:
    """A ResNet with every layer for sequences of two channels."""
    for path, module in list(peer.named_modules()):
        parent = peer.get_submodule(path.rpartition(".")[0])
        last = path.rpartition(".")[2]
        if isinstance(module, nn.Conv2d):
            size, stride, padding = module.kernel_size[0], module.stride[0], module.padding[0]
            arrive = 2 if path == "conv1" else module.in_channels
            new = nn.Conv1d(arrive, module.out_channels, size, stride, padding, bias=False)
            setattr(parent, last, new)
        elif isinstance(module, nn.BatchNorm2d):
            setattr(parent, last, nn.BatchNorm1d(module.num_features))
    peer.maxpool = nn.MaxPool1d(3, stride=2, padding=1)
    peer.avgpool = nn.AdaptiveAvgPool1d(1)
    return peer


# By hand ------------------------------------------------------------------------------


class PreActBlock(nn.Module):
    """A pre-activation block (He et al., 2016): two 3x3, or 1x1, 3x3 and 1x1."""

    def __init__(self, i: int, o: int, stride: int, deep: bool, drop: float) -> None:
        super().__init__()
        self.deep, self.drop = deep, drop
        inner = o // 4 if deep else o
        self.bn1 = nn.BatchNorm2d(i)
        if deep:
            self.conv1 = nn.Conv2d(i, inner, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(inner)
            self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(inner)
            self.conv3 = nn.Conv2d(inner, o, 1, bias=False)
        else:
            self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(o)
            self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        if i != o or stride != 1:
            self.shortcut = nn.Conv2d(i, o, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        y = F.relu(self.bn2(self.conv1(active)))
        if self.deep:
            y = self.conv3(F.relu(self.bn3(self.conv2(y))))
        else:
            y = self.conv2(F.dropout(y, self.drop, self.training))
        return y + (self.shortcut(active) if hasattr(self, "shortcut") else x)


class PreActNet(nn.Module):
    """Pre-activation ResNets and Wide ResNets for CIFAR, with `n` blocks a stage."""

    def __init__(self, n: int, widths: Sequence[int], deep: bool, drop: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        arrive = 16
        for stage, width in enumerate(widths):
            first = PreActBlock(arrive, width, 2 if stage else 1, deep, drop)
            rest = [PreActBlock(width, width, 1, deep, drop) for _ in range(n - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(first, *rest))
            arrive = width
        self.bn1 = nn.BatchNorm2d(arrive)
        self.fc = nn.Linear(arrive, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


#: name -> blocks a stage, widths, bottlenecks, dropout (the depths and widths of the papers)
PREACT: dict[str, tuple[int, Sequence[int], bool, float]] = {
    "cifar_preresnet110": (18, (16, 32, 64), False, 0.0),
    "cifar_preresnet164": (18, (64, 128, 256), True, 0.0),
    "cifar_preresnet1001": (111, (64, 128, 256), True, 0.0),
    "wrn_16_8": (2, (128, 256, 512), False, 0.3),
    "wrn_28_10": (4, (160, 320, 640), False, 0.3),
    "wrn_40_4": (6, (64, 128, 256), False, 0.3),
}


def preact_pair(name: str, full: bool = False) -> Pair:
    n, widths, deep, drop = PREACT[name]
    spec: Any = name
    if not full:
        n, by = 2, 4 if name.startswith("wrn") else 1
        spec, widths = reduced(name, (n, n, n), by), [width // by for width in widths]
    return Pair(spec, partial(PreActNet, n, widths, deep, drop), ((3, 32, 32), (3, 27, 37)))


def grey_preact_pair(name: str) -> Pair:
    """The same for images of one channel, without dropout."""
    n, widths, deep, _ = PREACT[name.removesuffix("_fashion_mnist")]
    peer = PreActNet(n, widths, deep)
    peer.conv1 = nn.Conv2d(1, 16, 3, 1, 1, bias=False)
    return Pair(name, lambda: peer, ((1, 28, 28),))


class Perceptron(nn.Module):
    """Two linear layers behind a norm, added to the input."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm1d(i)
        self.fc1 = nn.Linear(i, 2 * o)
        self.fc2 = nn.Linear(2 * o, o)
        self.downsample = nn.Linear(i, o) if i != o else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.relu(self.fc1(self.bn1(x)))) + self.downsample(x)


class PerceptronNet(nn.Module):
    """A residual multi-layer perceptron for 13 features."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(13, 64)
        self.layer1 = nn.Sequential(*[Perceptron(64, 64) for _ in range(4)])
        self.layer2 = nn.Sequential(Perceptron(64, 128), Perceptron(128, 128))
        self.bn = nn.BatchNorm1d(128)
        self.fc2 = nn.Linear(128, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.relu(self.bn(self.layer2(self.layer1(self.fc1(x))))))


# Comparing ----------------------------------------------------------------------------


def matched(ours: nn.Module, peer: nn.Module, order: Order | None) -> dict[str, str]:
    """Our keys, and the peer's for each."""
    here, there = list(ours.state_dict()), list(peer.state_dict())
    if order is None:
        assert here == there
        return {key: key for key in here}
    return dict(zip(here, order(there), strict=True))


def copy_weights(ours: nn.Module, peer: nn.Module, keys: dict[str, str]) -> None:
    """Every weight and statistic of `peer` into `ours`."""
    source = peer.state_dict()
    with torch.no_grad():
        for key, target in ours.state_dict().items():
            value = source[keys[key]]
            assert [n for n in value.shape if n > 1] == [n for n in target.shape if n > 1], key
            target.copy_(value.reshape(target.shape))


def apart(a: Tensor, b: Tensor, least: float = 0.0) -> float:
    """The largest difference, as a share of the largest number, or of `least` if that is larger."""
    assert a.numel() == b.numel()
    largest = max(b.abs().max().item(), least)
    assert math.isfinite(largest)
    difference = (a.reshape(b.shape) - b).abs().max().item()
    return difference / largest if largest else difference


@dataclass
class Apart:
    """How far two networks are apart, each as a share of the largest number.

    `outputs` in eval mode, one a shape; the rest after a pass in training mode.
    """

    outputs: list[float]
    loss: float = 0.0
    gradients: float = 0.0
    statistics: float = 0.0

    @property
    def most(self) -> float:
        return max(*self.outputs, self.loss, self.gradients, self.statistics)


def differences(
    pair: Pair,
    dtype: torch.dtype = torch.float64,
    training: bool = True,
    ours: nn.Module | None = None,
) -> Apart:
    """Both networks with the peer's random weights, in eval mode and in training."""
    peer = undrawn(pair.peer).to(dtype)
    ours = (undrawn(pair.ours) if ours is None else ours).to(dtype)
    randomise(peer)
    keys = matched(ours, peer, pair.order)
    copy_weights(ours, peer, keys)
    ours.eval()
    peer.eval()
    outputs = []
    with torch.no_grad():
        for shape in pair.shapes:
            x = images(pair.batch, *shape).to(dtype)
            outputs.append(apart(ours(x), peer(x)))
    result = Apart(outputs)
    if training:
        x = images(max(pair.batch, 2), *pair.shapes[0], seed=2).to(dtype)
        result.loss, result.gradients = _backward(ours, peer, x, keys)
        here, there = ours.state_dict(), peer.state_dict()
        running = [key for key in keys if "running" in key]
        result.statistics = max((apart(here[k], there[keys[k]]) for k in running), default=0.0)
    return result


def _backward(
    ours: nn.Module, peer: nn.Module, x: Tensor, keys: dict[str, str]
) -> tuple[float, float]:
    losses = []
    for model in (ours, peer):
        torch.manual_seed(5)  # dropout and stochastic depth draw alike
        loss = loss_of(model.train()(x))
        loss.backward()
        losses.append(loss.detach())
    here, there = _gradients(ours), _gradients(peer)
    # Ahead of a norm a bias has no gradient but what rounding leaves.
    least = max(gradient.abs().max().item() for gradient in there.values()) / 1000
    gradients = [apart(gradient, there[keys[key]], least) for key, gradient in here.items()]
    return apart(losses[0], losses[1]), max(gradients)


def _gradients(model: nn.Module) -> dict[str, Tensor]:
    found = {key: weight.grad for key, weight in model.named_parameters()}
    assert all(gradient is not None for gradient in found.values())
    return {key: gradient for key, gradient in found.items() if gradient is not None}


def loss_of(output: Tensor | Sequence[Tensor]) -> Tensor:
    """A cross entropy, or a squared error where there is one number; of several outputs the sum."""
    if not isinstance(output, Tensor):
        return torch.stack([loss_of(one) for one in output]).sum()
    if output.shape[1] == 1:
        return F.mse_loss(output, torch.ones_like(output))
    return F.cross_entropy(output, torch.arange(len(output)) % output.shape[1])


def assert_same_function(pair: Pair) -> None:
    """The rendered source computes what the peer does; the live module has its keys and bits."""
    generated = undrawn(pair.generated)
    assert differences(pair, ours=generated).most < 1e-12
    assert same_readers(pair, generated)


def same_readers(pair: Pair, generated: nn.Module | None = None) -> bool:
    """Whether the live module has the keys of the rendered source, and its outputs to the bit."""
    if generated is None:
        generated = undrawn(pair.generated)
        randomise(generated)
    live = undrawn(pair.ours).to(next(generated.parameters()).dtype)
    if list(live.state_dict()) != list(generated.state_dict()):
        return False
    live.load_state_dict(generated.state_dict(), assign=True)
    x = images(2, *pair.shapes[-1]).to(next(generated.parameters()).dtype)
    return same_bits(evaluate(live, x), evaluate(generated, x))


def same_start(pair: Pair) -> bool:
    """Whether both readers and the peer have equal weights from one seed, to the bit."""

    def digests(build: Callable[[], nn.Module]) -> list[tuple[str, str]]:
        state = seeded(build).state_dict()
        return [(key, sha256(tensor.numpy()).hexdigest()) for key, tensor in state.items()]

    expected = digests(pair.peer)
    return digests(pair.ours) == expected == digests(pair.generated)


#: Our specs that have the names and initial weights of torchvision's network of that name.
TORCHVISION_PAIRS: dict[str, Callable[[], Pair]] = {
    name: partial(torchvision_pair, name)
    for name in models.list_models(module=models)
    if name in {*ZOO, *TORCHVISION}
}
#: Every spec of the zoo (and of the ResNets in `specs/`) that has a peer, with its builder.
PAIRS: dict[str, Callable[[], Pair]] = {
    **{name: partial(timm_pair, name, True) for name in CENSUS},
    **{name: build for name, build in TORCHVISION_PAIRS.items() if name in ZOO},
    **{name: partial(preact_pair, name, True) for name in PREACT},
    **resnet_pairs(full=True),
    **{name: partial(recipe_pair, name) for name in ("resnet50_tv2", "resnet50_a1", "resnet50_a2")},
    "wrn_28_10_fashion_mnist": partial(grey_preact_pair, "wrn_28_10_fashion_mnist"),
    "res2net50_26w_4s": partial(res2net_pair, True),
    "hrnet_w18_small": hrnet_pair,
    **{name: partial(of_timm, name) for name in OF_TIMM},
    "residual_mlp": lambda: Pair("residual_mlp", PerceptronNet, ((13,),), batch=5),
}
