"""A feature pyramid on ResNet-50: names and function are those of torchvision's detectors."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path

import pytest
from torch import nn

import archspec
from archspec.lint.check import check_text
from archspec.verify.tensors import randomise
from support.draws import undrawn
from support.modules import READERS, assert_same_tensors, evaluate, images, tensors
from support.peers import models

SPEC = """
name: pyramid
input: [3, 64, 64]
defaults: {norm: frozen_batch_norm}
stem:
  body.conv1: {conv: {channels: 64, kernel: 7, stride: 2}}
  body.bn1: norm
  body.relu: act
  body.maxpool: {max_pool: {kernel: 3, stride: 2}}
stages:
  body.layer1: {block: bottleneck, repeat: 3, channels: 256}
  body.layer2: {block: bottleneck, repeat: 4, channels: 512, stride: 2}
  body.layer3: {block: bottleneck, repeat: 6, channels: 1024, stride: 2}
  body.layer4: {block: bottleneck, repeat: 3, channels: 2048, stride: 2}
head:
  fpn:
    fpn: {channels: 256, c2: body.layer1, c3: body.layer2, c4: body.layer3}
    save: [p2, p3, p4, p5, pool]
outputs: [p2, p3, p4, p5, pool]
blocks:
  fpn:
    doc: Adds coarse images to the finer ones, from the coarsest down (Lin et al., 2017).
    inputs: [c2, c3, c4]
    outputs: [p2, p3, p4, p5, pool]
    init: {conv: {weight: {kaiming_uniform: {a: 1}}, bias: zeros}}
    body:
      - {lateral: {channels: channels, n: 0}, from: c2, save: m2}
      - {lateral: {channels: channels, n: 1}, from: c3, save: m3}
      - {lateral: {channels: channels, n: 2}, from: c4, save: m4}
      - {lateral: {channels: channels, n: 3}, from: input, save: m5}
      - {add: [{from: m4}, {interpolate: m4}], save: t4}
      - {add: [{from: m3}, {interpolate: m3}], save: t3}
      - {add: [{from: m2}, {interpolate: m2}]}
      - {smooth: {channels: channels, n: 0}, save: p2}
      - {smooth: {channels: channels, n: 1}, from: t3, save: p3}
      - {smooth: {channels: channels, n: 2}, from: t4, save: p4}
      - {smooth: {channels: channels, n: 3}, from: m5, save: p5}
      - {max_pool: {kernel: 1, stride: 2}, save: pool}
  lateral:
    inline: true
    args: {n: required}
    body: [{conv: {channels: channels, bias: true}, name: "inner_blocks.{n}.0"}]
  smooth:
    inline: true
    args: {n: required}
    body: [{conv: {channels: channels, kernel: 3, bias: true}, name: "layer_blocks.{n}.0"}]
"""


@pytest.fixture(scope="module")
def peer() -> nn.Module:
    assert models  # torchvision's ops are declared
    utils = importlib.import_module("torchvision.models.detection.backbone_utils")
    options = {"backbone_name": "resnet50", "weights": None, "trainable_layers": 5}
    module = undrawn(partial(utils.resnet_fpn_backbone, **options))
    randomise(module)
    return module  # type: ignore[no-any-return]


@pytest.mark.parametrize("reader", READERS)
def test_the_pyramid_is_torchvisions(reader: str, peer: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "pyramid.yaml"
    path.write_text(SPEC, "utf-8")
    module = undrawn(partial(READERS[reader], path))
    assert list(module.state_dict()) == list(peer.state_dict())
    assert list(archspec.analyze(path).state) == list(peer.state_dict())
    module.load_state_dict(peer.state_dict())
    for size in ((40, 40), (33, 47)):
        x = images(1, 3, *size)
        expected = tensors((*evaluate(peer, x).values(),))  # type: ignore[operator]
        found = tensors(evaluate(module, x))
        assert len(expected) == 5
        assert_same_tensors(found, expected)


def test_lint_finds_the_stride_of_the_last_level_alone() -> None:
    assert [found.rule for found in check_text(SPEC, "pyramid.yaml").findings] == [
        "stride-skips-pixels"
    ]
