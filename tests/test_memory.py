"""Peak memory without torch, against what torch keeps and what its own tracker sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import yaml
from hypothesis import assume, given, settings
from torch import Tensor, nn

import archspec
from archspec.diagnostics import SpecError
from archspec.ir import Op, Shape, fields_of, run
from archspec.memory import forward, memory_of
from archspec.memory.forward import Forward
from archspec.ops import OPS
from support.linting import Project
from support.ops import ARRIVES, made, meetings
from support.strategies import specs
from support.tracked import tracked
from test_ops import torch_class

#: What they keep depends on the kernel, so that sizes are estimates; below, those in bf16.
ESTIMATED = {"lstm", "gru", "parameter"}
ESTIMATED_LOW = {"rms_norm", "local_response_norm", "global_response_norm", "embedding"}
#: Statistics of each sample, which are small beside an image.
NEAR = 0.06
#: In 3d autocast runs these in float32 on a CPU, but not on CUDA, which is what counts.
PROMOTED = {("video", "archspec.ops.pools"), ("video", "archspec.ops.resizing")}


def module_of(op: Op, shape: Shape) -> nn.Module:
    given = {f.torch: getattr(op, f.torch) for f in fields_of(type(op))}
    made: nn.Module = torch_class(op.torch_name(shape))(**given)
    return made.train()


def kept_by_torch(op: Op, shape: Shape, batch: int, low: bool) -> int:
    """Bytes that autograd keeps, of the weights and their copies too."""
    module = module_of(op, shape)
    sizes = (batch, *shape.sizes)
    if op.counts:
        x = torch.zeros(sizes, dtype=torch.long)
    else:
        x = torch.rand(sizes).requires_grad_() * 1
        x = x.bfloat16() if low else x
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with torch.autocast("cpu", torch.bfloat16, enabled=low), hooks:
        y = module(x)
    del y
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def kept_by_us(op: Op, shape: Shape, low: bool) -> int:
    y = op.output(shape)
    arrives = 2 if low else 4
    if op.autocast == "full":
        arrives = 4
    leaves = {"low": arrives, "": arrives}.get(op.autocast, 4)
    sizes = {"x": (8 if op.counts else arrives) * shape.elements, "y": leaves * y.elements}
    return op.kept(shape, y, leaves) + sum(sizes[name] for name in op.keeping(shape))


def exact() -> Iterator[tuple[str, str, bool]]:
    for arrives, key in meetings():
        if key not in ESTIMATED:
            yield arrives, key, False
            if key not in ESTIMATED_LOW and (arrives, OPS[key].__module__) not in PROMOTED:
                yield arrives, key, True


@pytest.mark.parametrize(("arrives", "key", "low"), [*exact()])
def test_an_op_keeps_what_autograd_keeps(arrives: str, key: str, low: bool) -> None:
    shape = ARRIVES[arrives]
    op = made(OPS[key], shape)
    more, less = (kept_by_torch(op, shape, batch, low) for batch in (6, 4))
    ours = kept_by_us(op, shape, low)
    assert ours == pytest.approx((more - less) / 2, abs=NEAR * 4 * shape.elements + 100)


#: A block of each stage of ResNet-18: torch's tracker takes long.
SHORT: dict[str, Any] = {
    "extends": "resnet18",
    "input": [3, 64, 64],
    "stages": {f"layer{number}": {"repeat": 1} for number in range(1, 5)},
}
#: A U-Net that halves the image twice.
SHORT_UNET: dict[str, Any] = {
    "extends": "unet",
    "input": [3, 64, 64],
    "stages": {"down3": None, "down4": None},
    "head": {"up1": None, "up2": None, "up3": {"up": {"channels": 128, "skip": "down1"}}},
}


@pytest.mark.parametrize(
    ("changes", "batch", "precision", "optimizer"),
    [
        (SHORT, 16, "bf16", "adamw"),
        (SHORT_UNET, 4, "fp32", "adamw"),
        (
            {"extends": "vit_b_16", "stages": {"encoder": {"encoder": {"layers": 2}}}},
            4,
            "fp32",
            "sgd",
        ),
    ],
    ids=lambda value: value.get("extends") if isinstance(value, dict) else None,
)
def test_peaks_are_those_of_the_tracker(
    changes: dict[str, Any], batch: int, precision: Any, optimizer: str
) -> None:
    spec = archspec.load({"name": "net", **changes})
    training, inference = tracked(spec, batch, precision == "bf16", optimizer)
    found = archspec.analyze(spec).memory(batch, precision, optimizer)
    assert found.training == pytest.approx(training, rel=0.03)
    assert found.inference == pytest.approx(inference, rel=0.03)


@pytest.mark.parametrize("frozen", [["conv1", "bn1", "layer1", "layer2"], ["layer3.0"]])
@pytest.mark.parametrize(("precision", "optimizer"), [("fp32", "sgd"), ("bf16", "adamw")])
def test_peaks_of_frozen_layers_are_those_of_the_tracker(
    frozen: list[str], precision: Any, optimizer: str
) -> None:
    spec = archspec.load({"name": "net", **SHORT})
    training, inference = tracked(spec, 16, precision == "bf16", optimizer, frozen)
    found = archspec.analyze(spec).memory(16, precision, optimizer, frozen=frozen)
    assert found.training == pytest.approx(training, rel=0.03)
    assert found.inference == pytest.approx(inference, rel=0.03)
    assert found.training < 0.97 * archspec.analyze(spec).memory(16, precision, optimizer).training


def test_a_recipe_that_freezes_layers_needs_less_memory(project: Project) -> None:
    recipe = "data: synthetic, epochs: 2, batch_size: 512, lr: 0.1, memory: 400M"
    head = "extends: resnet18\nname: net\ninput: [3, 64, 64]\n"
    project.write("net.yaml", f"{head}train: {{{recipe}}}\n")
    assert "AS403 [out-of-memory] a batch of 512 takes 0.6 GiB" in project.lint("net.yaml").out
    project.write("net.yaml", f"{head}train: {{{recipe}, freeze: [stem, layer1, layer2]}}\n")
    assert project.lint("net.yaml").code == 0
    shown = project.run("show", "net.yaml", "--memory", "--precision=bf16", "--format=json").data
    frozen = ("conv1", "bn1", "layer1", "layer2")
    found = archspec.analyze("net.yaml").memory(512, "bf16", frozen=frozen)
    assert shown["training"] == found.training < 400 * 2**20


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "hrnet_w18_small", "vit_b_32"])
def test_memory_grows_with_the_batch_and_with_what_is_held(name: str) -> None:
    analysis = archspec.analyze(name)
    one, two, four = (analysis.memory(batch) for batch in (1, 2, 4))
    assert 2 * (two.kept - one.kept) == four.kept - two.kept > 0
    assert one.weights >= 4 * analysis.params
    assert one.inference < one.training
    assert analysis.memory(64, "bf16").training < analysis.memory(64).training
    full = analysis.memory(64)
    held = analysis.memory(64, ema=True)
    assert held.training - full.training == full.weights
    states = analysis.memory(64, optimizer="adamw").training - full.training
    assert states == 4 * analysis.params


#: The peak is in the backward pass of blocks that branches and `share` apply again.
SHARED = """
name: net
input: [3, 4, 4]
blocks:
  wide:
    body:
      - residual: [{conv: {channels: 64, kernel: 3}}, act, {conv: {channels: channels}}]
        shortcut: {conv: {channels: channels}}
  cell: {body: [{wide: {channels: channels}}, {residual: [norm, act]}]}
