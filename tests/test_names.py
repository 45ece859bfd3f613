"""Names with dots: containers of layers, in the module and in the source."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import archspec
from support.peers import models

PAIR = {
    "name": "pair",
    "input": [3, 8, 8],
    "stem": [
        {"conv": {"channels": 4}, "name": "convs.0"},
        {"norm": {}, "name": "fuse.1.a"},
        {"conv": {"channels": 4}, "name": "convs.1"},
        {"norm": {}, "name": "fuse.0"},
    ],
}


def test_layers_of_a_container_are_made_where_the_first_stands() -> None:
    module = archspec.build_module(PAIR)
    names = [name for name, _ in module.named_parameters() if name.endswith("weight")]
    assert names == [f"{n}.weight" for n in ("convs.0", "convs.1", "fuse.1.a", "fuse.0")]
    assert isinstance(module.convs, nn.ModuleList)
    assert isinstance(module.fuse, nn.ModuleDict)
    assert list(archspec.analyze(PAIR).state) == list(module.state_dict())


@pytest.mark.parametrize(
    "name", ["convs.keys", "convs..0", "a.b.c.d.e.f.g", "convs.for ward", ".0"]
)
def test_no_part_of_a_name_is_taken_or_empty(name: str) -> None:
    with pytest.raises(archspec.SpecError, match=r"bad-name|out-of-range"):
        archspec.build_module({**PAIR, "stem": [{"conv": 4, "name": name}]})


def test_a_layer_is_no_container() -> None:
    stem = [{"conv": 4, "name": "a"}, {"conv": 4, "name": "a.0"}]
    with pytest.raises(archspec.SpecError, match="attribute-twice"):
        archspec.build_module({**PAIR, "stem": stem})


def test_res2net_has_the_names_of_timm() -> None:
    assert models  # torchvision's ops are declared, which timm imports
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        theirs = timm.create_model("res2net50_26w_4s").state_dict()
        ours = archspec.build_module("res2net50_26w_4s").state_dict()
    assert [(k, v.shape) for k, v in ours.items()] == [(k, v.shape) for k, v in theirs.items()]
