"""Live modules are modules: they are pickled, copied and sent to processes as any other."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
import torch
from torch import nn

import archspec
from support import write_spec
from support.draws import blank, filled
from support.modules import assert_same_tensors, evaluate, images, same_bits
from support.zoo_peers import convnext_pair, reduced

FILE_BLOCK = """
input: [3, 8, 8]
stem: {conv: {conv: 4}}
stages: {layer1: {block: mine, repeat: 2, channels: 4}}
"""
MINE = "doc: Mine.\nbody: [{residual: [{conv: {channels: channels, kernel: 3}}, {scale: [act]}]}]\n"


def saved(module: nn.Module) -> nn.Module:
    """The module through `torch.save`."""
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


def pickled(module: nn.Module) -> nn.Module:
    loaded: nn.Module = pickle.loads(pickle.dumps(module))
    return loaded


def old_pickled(module: nn.Module) -> nn.Module:
    loaded: nn.Module = pickle.loads(pickle.dumps(module, protocol=2))
    return loaded


WAYS = [saved, pickled, old_pickled, copy.deepcopy]


def assert_equal(ours: nn.Module, theirs: nn.Module, size: tuple[int, ...]) -> None:
    assert str(ours) == str(theirs)
    assert_same_tensors(ours.state_dict(), theirs.state_dict())
    x = images(2, *size)
    assert same_bits(evaluate(ours, x), evaluate(theirs, x))


@pytest.fixture(
    scope="module",
    params=[
        *("cifar_resnet20", convnext_pair("convnext_tiny").spec),
        {"extends": "mobilenet_v2", "name": "mobilenet_v2", "args": {"width": 0.25}},
        reduced("resnext50_32x4d", [2, 1, 1, 1], by=2),
    ],
    ids=["cifar_resnet20", "convnext_tiny", "mobilenet_v2", "resnext50_32x4d"],
)
def network(request: pytest.FixtureRequest) -> nn.Module:
    """Networks of other classes and constants; three of them are narrower than they are shipped."""
    return filled(blank(lambda: archspec.build_module(request.param, input=[3, 32, 32])))


@pytest.mark.parametrize("way", WAYS)
def test_shipped_networks(way: Callable[[nn.Module], nn.Module], network: nn.Module) -> None:
    assert_equal(way(network), network, (3, 32, 32))


@pytest.mark.parametrize("way", WAYS)
def test_a_network_whose_blocks_are_gone(
    way: Callable[[nn.Module], nn.Module], tmp_path: Path
) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "mine.yaml").write_text(MINE.replace("{scale: [act]}", "act"))
    module = archspec.build_module(write_spec(tmp_path, FILE_BLOCK, "mine_net"))
    (tmp_path / "blocks" / "mine.yaml").unlink()
    (tmp_path / "mine_net.yaml").unlink()
    assert_equal(way(module), module, (3, 8, 8))


@pytest.mark.parametrize("way", WAYS)
def test_what_was_changed_by_hand_stays(way: Callable[[nn.Module], nn.Module]) -> None:
    module = archspec.build_module("cifar_resnet20")
    module.fc = nn.Linear(64, 3)
    module.layer2 = nn.Sequential(*list(module.layer2)[:1])
    module.conv1.weight.requires_grad_(False)
    module.register_buffer("seen", torch.tensor(7))
    copied = way(module.train())
    assert copied.training
    assert not copied.conv1.weight.requires_grad
    assert_equal(copied, module, (3, 32, 32))


STARTED = """
input: [3, 8, 8]
stem: {conv: {conv: 4}, cell: cell}
blocks:
  cell:
    init: {conv: {uniform: {b: 1 / fan_in}}}
    body: [{conv: channels}, {norm: {}, init: {constant: 2}}]
"""


@pytest.mark.parametrize("way", WAYS)
def test_a_network_that_says_how_it_starts(
    way: Callable[[nn.Module], nn.Module], tmp_path: Path
) -> None:
    module = archspec.build_module(write_spec(tmp_path, STARTED))
    assert_equal(way(module), module, (3, 8, 8))


@pytest.mark.parametrize("way", WAYS)
def test_a_part_of_a_network(way: Callable[[nn.Module], nn.Module]) -> None:
    layer1 = archspec.build_module("cifar_resnet20").layer1
    assert_equal(way(layer1), layer1, (16, 8, 8))
    assert_equal(
        way(nn.Sequential(layer1, nn.ReLU())), nn.Sequential(layer1, nn.ReLU()), (16, 8, 8)
    )


@pytest.mark.parametrize("way", WAYS)
def test_features(way: Callable[[nn.Module], nn.Module]) -> None:
    module = archspec.build_module("cifar_resnet20", outputs=["layer1", "layer2"]).eval()
    x = images(1, 3, 32, 32)
    for ours, theirs in zip(way(module)(x), module(x), strict=True):
        assert same_bits(ours, theirs)


def test_what_was_pickled_takes_weights(tmp_path: Path) -> None:
    module = archspec.build_module("cifar_resnet20", outputs=["layer1"])
    whole = archspec.build_module("cifar_resnet20")
    torch.save(whole.state_dict(), tmp_path / "w.pt")
    again = archspec.load_weights(pickled(module), tmp_path / "w.pt")
    assert_same_tensors(again.layer1.state_dict(), whole.layer1.state_dict())
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(archspec.WeightsError, match="conv1"):
        archspec.load_weights(again, tmp_path / "w.pt")


def test_modules_of_one_pickle_share_their_classes() -> None:
    module = archspec.build_module("cifar_resnet20")
    first, second = pickle.loads(pickle.dumps([module, copy.deepcopy(module)]))
    assert type(first) is type(second)
    assert type(first.layer1[0]) is type(first.layer3[2])
    assert type(copy.deepcopy(module)) is type(module)
    assert (
        len(pickle.dumps(module)) < 1.1 * sum(4 * p.numel() for p in module.parameters()) + 90_000
    )


def test_what_starts_processes_takes_a_module() -> None:
    module = archspec.build_module("cifar_resnet20")
    sent = pickle.loads(ForkingPickler.dumps(module))  # as `spawn` does
    assert_equal(sent, module, (3, 32, 32))


def test_a_process_that_has_not_imported_archspec(tmp_path: Path) -> None:
    torch.save(archspec.build_module("cifar_resnet20"), tmp_path / "whole.pt")
    code = "import sys, torch; print(type(torch.load(sys.argv[1], weights_only=False)).__name__)"
    words = [sys.executable, "-c", code, str(tmp_path / "whole.pt")]
    assert subprocess.run(words, capture_output=True, text=True).stdout == "CifarResNet20\n"


def test_weights_only_names_what_is_not_run(tmp_path: Path) -> None:
    torch.save(archspec.build_module("cifar_resnet20"), tmp_path / "whole.pt")
    with pytest.raises(archspec.UnreadableFile, match=r"torch\.save\(model\.state_dict\(\)"):
        archspec.from_weights("cifar_resnet20", tmp_path / "whole.pt")
