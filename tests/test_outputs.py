"""Features out of the middle of a network, in both readers, against torchvision's extractor."""

from __future__ import annotations

import importlib
import re
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from support import write_spec
from support.draws import blank, filled, initial, lent, shortened
from support.modules import (
    READERS,
    TRANSFORMATIONS,
    assert_same_tensors,
    evaluate,
    generated_module,
    images,
    same_bits,
    seeded,
)
from support.peers import torchvision_model
from support.tools import assert_clean, run

ASKED = [
    ("resnet18", ["layer2", "layer4"]),
    ("resnet18", ["layer4", "relu", "layer1"]),
    ("resnet18", ["fc", "conv1"]),
    ("resnet50", ["layer3"]),
    ("cifar_resnet20", ["layer1", "layer2", "layer3"]),
]


def pair(name: str, outputs: list[str]) -> tuple[nn.Module, nn.Module]:
    """One spec in both readers, giving the same features; of blocks that are alike, two."""
    ours, theirs = (partial(reader, name, outputs=outputs) for reader in READERS.values())
    assert initial(ours) == initial(theirs)
    generated = filled(shortened(blank(theirs)))
    return lent(shortened(blank(ours)), generated), generated


def listed(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a network gives, also where that is one tensor."""
    return output if isinstance(output, tuple) else (output,)


@pytest.mark.parametrize(("name", "outputs"), ASKED)
def test_readers_agree(name: str, outputs: list[str]) -> None:
    interpreted, generated = pair(name, outputs)
    x = images(2, 3, 65, 48)
    ours, theirs = evaluate(interpreted, x), evaluate(generated, x)
    assert type(ours) is type(theirs) is (Tensor if len(outputs) == 1 else tuple)
    ours, theirs = listed(ours), listed(theirs)
    assert len(ours) == len(theirs) == len(outputs)
    assert all(map(same_bits, ours, theirs))
    for module in (interpreted, generated):
        loss = sum(feature.square().mean() for feature in listed(module.train()(x)))
        loss.backward()
    gradients = [{n: p.grad for n, p in m.named_parameters()} for m in (interpreted, generated)]
    assert_same_tensors(*gradients)  # type: ignore[arg-type]
    assert all(gradient is not None for gradient in gradients[0].values())


def test_the_features_are_those_of_torchvisions_extractor() -> None:
    """`create_feature_extractor` and `IntermediateLayerGetter` on the same weights."""
    peer = filled(shortened(blank(partial(torchvision_model, "resnet50"))))
    outputs = ["layer4", "layer2", "relu"]
    x = images(1, 3, 75, 64)
    extraction = importlib.import_module("torchvision.models.feature_extraction")
    extracted = evaluate(extraction.create_feature_extractor(peer.eval(), outputs), x)
    utils = importlib.import_module("torchvision.models._utils")
    got = evaluate(utils.IntermediateLayerGetter(peer, {name: name for name in outputs}), x)
    state = peer.state_dict()
    for reader in READERS.values():
        ours = shortened(blank(partial(reader, "resnet50", outputs=outputs)))
        ours.load_state_dict({name: state[name] for name in ours.state_dict()}, assign=True)
        for name, feature in zip(outputs, evaluate(ours, x), strict=True):
            assert same_bits(feature, extracted[name])  # type: ignore[index]
            assert same_bits(feature, got[name])  # type: ignore[index]


@pytest.mark.parametrize("reader", READERS)
def test_layers_after_the_last_output_are_not_built(reader: str) -> None:
    built = blank(partial(READERS[reader], "resnet18", outputs=["layer3", "layer1"]))
    whole = blank(partial(archspec.build_module, "resnet18")).state_dict()
    kept = [name for name in whole if not name.startswith(("layer4", "fc"))]
    assert list(built.state_dict()) == kept
    assert not {"layer4", "avgpool", "flatten", "fc"} & dict(built.named_children()).keys()


def test_the_analysis_ends_at_the_last_output() -> None:
    analysis = archspec.analyze("resnet18", outputs=["layer2", "relu"])
    module = blank(partial(archspec.build_module, "resnet18", outputs=["layer2", "relu"]))
    assert analysis.params == sum(p.numel() for p in module.parameters())
    assert analysis.output == (128, 28, 28)
    assert analysis.outputs["relu"] == (64, 112, 112)
    assert list(analysis.outputs) == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2"]
    assert analysis.macs < archspec.analyze("resnet18").macs


def source_of(outputs: list[str]) -> str:
    return archspec.render("resnet18", outputs=outputs)


def test_the_source_names_each_feature_after_its_layer() -> None:
    forward = source_of(["layer4", "layer2"]).split("def forward")[-1]
    assert forward == (
        "(self, x: Tensor) -> tuple[Tensor, Tensor]:\n"
        "        x = self.relu(self.bn1(self.conv1(x)))\n"
        "        x = self.maxpool(x)\n"
        "        x = self.layer1(x)\n"
        "        layer2 = self.layer2(x)\n"
        "        x = self.layer3(layer2)\n"
        "        layer4 = self.layer4(x)\n"
        "        return layer4, layer2\n"
    )


LONG = [f"{letter * (19 if n % 3 else 58)}{n}" for n, letter in enumerate("abcdefghijkl")]


def long_names(folder: Path) -> Path:
    """A network whose attributes have the longest names there may be."""
    stem = "".join(f"  {name}: {{conv: {{channels: 4, kernel: 3}}}}\n" for name in LONG)
    return write_spec(folder, f"input: [3, 8, 8]\nstem:\n{stem}")


@pytest.mark.parametrize("count", [1, 2, 4, 7, 9, 10, 12])
def test_the_source_is_as_ruff_formats_it_and_clean(count: int, tmp_path: Path) -> None:
    """However many outputs there are, and however long their names."""
    stem = "".join(f"  part{n}: {{conv: {{channels: 4, kernel: 3}}}}\n" for n in range(count))
    short = write_spec(tmp_path, f"input: [3, 8, 8]\nstem:\n{stem}", "short")
    for name, path, outputs in [
        ("short", short, [f"part{n}" for n in reversed(range(count))]),
        ("long", long_names(tmp_path), LONG[:count]),
    ]:
        source = archspec.render(path, outputs=outputs)
        (tmp_path / f"{name}_.py").write_text(source, "utf-8")
        x = images(1, 3, 8, 8)
        ours = evaluate(seeded(lambda: archspec.build_module(path, outputs=outputs)), x)  # noqa: B023
        theirs = evaluate(seeded(lambda: generated_module(path, outputs=outputs)), x)  # noqa: B023
        assert len(ours) == count
        assert all(map(same_bits, ours, theirs))
    assert_clean(tmp_path)


def test_the_source_is_clean_under_mypy(tmp_path: Path) -> None:
    """Torch itself is left out, which takes half a minute: its modules give `Any` either way."""
    path = tmp_path / "features.py"
    path.write_text(source_of(["layer4", "relu"]), "utf-8")
    options = ["--config-file=", "--follow-imports=skip", f"--cache-dir={tmp_path}"]
    run("mypy", *options, path)


def features(x: Tensor) -> tuple[nn.Module, tuple[Tensor, ...]]:
    module = seeded(lambda: generated_module("fashion_resnet8", outputs=["layer3", "relu"]))
    return module, evaluate(module, x)  # type: ignore[return-value]


@pytest.mark.parametrize("how", TRANSFORMATIONS)
def test_the_source_takes_torchs_compilers(how: str) -> None:
    x = images(1, 1, 32, 48)
    module, expected = features(x)
    taken = TRANSFORMATIONS[how](module, x)
    with torch.no_grad():
        assert all(map(same_bits, taken(x), expected))


# What is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (["layr2"], r"unknown output `layr2`.*did you mean `layer2`"),
        (["layer2", "layer2"], r"output `layer2` is listed twice"),
        (["layer3.2"], r"unknown output `layer3\.2`"),
        ([], r"no outputs given"),
    ],
)
def test_names_that_are_no_output(outputs: list[str], said: str) -> None:
    for function in (archspec.build_module, archspec.render, archspec.analyze):
        with pytest.raises(archspec.SpecError, match=said) as caught:
            function("resnet18", outputs=outputs)
        assert all(finding.rule == "unknown-output" for finding in caught.value.diagnostics)


def test_a_layer_that_is_applied_twice_is_no_single_output(tmp_path: Path) -> None:
    path = write_spec(
        tmp_path,
        "input: [3, 8, 8]\nstem: [{conv: {channels: 4}}, act, {conv: {channels: 4}}, act]\n",
    )
    with pytest.raises(archspec.SpecError, match=r"`relu` is applied 2 times.*its own `name`"):
        archspec.build_module(path, outputs=["relu"])


def test_a_layer_inside_a_residual_is_no_output_and_the_whole_of_it_is_kept(tmp_path: Path) -> None:
    path = write_spec(
        tmp_path,
        "input: [4, 8, 8]\n"
        "stem:\n"
        "  - residual: [{conv: {channels: 4, kernel: 3}}, norm]\n"
        "  - {conv: {channels: 8, stride: 2}}\n"
        "  - {residual: [{conv: {channels: 16}}], shortcut: {conv: {channels: 16}}}\n",
    )
    with pytest.raises(archspec.SpecError, match="`conv1` is inside a branch"):
        archspec.build_module(path, outputs=["conv1"])
    interpreted = seeded(lambda: archspec.build_module(path, outputs=["conv2"]))
    generated = seeded(lambda: generated_module(path, outputs=["conv2"]))
    assert list(dict(interpreted.named_children())) == ["conv1", "bn1", "conv2"]
    x = images(2, 4, 8, 8)
    assert all(map(same_bits, evaluate(interpreted, x), evaluate(generated, x)))


@pytest.mark.parametrize("outputs", ["layer4", 3, [4]])
def test_outputs_are_a_list_of_names(outputs: object) -> None:
    with pytest.raises(TypeError, match=re.escape(f"outputs={outputs!r}")):
        archspec.build_module("resnet18", outputs=outputs)  # type: ignore[arg-type]


# Headless ------------------------------------------------------------------------------


def test_a_spec_without_a_head_gives_the_map_of_the_last_stage(tmp_path: Path) -> None:
    path = write_spec(tmp_path, "extends: resnet18\nhead: none\n")
    assert archspec.analyze(path).output == (512, 7, 7)
    whole = filled(blank(partial(archspec.build_module, "resnet18", outputs=["layer4"])))
    x = images(1, 3, 64, 64)
    for reader in READERS.values():
        headless = lent(blank(partial(reader, path)), whole)
        assert same_bits(evaluate(headless, x), evaluate(whole, x))
