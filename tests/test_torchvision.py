"""The zoo's networks that are torchvision's: names, initial weights, numbers, checkpoints."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.infer import infer, infer_file
from support import DATA, analyzed
from support.draws import blank, filled, initial, undrawn
from support.modules import READERS, assert_same_tensors
from support.peers import models
from support.torchvision_table import PAGE, TEXT, names, rows
from support.zoo_peers import (
    CONVNEXT,
    TORCHVISION_PAIRS,
    ZOO,
    convnext_pair,
    same_start,
    small_vgg,
    vit_pair,
)

NAMES = tuple(name for name in TORCHVISION_PAIRS if name in ZOO)
#: One of each family, whose weights are drawn here.
SMALLEST = (
    *("alexnet", "squeezenet1_1", "densenet121", "googlenet", "shufflenet_v2_x0_5"),
    *("mobilenet_v2", "mnasnet0_5", "mobilenet_v3_small", "efficientnet_b0"),
    *("regnet_x_400mf", "regnet_y_400mf", "convnext_tiny"),
)
#: Small enough to be filled from a seed.
SEEDED = ("squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v2", "mnasnet0_5", "mobilenet_v3_small")
#: Transformers are drawn from a seed: torchvision fills a tensor of theirs by keyword.
VITS = tuple(name for name in NAMES if name.startswith("vit_"))
#: Parameters of its heads for training, which torchvision does not count.
HEADS_OF_GOOGLENET = 6_379_984
#: The names of all tensors, counters aside, of networks whose names were other ones in 0.1.
OLD: dict[str, list[str]] = {
    name: old
    for name, old in json.loads((DATA / "names_0_1.json").read_text("utf-8")).items()
    if name in NAMES
}


def test_the_networks_are_these() -> None:
    of = Counter(re.split(r"_|\d", name)[0] for name in NAMES)
    assert of == {
        **{"alexnet": 1, "vgg": 8, "squeezenet": 2, "densenet": 4, "googlenet": 1, "inception": 1},
        "shufflenet": 4,
        **{"mobilenet": 3, "mnasnet": 4, "efficientnet": 11, "regnet": 15},
        **{"convnext": 4, "vit": 5},
    }


@pytest.mark.sampled("name", SMALLEST, of=[name for name in NAMES if name not in VITS])
def test_the_same_first_weights(name: str) -> None:
    """Every draw is torchvision's, in its order."""
    expected = initial(TORCHVISION_PAIRS[name]().peer)
    for reader in READERS.values():
        found = initial(partial(reader, name))
        assert list(found.tensors) == list(expected.tensors)
        assert found == expected


def shapes(build: Callable[[], nn.Module]) -> dict[str, tuple[int, ...]]:
    """The names of a network's tensors in order, and their shapes."""
    return {key: tuple(tensor.shape) for key, tensor in blank(build).state_dict().items()}


@pytest.mark.sampled("name", (*SMALLEST, "inception_v3", "efficientnet_v2_s", "vit_b_16"), of=NAMES)
def test_the_same_names_and_shapes(name: str) -> None:
    """In the same order."""
    expected = shapes(TORCHVISION_PAIRS[name]().peer)
    assert [*shapes(partial(archspec.build_module, name)).items()] == [*expected.items()]
    assert analyzed(name).state == expected


@pytest.mark.sampled("name", SMALLEST, of=NAMES)
def test_infer_knows_the_names_and_shapes(name: str) -> None:
    assert infer(analyzed(name).state).base == name


@pytest.mark.parametrize("name", CONVNEXT)
def test_the_same_learned_constants(name: str) -> None:
    """A constant is no draw, so `initial` does not see its numbers."""

    def scales(build: Callable[[], nn.Module]) -> dict[str, Tensor]:
        named = undrawn(build).named_parameters()
        return {key: value for key, value in named if key.endswith(".layer_scale")}

    expected = scales(TORCHVISION_PAIRS[name]().peer)
    assert expected
    for reader in READERS.values():
        assert_same_tensors(scales(partial(reader, name)), expected)


@pytest.mark.sampled("name", SEEDED, of=SMALLEST)
def test_the_same_weights_from_a_seed(name: str) -> None:
    """The others have the same draws, too: `test_the_same_first_weights`."""
    assert same_start(TORCHVISION_PAIRS[name]())


def test_a_narrow_convnext_has_the_same_weights_from_a_seed() -> None:
    assert same_start(convnext_pair("convnext_tiny"))


@pytest.mark.parametrize(("size", "patch"), [(64, 16), (96, 32)])
def test_a_small_transformer_has_the_same_weights_from_a_seed(size: int, patch: int) -> None:
    assert same_start(vit_pair(size, patch))


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_that_torchvision_states(name: str) -> None:
    cost = analyzed(name)
    stated = {
        (weights.meta["num_params"], weights.meta["_ops"])
        for weights in models.get_model_weights(name)
        if weights.transforms.keywords["crop_size"] == cost.input[1]
    }
    params = cost.params - (HEADS_OF_GOOGLENET if name == "googlenet" else 0)
    assert (params, round(cost.macs / 1e9, 3)) in stated


@pytest.mark.parametrize("name", SMALLEST[1:])
def test_torchvisions_checkpoints_are_found_and_load(name: str, tmp_path: Path) -> None:
    state = filled(blank(TORCHVISION_PAIRS[name]().peer)).state_dict()
    torch.save(state, tmp_path / "weights.pth")
    assert infer_file(tmp_path / "weights.pth").base == name
    model = archspec.from_weights(name, tmp_path / "weights.pth")
    assert_same_tensors(model.state_dict(), state)


@pytest.mark.parametrize("name", ["convnext_base", "convnext_large"])
def test_wider_networks_had_the_same_old_names(name: str) -> None:
    assert OLD[name] == OLD["convnext_small"]
    assert [*archspec.analyze(name).state] == [*archspec.analyze("convnext_small").state]


#: `convnext_small` is a deeper `convnext_tiny`.
LOADED = sorted(OLD.keys() - {"convnext_base", "convnext_large"})


@pytest.mark.sampled("name", [name for name in LOADED if name != "convnext_small"], of=LOADED)
def test_checkpoints_of_the_old_names_load(name: str, tmp_path: Path) -> None:
    """Where 0.1 had other names, and shortcuts behind the body."""
    spec = small_vgg(name).spec if name.startswith("vgg") else name
    state = filled(blank(partial(archspec.build_module, spec))).state_dict()
    kept = {key: tensor for key, tensor in state.items() if "num_batches" not in key}
    torch.save(dict(zip(OLD[name], in_old_order(kept), strict=True)), tmp_path / "old.pt")
    with pytest.warns(UserWarning, match="` has different names: its tensors are matched in order"):
        model = archspec.from_weights(spec, tmp_path / "old.pt")
    loaded = model.state_dict()
    assert_same_tensors({key: loaded[key] for key in kept}, kept)


def in_old_order(state: dict[str, Tensor]) -> list[Tensor]:
    """The tensors with those of each `proj` and `layer_scale` behind the rest of its block."""
    blocks = {key: re.split(r"\.(?:proj|f|block|layer_scale)\b", key)[0] for key in state}
    late = re.compile(r"\.proj\.|\.layer_scale")
    first = {block: at for at, block in reversed(list(enumerate(blocks.values())))}
    order = sorted(state, key=lambda key: (first[blocks[key]], bool(late.search(key))))
    return [state[key] for key in order]


def test_the_page_has_a_row_for_each_network() -> None:
    page = PAGE.read_text("utf-8")
    assert page.startswith(TEXT)
    assert list(rows(page)) == names()
