"""Checkpoints into modules: what fits is loaded to the bit, what does not is told line by line."""

from __future__ import annotations

import builtins
import copy
import importlib
import json
import pickle
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import archspec
from support import write_spec
from support.draws import undrawn
from support.modules import (
    assert_same_tensors,
    evaluate,
    generated_module,
    images,
    same_bits,
    seeded,
)
from support.peers import torchvision_model

State = dict[str, Tensor]
SMALL = """
input: [3, 32, 32]
args: {classes: 10}
defaults: {basic: {attention: se}}
stem: {conv1: {conv: {channels: 8, kernel: 3}}, bn1: norm, relu: act}
stages:
  layer1: {block: basic, repeat: 2, channels: 8}
  layer2: {block: basic, channels: 16, stride: 2}
head: {avgpool: global_avg_pool, flatten: flatten, fc: {linear: classes}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_spec(tmp_path, SMALL, "small")


def randomised(module: nn.Module, seed: int = 5) -> State:
    """A state dict in which no tensor is what a fresh module has."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(tensor.shape, generator=generator) + 0.5
        if tensor.is_floating_point()
        else torch.full_like(tensor, 7)
        for name, tensor in module.state_dict().items()
    }


def save(state: Any, path: Path) -> Path:
    """A checkpoint in the format of its suffix."""
    if path.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    else:
        torch.save(state, path)
    return path


# What fits -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
@pytest.mark.parametrize("reader", [archspec.build_module, generated_module])
def test_what_is_loaded_is_what_was_saved(
    spec: Path, tmp_path: Path, suffix: str, reader: Callable[..., nn.Module]
) -> None:
    module = reader(spec)
    state = randomised(module)
    assert archspec.load_weights(module, save(state, tmp_path / f"w{suffix}")) is module
    assert_same_tensors(module.state_dict(), state)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state, "optimizer": {"lr": 0.1}},
        lambda state: {"model_state_dict": state},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"state_dict": {f"module._orig_mod.{n}": t for n, t in state.items()}},
    ],
)
def test_wrapped_state_dicts(spec: Path, tmp_path: Path, wrap: Callable[[State], Any]) -> None:
    module = archspec.build_module(spec)
    state = randomised(module)
    archspec.load_weights(module, save(wrap(state), tmp_path / "w.pt"))
    assert_same_tensors(module.state_dict(), state)