stem: [{wide: {channels: 8}}, act]
head:
  a: {cell: {channels: 8}}
  b: {concat: [{share: a}, [{cell: {channels: 8}}, act], {share: a}]}
  c: {wide: {channels: 8}}
"""


def check_blocks(spec: dict[str, Any]) -> None:
    """A block is evaluated once for equal uses: the same as layer by layer, memo or not."""
    found = archspec.analyze(spec)
    frozen = tuple(row.path for row in found.rows[: len(found.rows) // 2])
    for case in ((3, "fp32", "sgd"), (2, "bf16", "adamw"), (2, "bf16", "sgd", True, frozen)):
        memory, network = found.memory(*case), found.network
        assert network
        assert memory == memory_of(network, *case, memo=None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Forward, "_block", lambda own, block, x: run(block.body, x, own))
            assert memory == memory_of(network, *case, memo=None)


@pytest.mark.parametrize(
    "spec", [yaml.safe_load(SHARED), "resnet18", "mobilenet_v2", "hrnet_w18_small"]
)
def test_a_block_takes_what_its_layers_take(spec: Any) -> None:
    check_blocks(spec)


@pytest.mark.parametrize("flag", ["kept", "learned", "again"])
def test_each_flag_of_a_use_matters_in_the_network_above(
    flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a wrong flag is seen where the blocks are compared with their layers."""
    true = forward.passed

    def wrong(use: forward.Use, *, memo: Any) -> Any:
        return true(use._replace(**{flag: not getattr(use, flag)}), memo=memo)

    before = shared_memory()
    monkeypatch.setattr(forward, "passed", wrong)
    assert shared_memory() != before


