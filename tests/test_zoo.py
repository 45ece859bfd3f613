"""All 81 networks of timm's module `resnet`: counts, keys, and what they compute.

`compare_zoo.py` compares every one in full; here each combination of features is compared
with few blocks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import pytest

import archspec
from archspec.verify.tensors import randomise
from compare_zoo import compare
from support import ROOT, SHIPPED, analyzed, rendered
from support.draws import blank, undrawn
from support.modules import evaluate, images, network_class
from support.tools import assert_clean
from support.zoo_peers import (
    CENSUS,
    DISTINCT,
    TWINS,
    ZOO,
    apart,
    assert_same_function,
    features,
    timm_pair,
)

#: The first of each family.
SOME = tuple({re.split(r"_|\d", name)[0]: name for name in reversed(ZOO)}.values())


def test_every_network_of_the_census_is_shipped() -> None:
    assert len(CENSUS) == 81
    assert set(CENSUS) <= {*SHIPPED, *ZOO}
    assert not set(SHIPPED) & set(ZOO)


@pytest.mark.parametrize("name", CENSUS)
def test_counts(name: str) -> None:
    census, cost = CENSUS[name], analyzed(name)
    assert list(cost.input) == census["input"]
    assert (cost.params, cost.macs) == (census["params"], census["macs"])
    assert cost.output == (1000,)


@pytest.mark.parametrize("name", CENSUS)
def test_keys_and_shapes_in_order(name: str) -> None:
    """As timm has them."""
    lines = "\n".join(f"{key}:{shape}" for key, shape in analyzed(name).state.items())
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert digest[:16] == CENSUS[name]["state_dict"]


@pytest.mark.sampled("name", SOME, of=sorted({*ZOO, *CENSUS}))
def test_the_source_has_the_keys_and_shapes_of_the_analysis(name: str) -> None:
    """In its order, unless what runs last is registered first: then the peer has it."""
    namespace: dict[str, object] = {"__name__": name}
    exec(rendered(name), namespace)
    made = blank(network_class(namespace)).state_dict()
    shapes = {key: tuple(value.shape) for key, value in made.items()}
    assert shapes == analyzed(name).state
    if not name.startswith(("regnet", "convnext", "gernet", "resnet51q", "nf_resnet", "vit_")):
        assert list(shapes) == list(analyzed(name).state)


#: Any two features that a network has are both in one of these.
PAIRWISE = (
    *("test_resnet", "senet154", "seresnextaa101d_32x8d", "seresnextaa201d_32x8d"),
    *("ecaresnext26t_32x4d", "seresnext26t_32x4d", "resnetrs50", "ecaresnet50d"),
    *("resnetblur50d", "resnet50_gn", "resnetaa34d", "resnetblur18", "resnet10t", "seresnet18"),
)


def test_any_two_features_are_in_one_that_is_compared() -> None:
    """All but the pruned one, which has other widths than ECA-ResNet-50-D, and no other layers."""

    def pairs(names: Iterable[str]) -> set[tuple[str, ...]]:
        return {pair for name in names for pair in combinations(sorted(features(name)), 2)}

    assert pairs(PAIRWISE) == pairs({*DISTINCT} - {"ecaresnet50d_pruned"})


@pytest.mark.sampled("name", PAIRWISE, of=DISTINCT)
def test_same_function_as_timm(name: str) -> None:
    assert_same_function(timm_pair(name))


def test_the_comparison_in_full_can_be_run(capfd: pytest.CaptureFixture[str]) -> None:
    """Of a network with buffers that no checkpoint has."""
    assert compare("resnetblur18", torchvision=False) == 0
    assert "resnetblur18" in capfd.readouterr().out


@pytest.mark.parametrize("names", TWINS, ids="-".join)
def test_networks_with_the_same_keys_and_shapes_differ(names: list[str]) -> None:
    """No count tells these apart; what they compute does."""
    models = [undrawn(timm_pair(name).ours) for name in names]
    randomise(models[0])
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict())
    outputs = [evaluate(model, images(1, 3, 64, 64)) for model in models]
    for one, other in combinations(outputs, 2):
        assert apart(one, other) > 1e-3


@pytest.mark.parametrize("name", ["resnetaa50", "resnetaa50d"])
def test_a_size_that_rounds_both_ways_is_an_error(name: str) -> None:
    """timm's own raise there: the body rounds an odd size down, the shortcut up."""
    with pytest.raises(archspec.SpecError, match="shortcut is 2048 x 6 x 6"):
        archspec.analyze(name, input=[3, 176, 176])


def test_a_variant_says_little() -> None:
    """Mostly `extends` and a few lines: the pruned one with its table of widths is longest."""
    for name in set(CENSUS) & set(ZOO) - {"test_resnet"}:
        text = (ROOT / "specs" / "zoo" / f"{name}.yaml").read_text("utf-8")
        assert "\nextends: " in text
        assert "\nblocks:" not in text
        says = text.partition("\nexpect:")[0].partition("\ndoc:")[2]
        assert len(says.splitlines()) <= 24, name


def test_rendered_source_is_clean(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """And only the network, whose name is the spec's, has a class with a number."""
    for name in ZOO if pytestconfig.option.every_spec else SOME:
        (tmp_path / f"{name}.py").write_text(rendered(name), "utf-8")
        *classes, _ = re.findall(r"^class (\w+)", rendered(name), re.M)
        assert not [cls for cls in classes if cls[-1].isdigit()]
    assert_clean(tmp_path)
