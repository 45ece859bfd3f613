"""`archspec verify`: networks that agree pass, a planted difference is found at its layer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

import archspec
from archspec.api import network
from archspec.codegen import generate
from archspec.verify import checks, source
from archspec.verify.counts import checks_of_counts
from archspec.verify.source import checks_of_source
from support.families import NARROWER
from support.linting import Project, Said

SMALL = "--set=input=[3,64,64]"  # the networks take any size, and a smaller one is quicker
SIZE = {"input": [3, 64, 64]}
TINY = "test_resnet"  # timm's own for tests, with half a million parameters


def verified(project: Project, text: str, base: str = TINY, against: str = f"timm:{TINY}") -> Said:
    project.write("net.yaml", f"extends: {base}\nname: net\ninput: [3, 32, 32]\n{text}")
    return project.run("verify", "net.yaml", f"--against={against}")


LIBRARY = {
    "squeezenet1_1": "torchvision",
    "mobilenet_v3_small": "torchvision",
    TINY: "timm",
    "starnet_s1": "timm",
}


@pytest.mark.sampled("name", ["squeezenet1_1", "mobilenet_v3_small", TINY], of=LIBRARY)
def test_all_checks_hold(name: str, project: Project) -> None:
    said = project.run("verify", name, SMALL, f"--against={LIBRARY[name]}:{name}")
    assert said.code == 0, said.out
    assert len(re.findall(r"^  ok ", said.out, re.MULTILINE)) == 10
    assert said.lines[-1] == f"{name}: all 10 checks pass"


SHALLOW = {"args": {"width": 96}, "stages": {"encoder": {"encoder": {"layers": 1}}}}


@pytest.mark.parametrize(
    "changes",
    [
        {"extends": "unet", **NARROWER["unet"], **SIZE},
        {"extends": "googlenet", **NARROWER["googlenet"], **SIZE},
        {"extends": "vit_b_16", **SHALLOW},
        {"extends": "residual_mlp"},
        {"extends": "resnet18_sequence"},
    ],
    ids=lambda changes: changes["extends"],
)
def test_the_source_and_the_counts_hold_without_a_peer(changes: dict[str, Any]) -> None:
    """Several outputs, heads that train alone, attention, and inputs that are no images."""
    spec = archspec.load({"name": "net", **changes})
    found = [*checks(network(spec), archspec.analyze(spec))]
    assert [check for check in found if not check.passed] == []
    assert len(found) == 7


def test_a_peer_has_as_many_classes_as_the_spec(project: Project) -> None:
    assert verified(project, "args: {classes: 7}").code == 0


#: The bottleneck of 2015, where the first 1x1 has the stride: all weights fit.
MOVED = """{args: {width: channels // 4}, parts: {projection: conv_norm}, body: [{residual: [
  {conv_norm_act: {channels: width, kernel: 1, stride: stride}},
  {conv_norm_act: {channels: width, kernel: 3}},
  {conv_norm: {channels: channels, kernel: 1}}], shortcut: projection}, act]}"""


@pytest.mark.parametrize(
    ("change", "layer"),
    [
        ("defaults: {act: gelu}", "conv1.2"),
        ("defaults: {norm: {batch_norm: {eps: 1.0e-4}}}", "conv1.1"),
        ("stages:\n  layer2: {stride: 1}\n", "layer2.0.conv1"),
        ("stages:\n  layer3: {stride: 1}\n  layer4: {stride: 4}\n", "layer3.0.conv2"),
        (f"blocks: {{bottleneck: {MOVED}}}", "layer3.0.conv1"),
    ],
    ids=["activation", "eps", "stride", "two strides", "a stride moved to an earlier layer"],
)
def test_a_difference_is_found_at_its_layer(change: str, layer: str, project: Project) -> None:
    said = verified(project, change)
    assert said.code == 1
    failed = next(text for text in said.lines if text.startswith("  FAIL  forward"))
    assert f"first at {layer} (" in failed
    assert ".yaml:" in failed


@pytest.mark.parametrize(
    ("against", "message", "hint"),
    [
        ("resnet18", "unknown network `resnet18` to compare with", "`torchvision:NAME`"),
        ("keras:resnet18", "unknown network `keras:resnet18`", "`timm:NAME`"),
        *(
            (f"{library}:{name}", f"{library} has no network `{name}`", f"help: use {hint}")
            for library, name, hint in (
                ("torchvision", "resnet81", "one of `resnet18`, `resnet152`, `resnet101`"),
                ("torchvision", "resnext50", "`resnext50_32x4d`"),
                ("torchvision", "Resnet_50", "`resnet50`"),
                ("torchvision", "efficientnet_b9", "one of `efficientnet_b7`, `efficientnet_b6`"),
                ("torchvision", "darknet", "a name from `torchvision.models.list_models()`"),
                ("timm", "swin_tiny", "`swin_tiny_patch4_window7_224`"),
                ("timm", "convnext_tinny", "`convnext_tiny`"),
            )
        ),
        (
            "torchvision:resnet34",
            "only in torchvision:resnet34 (96):\n    layer1.2.conv1.weight\n",
            "matched by name",
        ),
    ],
)
def test_what_cannot_be_compared_is_wrong_usage(
    against: str, message: str, hint: str, project: Project
) -> None:
    said = verified(project, "", "resnet18", against)
    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert hint in said.err


def test_other_shapes_are_listed(project: Project) -> None:
    said = verified(
        project, "stages:\n  layer4: {channels: 640}\n", "resnet18", "torchvision:resnet18"
    )
    assert said.code == 2
    assert "different shapes (26):\n    layer4.0.conv1.weight: (640, 256, 3, 3)" in said.err
    assert "    ... and 18 more" in said.err


def test_a_spec_that_imports_a_class_is_not_run(project: Project) -> None:
    project.write(
        "net.yaml",
        "name: net\ninput: [3, 8, 8]\nstem: [own]\nblocks:\n"
        "  own: {import: secrets.Own, like: identity, params: 0}\n",
    )
    said = project.run("verify", "net.yaml")
    assert (said.code, said.out) == (2, "")
    assert "imports `secrets.Own`" in said.err


# The checks themselves: each sees what is planted under it ------------------------------


@pytest.mark.parametrize(
    ("written", "changed", "name"),
    [
        ("self.fc", "self.head", "state dict"),
        ("fan_out", "fan_in", "initial weights"),
        ("return self.relu(y + ", "return (y + ", "forward"),
        ("nn.BatchNorm2d(64)", "nn.BatchNorm2d(64, momentum=0.2)", "training step"),
    ],
)
def test_a_source_that_differs_is_found(
    written: str, changed: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network({"name": "net", "extends": "resnet18", **NARROWER["resnet18"], **SIZE})
    monkeypatch.setattr(source, "generate", lambda net: generate(net).replace(written, changed))
    failed = next(check for check in checks_of_source(net, (3, 64, 64)) if not check.passed)
    assert failed.name == name
    assert "differ" in failed.detail


def test_counts_that_differ_are_found() -> None:
    net, analysis = network("resnet18", **SIZE), archspec.analyze("resnet18", **SIZE)
    rows = tuple(
        row._replace(output=(1, 2, 3), macs=row.macs + 1) if row.path == "layer1.1.conv2" else row
        for row in analysis.rows
    )
    wrong = replace(analysis, params=5)
    vars(wrong)["rows"] = rows
    found = {check.name: check for check in checks_of_counts(net, wrong)}
    assert not any(check.passed for check in found.values())
    assert found["output shapes"].detail.startswith("layer1.1.conv2: (1, 2, 3), but torch has")
    assert found["multiply-adds"].detail.startswith("layer1.1.conv2: ")
    assert found["parameters"].detail == "the network: 5, but torch counts 11,689,512"