@pytest.mark.parametrize("place", [0, 1], ids=["input", "output"])
def test_so_do_the_storages_that_a_block_keeps(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    true = forward.passed

    def wrong(use: forward.Use, *, memo: Any) -> Any:
        found = true(use, memo=memo)
        keeps = [kept != (number == place) for number, kept in enumerate(found.keeps)]
        return found._replace(keeps=tuple(keeps))

    before = shared_memory()
    monkeypatch.setattr(forward, "passed", wrong)
    assert shared_memory() != before


def shared_memory() -> Any:
    found = archspec.analyze(yaml.safe_load(SHARED))
    frozen = tuple(row.path for row in found.rows[: len(found.rows) // 2])
    assert found.network
    return memory_of(found.network, 2, "bf16", "sgd", True, frozen, memo=None)


@settings(max_examples=25, deadline=None)
@given(specs())
def test_a_block_takes_what_its_layers_take_in_random_specs(spec: dict[str, Any]) -> None:
    try:
        check_blocks(spec)
    except SpecError:
        assume(False)


def test_show_prints_the_peaks_of_the_recipe(project: Project) -> None:
    said = project.run("show", "resnet50", "--memory", "--precision=bf16")
    assert said.lines[0] == "resnet50: 256 samples in bf16, sgd"
    options = ("--batch-size=8", "--optimizer=adamw", "--format=json")
    data = project.run("show", "resnet50", "--memory", *options).data
    expected = archspec.analyze("resnet50").memory(8, optimizer="adamw")
    assert (data["batch_size"], data["training"]) == (8, expected.training)
    shared = ("--set=train.memory=8 x 24G", "--set=train.accumulate=2")
    said = project.run("show", "resnet50", "--memory", *shared)
    assert said.lines[0] == "resnet50: 16 samples in fp32, sgd"


def test_a_roofline_has_all_operations_and_bytes(project: Project) -> None:
    options = ("--roofline=a100", "--batch-size=32", "--precision=bf16")
    layers = {
        x["path"]: x
        for x in project.run("show", "resnet18", *options, "--format=json").data["layers"]
    }
    conv = layers["layer1.0.conv1"]
    assert conv["operations"] == 2 * 32 * 64 * 64 * 9 * 56 * 56
    assert conv["moved"] == 2 * (32 * 2 * 64 * 56 * 56 + 64 * 64 * 9)
    assert conv["seconds"] == max(conv["operations"] / 312e12, conv["moved"] / 2039e9)
    assert conv["compute"]
    assert not layers["bn1"]["compute"]
    assert layers["flatten"]["seconds"] == 0
    macs = archspec.analyze("resnet18").macs
    assert sum(x["operations"] for x in layers.values()) == 2 * 32 * macs
    said = project.run("show", "resnet18", *options, "--depth=1")
    assert said.lines[0] == "resnet18: 32 samples in bf16 on a100"
    assert re.fullmatch(r"total +116.101 .* compute \d+%, memory \d+%", said.lines[-1])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("--batch-size=3", "--batch-size: requires --memory or --roofline"),
        ("--precision=fp32", "--precision: requires --memory or --roofline"),
        ("--ema", "--ema: requires --memory"),
        ("--resolved --optimizer=sgd", "--optimizer: not allowed with argument --resolved"),
        ("--memory --depth=1", "--depth: not allowed with argument --memory"),
        ("--roofline=a100 --convention=fvcore", "--convention: not allowed with argument --roofl"),
        ("--pass=expanded --format=json", "--format: json is not allowed with argument --pass"),
    ],
)
def test_no_option_is_ignored(options: str, error: str, project: Project) -> None:
    said = project.run("show", "resnet18", *options.split())
    assert (said.code, said.out) == (2, "")
    assert f"argument {error}" in said.err


def test_a_batch_is_a_number(project: Project) -> None:
    said = project.run("show", "resnet18", "--memory", "--batch-size=none")
    assert (said.code, said.out) == (2, "")
    assert "expected an integer of at least 1, found 'none'" in said.err


@pytest.mark.parametrize(
    ("memory", "more", "said"),
    [
        ("1.5G", "", "a batch of 128 takes 1.6 GiB in bf16, but a device has 1.5"),
        ("1.75G", "", ""),
        ("2 x 1.5G", "", ""),
        ("1.5G", ", accumulate: 2", ""),
        ("1G", ", size: 112", ""),
        (
            "1664M",
            ", optimizer: adamw",
            "a batch of 128 takes 1.6 GiB in bf16, but a device has 1.6",
        ),
    ],
)
def test_a_recipe_that_cannot_fit_is_found(
    memory: str, more: str, said: str, project: Project
) -> None:
    train = f"{{data: imagenet, epochs: 9, batch_size: 128, lr: 0.1, memory: {memory}{more}}}"
    project.write("net.yaml", f"name: net\nextends: resnet18\ntrain: {train}\n")
    found = project.run("lint", "net.yaml", "--format=concise").out
    assert ("AS403" in found) == bool(said), found
    assert said in found


@pytest.mark.parametrize("memory", ["24", "lots", "24T", "0 x 24G", "-1G", "1e3G", "24GB"])
def test_a_size_that_is_none_is_refused(memory: str, project: Project) -> None:
    train = f"{{data: imagenet, epochs: 9, batch_size: 128, lr: 0.1, memory: {memory}}}"
    project.write("net.yaml", f"name: net\nextends: resnet18\ntrain: {train}\n")
    assert "expected a size such as `24G`, or `8 x 24G`" in project.run("lint", "net.yaml").out
