"""`interpolate`: both readers against torch's function, torch's compilers, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import archspec
from archspec.lint.check import check_text
from support import write_spec
from support.modules import (
    TRANSFORMATIONS,
    assert_same_tensors,
    generated_module,
    images,
    seeded,
    tensors,
)

PYRAMID = """
input: [3, 15, 22]
stem: {conv1: {conv: {channels: 8, kernel: 3}}}
stages:
  layer1: {block: basic, channels: 8, stride: 2}
  layer2: {block: basic, channels: 16, stride: 2}
head:
  up1: {up: {channels: 8, skip: layer1}}
  again: {interpolate: {like: conv1, mode: bilinear, align_corners: true}}
  small: {interpolate: layer2, save: coarse}
  last: {add: [{from: up1}, [{from: coarse}, shrink, {interpolate: up1}]]}
outputs: {eval: [last], training: [last, again]}
blocks:
  up:
    inputs: [skip]
    body:
      - {conv: channels, name: lateral}
      - {interpolate: {like: skip, mode: bicubic, align_corners: stride > 1}}
      - {add: [[], {conv: channels, from: skip}], save: joined}
      - {max_pool: 2}
      - add: [{from: joined}, {interpolate: joined}, [{interpolate: input}, {interpolate: joined}]]
  shrink:
    inline: true
    body: [{save: whole}, {max_pool: 2}, {interpolate: whole}, {multiply: [[], {from: whole}]}]
"""


def test_the_source_says_it_as_torch_does(tmp_path: Path) -> None:
    source = archspec.render(write_spec(tmp_path, PYRAMID))
    assert "from torch.nn import functional as F\n" in source
    assert source.count("F.interpolate(") == 8
    assert 'size=conv1.shape[-2:], mode="bilinear", align_corners=True' in source


@pytest.mark.parametrize("training", [False, True], ids=["eval", "training"])
def test_both_readers_at_any_size(training: bool, tmp_path: Path) -> None:
    path = write_spec(tmp_path, PYRAMID)
    one, other = (seeded(lambda: read(path)) for read in (archspec.build_module, generated_module))  # noqa: B023
    for size in ((15, 22), (40, 9)):
        x = images(2, 3, *size)
        found = [tensors(module.train(training)(x)) for module in (one, other)]
        assert_same_tensors(*found)
        half = tuple((n + 1) // 2 for n in size)
        assert {y.shape[2:] for y in found[0].values()} == ({half, size} if training else {half})


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear"])
def test_what_it_computes(rank: int, mode: str, tmp_path: Path) -> None:
    mode = mode if mode != "linear" else ("linear", "bilinear", "trilinear")[rank - 1]
    text = f"""
input: [2, {", ".join(["7", "6", "5"][:rank])}]
stem:
  - {{max_pool: 3, save: small}}
  - {{interpolate: {{like: input, mode: {mode}}}, from: small}}
"""
    path, x = write_spec(tmp_path, text), images(2, 2, *(9, 5, 8)[:rank])
    small = getattr(nn.functional, f"max_pool{rank}d")(x, 3, padding=1)
    expected = nn.functional.interpolate(small, size=x.shape[2:], mode=mode)
    for module in (archspec.build_module(path), generated_module(path)):
        assert torch.equal(module(x), expected)


@pytest.mark.parametrize("how", TRANSFORMATIONS)
def test_the_source_takes_torchs_compilers(how: str, tmp_path: Path) -> None:
    path = write_spec(
        tmp_path, PYRAMID.replace("{eval: [last], training: [last, again]}", "[last, again]")
    )
    module, x = generated_module(path).eval(), images(2, 3, 15, 22)
    taken = TRANSFORMATIONS[how](module, x)
    with torch.no_grad():
        assert_same_tensors(tensors(taken(x)), tensors(module(x)))


def test_a_tensor_whose_size_is_read_is_kept(tmp_path: Path) -> None:
    stem = "{a: {conv: 4}, b: {conv: {channels: 4, stride: 2}, from: input}, c: {interpolate: a}}"
    text = f"input: [3, 8, 8]\nstem: {stem}\noutputs: [c]\n"
    module = archspec.build_module(write_spec(tmp_path, text))
    assert list(module.state_dict()) == ["a.weight", "b.weight"]


SAVED = "stem:\n  - {conv: 8, save: a}\n  - {max_pool: 2}\n"
REFUSED = {
    "a name that is misspelt": ("{interpolate: b}", "unknown-tensor"),
    "a name that is misspelt in a map": ("{interpolate: {like: b}}", "unknown-tensor"),
    "a number": ("{interpolate: 2}", "wrong-type"),
    "nothing": ("{interpolate: {}}", "missing-key"),
    "a list": ("{interpolate: [a]}", "wrong-type"),
    "a scale": ("{interpolate: {like: a, scale: 2}}", "unknown-key"),
    "an argument that there is not": ("{interpolate: {like: a, mod: nearest}}", "unknown-key"),
    "a mode that there is not": ("{interpolate: {like: a, mode: cubic}}", "wrong-type"),
    "a mode of lines": ("{interpolate: {like: a, mode: linear}}", "shape-mismatch"),
    "corners of a mode without": (
        "{interpolate: {like: a, align_corners: true}}",
        "shape-mismatch",
    ),
    "corners that are a number": ("{interpolate: {like: a, align_corners: [1]}}", "wrong-type"),
    "an unknown name": (
        "{interpolate: {like: a, mode: bicubic, align_corners: nope}}",
        "unknown-name",
    ),
    "features": ("{sequence: [global_avg_pool, flatten]}\n  - {interpolate: a}", "shape-mismatch"),
    "a name": ("{interpolate: a, name: up}", "bad-layer"),
    "in a sequence": ("{sequence: [{interpolate: a}]}", "bad-layer"),
    "a tensor for upsample": ("{upsample: {like: a}}", "unknown-key"),
    "` expects a sequence with channels last, but its input is": (
        "{interpolate: a, from: b}",
        "unknown-tensor",
    ),
}


def findings(folder: Path, text: str) -> list[str]:
    path = write_spec(folder, "input: [3, 16, 16]\n" + text + "\n")
    return [found.rule for found in check_text(path.read_text("utf-8"), str(path)).findings]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind: str, tmp_path: Path) -> None:
    layer, rule = REFUSED[kind]
    assert rule in findings(tmp_path, f"{SAVED}  - {layer}")


def test_images_of_other_ranks_and_axes(tmp_path: Path) -> None:
    for between in ("{reshape: [8, 256]}", "channels_last", "{reshape: [8, 4, 4, 16]}"):
        layers = f"{SAVED}  - {{from: a}}\n  - {between}\n  - {{interpolate: a}}"
        assert findings(tmp_path, layers) == ["shape-mismatch"]


def test_what_is_too_large(tmp_path: Path) -> None:
    stem = "[{upsample: {size: 4096}, save: a}, {max_pool: 64}, {conv: 100000}, {interpolate: a}]"
    assert findings(tmp_path, f"stem: {stem}") == ["too-large"]


def test_a_tensor_that_only_its_size_is_read_of_is_used(tmp_path: Path) -> None:
    assert findings(tmp_path, f"{SAVED}  - {{interpolate: a}}\n  - {{conv: 8}}") == []
