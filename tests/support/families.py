"""Small networks of many families, whose files for inference are compared with them."""

from __future__ import annotations

from typing import Any

import archspec
from support import NARROW_UNET
from support.zoo_peers import convnext_pair, small_vgg, vit_pair

#: Most of the weights of these are in layers that others have too.
NARROWER: dict[str, Any] = {
    "unet": NARROW_UNET,
    "vgg11_bn": small_vgg("vgg11_bn").spec,
    "convnext_tiny": convnext_pair("convnext_tiny").spec,
    "vit_b_16": vit_pair(32).spec,
}
SIZES = {"inception_v3": 299, "googlenet": 64}


def shallow(value: Any, times: int) -> Any:
    """A spec with so many blocks wherever it repeats one."""
    if isinstance(value, dict):
        few = {key: times for key in ("repeat", "layers") if value.get(key, 1) != 1}
        return {key: shallow(one, times) for key, one in value.items()} | few
    return [shallow(one, times) for one in value] if isinstance(value, list) else value


def small(name: str, times: int = 0) -> archspec.Spec:
    """A network of that family, for small images; with so many blocks a stage, if any number."""
    whole: Any = archspec.load({"extends": name} | NARROWER.get(name, {}) | {"name": "net"})
    spec = {key: one for key, one in whole.document.data.items() if key not in ("expect", "train")}
    size = SIZES.get(name, 32)
    return archspec.load((shallow(spec, times) if times else spec) | {"input": [3, size, size]})