def test_a_legacy_file_without_counters_of_batches(spec: Path, tmp_path: Path) -> None:
    module = archspec.build_module(spec)
    state = randomised(module)
    counters = [name for name in state if name.endswith("num_batches_tracked")]
    old = {name: tensor for name, tensor in state.items() if name not in counters}
    torch.save(old, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    archspec.load_weights(module, tmp_path / "w.pth")
    assert_same_tensors(module.state_dict(), state | dict.fromkeys(counters, torch.tensor(0)))


def test_torchvisions_weights_give_torchvisions_outputs(tmp_path: Path) -> None:
    peer = undrawn(partial(torchvision_model, "resnet18"))
    peer.load_state_dict(randomised(peer))
    path = save(peer.state_dict(), tmp_path / "resnet18.pth")
    x = images(1, 3, 40, 56)
    for module in (
        archspec.from_weights("resnet18", path),
        archspec.load_weights(generated_module("resnet18"), path),
    ):
        assert same_bits(evaluate(module, x), evaluate(peer, x))


def test_features_take_the_weights_of_the_whole_network(tmp_path: Path) -> None:
    whole = archspec.build_module("cifar_resnet20")
    path = save(whole.state_dict(), tmp_path / "w.safetensors")
    features = archspec.from_weights("cifar_resnet20", path, outputs=["layer2"])
    kept = {n: t for n, t in whole.state_dict().items() if n in features.state_dict()}
    assert_same_tensors(features.state_dict(), kept)
    with pytest.raises(archspec.WeightsError) as caught:
        archspec.from_weights("cifar_resnet20", save(kept | {"layer5.x": torch.ones(1)}, path))
    assert "layer5.x" in caught.value.unexpected
    assert "layer3.0.conv1.weight" in caught.value.missing


def test_what_is_ignored_may_be_in_the_file(spec: Path, tmp_path: Path) -> None:
    headless = archspec.load({**archspec.load(spec).data, "head": "none"})
    path = save(archspec.build_module(spec).state_dict(), tmp_path / "w.pt")
    with pytest.raises(archspec.WeightsError) as caught:
        archspec.from_weights(headless, path)
    assert caught.value.unexpected == ("fc.weight", "fc.bias")
    archspec.from_weights(headless, path, ignore=["fc"])


# Without initialisation ----------------------------------------------------------------

UNUSUAL = """
input: [4, 16, 16]
stem:
  - {conv: {channels: 8, kernel: 3, bias: true}}
  - norm
  - blur_pool
  - channel_scale: 0.125
  - {batch_norm: {momentum: 0.2}, init: zeros}
  - {group_norm: 4}
  - layer_norm
  - rms_norm
  - {instance_norm: {affine: true}}
  - flatten
  - linear: 3
"""


@pytest.mark.parametrize("source", ["cifar_resnet20", "resnet18_fashion_mnist", UNUSUAL])
def test_building_without_init_draws_nothing_and_leaves_constants_right(
    source: str, tmp_path: Path
) -> None:
    name = write_spec(tmp_path, source) if "\n" in source else source
    fresh = archspec.build_module(name)
    torch.manual_seed(11)
    empty = archspec.build_module(name, init=False)
    drawn = torch.rand(1)
    torch.manual_seed(11)
    assert torch.equal(drawn, torch.rand(1))
    constants = (nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d)
    for (path, ours), theirs in zip(empty.named_modules(), fresh.modules(), strict=True):
        if type(theirs).__module__.startswith("torch"):
            assert type(ours) is type(theirs)
        plain = isinstance(ours, constants) and path != "bn2"  # that one starts at zero
        if plain or type(ours).__name__ in ("ChannelScale", "ChannelLayerNorm", "ChannelRMSNorm"):
            assert_same_tensors(ours.state_dict(), theirs.state_dict())
    for ours, theirs in zip(empty.buffers(), fresh.buffers(), strict=True):
        assert same_bits(ours, theirs)
    empty.load_state_dict(fresh.state_dict())
    x = images(2, *archspec.load(name).input)
    assert same_bits(evaluate(empty, x), evaluate(fresh, x))


# Another number of input channels, another number of classes ---------------------------


@pytest.mark.parametrize("channels", [1, 2, 4, 6, 7])
def test_the_first_convolution_is_adapted_as_timm_does(channels: int, tmp_path: Path) -> None:
    adapt = importlib.import_module("timm.models._manipulate").adapt_input_conv
    state = archspec.build_module("cifar_resnet20").state_dict()
    path = save(state, tmp_path / "w.safetensors")
    input = [channels, 64, 64]
    module = archspec.from_weights("cifar_resnet20", path, adapt_input=True, input=input)
    expected = state | {"conv1.weight": adapt(channels, state["conv1.weight"].clone())}
    assert_same_tensors(module.state_dict(), expected)
    with pytest.raises(archspec.WeightsError, match="adapt_input=True") as caught:
        archspec.from_weights("cifar_resnet20", path, input=input)
    assert caught.value.mismatched == {"conv1.weight": ((16, 3, 3, 3), (16, channels, 3, 3))}


def test_a_deep_stem_is_adapted_from_any_number_of_channels(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "extends: cifar_resnet20\nstem: {conv1: {deep_stem: 16}}\n")
    grey = archspec.build_module(spec, input=[2, 64, 64])
    path = save(grey.state_dict(), tmp_path / "w.pt")
    module = archspec.from_weights(spec, path, adapt_input=True)
    weight, known = module.state_dict()["conv1.0.weight"], grey.state_dict()["conv1.0.weight"]
    assert torch.equal(weight, known[:, [0, 1, 0]] * (2 / 3))


def test_other_classes_start_afresh_and_all_else_is_loaded(tmp_path: Path) -> None:
    state = randomised(archspec.build_module("cifar_resnet20"))
    path = save(state, tmp_path / "w.safetensors")
    load = partial(archspec.from_weights, "cifar_resnet20", path)
    module = seeded(lambda: load(adapt_classes=True, classes=7))
    fresh = seeded(lambda: nn.Linear(64, 7))
    assert_same_tensors(
        module.state_dict(),
        {n: state[n] for n in state if not n.startswith("fc")}
        | {f"fc.{n}": t for n, t in fresh.state_dict().items()},
    )
    same = load(adapt_classes=True)
    assert_same_tensors(same.state_dict(), state)
    with pytest.raises(archspec.WeightsError, match="adapt_classes=True"):
        load(classes=7)


# What does not fit ---------------------------------------------------------------------


def test_everything_that_does_not_fit_is_told_with_its_lines(spec: Path, tmp_path: Path) -> None:
    module = archspec.build_module(spec)
    before = copy.deepcopy(module.state_dict())
    state = randomised(module)
    del state["layer1.1.bn2.running_mean"], state["layer2.0.se.fc1.weight"]
    state["layer2.0.conv1.weight"] = torch.ones(16, 9, 3, 3)
    state["layer2.0.conv9.weight"] = state["aside.weight"] = torch.ones(2)
    state["fc.bias"] = torch.ones(10, dtype=torch.int64)
    with pytest.raises(archspec.WeightsError) as caught:
        archspec.load_weights(module, save(state, tmp_path / "w.pt"))
    error = caught.value
    assert error.missing == ("layer1.1.bn2.running_mean", "layer2.0.se.fc1.weight")
    assert error.unexpected == ("layer2.0.conv9.weight", "aside.weight")
    assert error.mismatched == {
        "layer2.0.conv1.weight": ((16, 9, 3, 3), (16, 8, 3, 3)),
        "fc.bias": ((10,), (10,)),
    }
    lines = str(error).split("\n")
    written = spec.read_text("utf-8").split("\n")

    def told(start: str) -> list[str]:
        """The lines that the message names for a layer, as they are written there."""
        (line,) = [line.strip() for line in lines if line.strip().startswith(start)]
        places = re.search(r"\[(.*)\]$", line)
        assert places, line
        named = [place.rsplit(":", 1) for place in places[1].split(", ")]
        files = [(Path(file), int(number)) for file, number in named]
        return [file.read_text("utf-8").split("\n")[number - 1] for file, number in files]

    def line(start: str) -> str:
        (found,) = [line for line in written if line.startswith(start)]
        return found

    assert "nothing was loaded" in lines[0]
    assert "does not match Small" in lines[0]
    assert told("layer1.1.bn2: running_mean") == [line("  layer1:"), "      - norm"]
    assert told("layer2.0.se.fc1: weight")[0].startswith("  layer2:")
    assert "name: fc1" in told("layer2.0.se.fc1: weight")[1]
    assert told("layer2.0.conv9: weight") == [line("  layer2:")]
    assert told("layer2.0.conv1.weight: (16, 9, 3, 3) in the file, (16, 8, 3, 3)")[1].startswith(
        "      - conv:"
    )
    assert told("fc.bias: torch.int64 (10) in the file, torch.float32 (10)")[0].startswith("head:")
    assert_same_tensors(module.state_dict(), before)


def test_a_wholly_different_file_is_told_briefly(spec: Path, tmp_path: Path) -> None:
    other = undrawn(partial(torchvision_model, "resnet50"))
    path = save(other.state_dict(), tmp_path / "w.pt")
    with pytest.raises(archspec.WeightsError) as caught:
        archspec.from_weights(spec, path)
    assert len(str(caught.value).split("\n")) < 130
    assert "more" in str(caught.value)


class Evil:
    """What a pickle may do to who loads it."""

    def __reduce__(self) -> Any:
        return (open, ("pwned", "w"))


def header(entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no.pt", None, "file not found"),
        ("no.safetensors", None, "file not found"),
        ("w.txt", b"x", r"never a \.safetensors, \.pt, or \.pth file"),
        ("empty.pt", b"", "damaged or truncated"),
        ("empty.safetensors", b"", "damaged or truncated"),
        ("noise.pth", b"\x01\x02noise" * 9, "damaged or truncated"),
        ("long.safetensors", (2**62).to_bytes(8, "little") + b"{}", "damaged or truncated"),
        (
            "short.safetensors",
            header({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}),
            "damaged or truncated",
        ),
        ("evil.pt", pickle.dumps({"a": Evil()}, 2), r"their code is not run \(`_?io.open`\)"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_damaged_files(
    name: str, content: bytes | None, said: str, spec: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(archspec.UnreadableFile, match=said) as caught:
        archspec.from_weights(spec, path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_truncated_files(spec: Path, tmp_path: Path, suffix: str, share: float) -> None:
    module = archspec.build_module(spec)
    path = save(randomised(module), tmp_path / f"w{suffix}")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(archspec.UnreadableFile, match="damaged or truncated"):
        archspec.load_weights(module, path)
    assert_same_tensors(module.state_dict(), before)


def test_code_in_a_checkpoint_is_not_run(spec: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"fc.weight": Evil()}, tmp_path / "w.pt")
    with pytest.raises(archspec.UnreadableFile, match="save only the weights"):
        archspec.from_weights(spec, tmp_path / "w.pt")
    assert not Path("pwned").exists()


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 3}, torch.ones(2), {"state_dict": {}}])
def test_files_that_hold_no_weights(spec: Path, tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(archspec.UnreadableFile, match="no weights by name"):
        archspec.from_weights(spec, tmp_path / "w.pt")


def test_without_the_safetensors_library(spec: Path, tmp_path: Path, monkeypatch: Any) -> None:
    path = save(archspec.build_module(spec).state_dict(), tmp_path / "w.safetensors")
    usual = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("safetensors"):
            raise ModuleNotFoundError(name, name=name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'archspec-nn\[safetensors\]'"):
        archspec.from_weights(spec, path)


def test_a_module_on_the_meta_device_takes_no_weights(spec: Path, tmp_path: Path) -> None:
    path = save(archspec.build_module(spec).state_dict(), tmp_path / "w.pt")
    with torch.device("meta"):
        module = archspec.build_module(spec)
    with pytest.raises(ValueError, match="meta device"):
        archspec.load_weights(module, path)
