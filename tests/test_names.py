"""Names with dots: containers of layers, in the module and in the source."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import archspec
from support.modules import READERS, assert_same_tensors, images, seeded, tensors
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


def test_uses_that_differ_in_a_layer_of_a_container_are_classes_of_their_own() -> None:
    wide = {"sequence": ["act", {"conv": "width", "when": "width > 8"}, {"conv": "channels"}]}
    body = [{**wide, "name": "parts.0"}, {"conv": "channels", "name": "parts.1"}]
    block = {"args": {"width": 8}, "body": [{"residual": body}]}
    layers = [{"part": {"channels": 4, "width": width}} for width in (8, 16, 8)]
    spec = {**PAIR, "stem": [{"conv": 4}, *layers], "blocks": {"part": block}}
    one, other = (seeded(lambda: read(spec)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    assert_same_tensors(tensors(one(x := images(2, 3, 8, 8))), tensors(other(x)))
    assert "part2.parts.0.2.weight" in one.state_dict()


def test_a_learned_constant_stands_in_no_container() -> None:
    layer = {"parameter": [3, 1, 1], "name": "scales.0"}
    with pytest.raises(archspec.SpecError, match="is not valid as the name of a `parameter`"):
        archspec.build_module({"name": "net", "input": [3, 8, 8], "stem": [{"scale": [layer]}]})


def test_an_item_of_a_container_is_on_one_line_if_it_fits() -> None:
    short, long = ["act", {"conv": 4}, "act"], ["act", {"conv": 4}, {"conv": 4}]
    rows = [{"sequence": row, "name": f"parts.{n}"} for n, row in enumerate((short, long))]
    source = archspec.render({**PAIR, "stem": [*rows, {"sequence": short, "name": "last"}]})
    conv, item = "nn.Conv2d(4, 4, 1, bias=False)", " " * 16
    first = conv.replace("4", "3", 1)
    assert f"{item}nn.Sequential(nn.ReLU(), {first}, nn.ReLU()),\n" in source
    assert f"{item}nn.Sequential(\n{item}    nn.ReLU(),\n{item}    {conv},\n" in source
    assert "self.last = nn.Sequential(\n" in source
