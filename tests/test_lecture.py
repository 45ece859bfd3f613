"""The lecture on ResNet (Dive into Deep Learning, section 8.6), step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from support import write_spec
from support.modules import READERS, evaluate, generated_module, images, same_bits
from support.peers import LectureBlock

# The lecture's block: biases, and a bare 1x1 convolution on the shortcut where needed.
BLOCK = """\
input: [3, 6, 6]
defaults:
  conv: {{bias: true}}
  basic:
    projection: {{conv: {{channels: channels, stride: stride}}, name: conv3}}
stages:
  layer1: {{block: basic, {0}}}
"""

STAGES = {
    "conv1": (64, 112, 112),
    "maxpool": (64, 56, 56),
    "layer1": (64, 56, 56),
    "layer2": (128, 28, 28),
    "layer3": (256, 14, 14),
    "layer4": (512, 7, 7),
    "flatten": (512,),
    "fc": (10,),
}

both_readers = pytest.mark.parametrize("read", READERS.values(), ids=READERS)
Reader = Callable[..., nn.Module]


@both_readers
@pytest.mark.parametrize(
    ("stage", "shape"),
    [
        pytest.param("channels: 3", (4, 3, 6, 6), id="keeps the shape"),
        pytest.param("channels: 6, stride: 2", (4, 6, 3, 3), id="halves the image"),
        pytest.param("channels: 6, stride: 3", (4, 6, 2, 2), id="stride 3 gives 2x2"),
        pytest.param("channels: 3, stride: 2", (4, 3, 3, 3), id="stride alone"),
    ],
)
def test_what_a_residual_block_does_to_a_shape(
    read: Reader, stage: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    spec = write_spec(tmp_path, BLOCK.format(stage))
    assert read(spec)(images(4, 3, 6, 6)).shape == shape
    assert archspec.analyze(spec).output == shape[1:]


@both_readers
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_block_computes_what_the_lectures_block_does(
    read: Reader, stride: int, tmp_path: Path
) -> None:
    channels = 3 if stride == 1 else 6
    stage = f"channels: {channels}, stride: {stride}"
    ours = read(write_spec(tmp_path, BLOCK.format(stage))).get_submodule("layer1.0")
    lectures = LectureBlock(3, channels, use_1x1conv=stride > 1, strides=stride)
    lectures.load_state_dict(ours.state_dict())
    x = images(4, 3, 6, 6)
    assert same_bits(ours(x), lectures(x))


@both_readers
def test_a_block_whose_body_gives_zero_is_the_identity(read: Reader, tmp_path: Path) -> None:
    block = read(write_spec(tmp_path, BLOCK.format("channels: 3")))
    nn.init.zeros_(block.get_parameter("layer1.0.bn2.weight"))
    x = images(4, 3, 6, 6).relu()
    assert torch.equal(block(x), x)


def test_other_channels_without_the_1x1_convolution_are_refused(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, BLOCK.format("channels: 6, projection: none"))
    with pytest.raises(archspec.SpecError) as raised:
        archspec.build_module(spec)
    (found,) = raised.value.diagnostics
    assert found.rule == "residual-shape-mismatch"
    assert "3 x 6 x 6" in found.message
    assert "6 x 6 x 6" in found.message
    spans = [found.span, *(label.span for label in found.labels)]
    places = [(Path(span.file).name, span.line) for span in spans if span]
    assert ("net.yaml", 8) in places  # where the stage is written
    assert "1x1" in found.hint


@both_readers
def test_the_shapes_of_resnet18_stage_by_stage(read: Reader) -> None:
    seen: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda module, inputs, output: seen.update({name: output.shape[1:]})

    model = read("resnet18_fashion_mnist")
    for name in STAGES:
        model.get_submodule(name).register_forward_hook(note(name))
    assert evaluate(model, images(1, 1, 224, 224)).shape == (1, 10)
    assert seen == STAGES


def test_the_analysis_tells_the_same_shapes() -> None:
    rows = archspec.analyze("resnet18_fashion_mnist").rows
    last = {row.path.partition(".")[0]: row.output for row in rows}
    assert {name: last[name] for name in STAGES} == STAGES


def test_eighteen_weighted_layers() -> None:
    model = generated_module("resnet18_fashion_mnist")
    weighted = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and not name.endswith("conv3")
    ]
    assert len(weighted) == archspec.analyze("resnet18_fashion_mnist").depth == 18
