"""Where regularisers act in a network: lint and the training script ask the same walks."""

from __future__ import annotations

import re

import pytest

import archspec
from archspec.api import MEMO
from archspec.diagnostics import SpecError
from archspec.expand import expand_network
from archspec.ir import Add, Apply, Chain, Concat, Multiply, main_path, residual_ends
from archspec.language import Spec, parse_text, shipped
from archspec.language.train.places import Places
from archspec.rules.checking import check_spec
from support import analyzed

HEAD = "name: net\ninput: [{}]\n"
END = "global_avg_pool, flatten, {linear: 10}]\n"
DEEP = "train: {data: synthetic, epochs: 2, batch_size: 32, lr: 0.1, stochastic_depth: 0.1}\n"
WIDE = DEEP.replace("stochastic_depth", "dropout")
CELL = "{residual: [{conv: 8}, norm]}"

# The layers of a stem behind `conv: 8`, and the layers that are dropped; or what lint says.
BODIES = {
    "a convolution and a norm": (CELL, ["bn1"]),
    "two of them": (f"{CELL}, {CELL}", ["bn1", "bn2"]),
    "an activation alone": ("{residual: [act]}", ["relu"]),
    "the input and a branch": ("{add: [[], [{conv: 8}]]}", ["conv2"]),
    "a residual in a residual": (f"{{residual: [{{conv: 8}}, {CELL}]}}", ["bn1"]),
    "a branch of two": (f"{{concat: [[{CELL}], [act]]}}", ["bn1"]),
    "pre-activation": ("{residual: [{conv: 8}], before: [norm, act]}", ["conv2"]),
    "an activation that is shared": (
        "act, {residual: [{conv: 8}, act]}",
        "of the network does not end in",
    ),
    "branches": (
        "{residual: [{concat: [{conv: 4}, {conv: 4}]}]}",
        "of the network does not end in",
    ),
    "a gate": ("{residual: [{conv: 8}, {scale: [{conv: 8}]}]}", "of the network does not end in"),
    "one of two": (
        f"{CELL}, {{residual: [{{scale: [sigmoid]}}]}}",
        "of the network does not end in",
    ),
    "nothing": ("{residual: []}", "of the network does not end in"),
    "two branches": ("{add: [[{conv: 8}], [{conv: 8}]]}", "no residual block"),
    "a residual in a gate": (f"{{scale: [{CELL}, sigmoid]}}", "no residual block"),
    "drop_path in a sequence": (
        f"{CELL}, {{sequence: [act, {{stochastic_depth: 0.1}}]}}",
        "the network already drops residuals: it has a `drop_path`",
    ),
}


def stem(layers: str, train: str = DEEP) -> str:
    return f"{HEAD.format('3, 8, 8')}stem: [{{conv: 8}}, {layers}, {END}{train}"


def said(text: str) -> list[str]:
    """What lint says of a recipe, which is what keeps a script from being written."""
    spec = parse_text(text, "net.yaml")
    errors = [d for d in check_spec(spec) if d.severity == "error"]
    if errors:
        with pytest.raises(SpecError) as caught:
            archspec.render_training(spec)
        assert list(caught.value.diagnostics) == errors
    return [d.message for d in errors]


def residual_bodies(spec: Spec) -> list[str]:
    """The layers that a script drops."""
    return [str(path) for _, path in Places(expand_network(spec, memo=MEMO)).residuals]


@pytest.mark.parametrize("name", BODIES)
def test_what_stochastic_depth_drops(name: str) -> None:
    layers, wanted = BODIES[name]
    text = stem(layers)
    found = said(text)
    if isinstance(wanted, str):
        assert len(found) == 1
        assert wanted in found[0]
    else:
        assert found == []
        assert residual_bodies(parse_text(text, "net.yaml")) == wanted


def test_blocks_are_dropped_in_the_order_in_which_they_are_computed() -> None:
    stages = "stages: {layer1: {block: preact_basic, repeat: 2, channels: 8}}\n"
    text = (
        f"{HEAD.format('3, 8, 8')}stem: [{{conv: 8}}, {CELL}]\n{stages}head: [{CELL}, {END}{DEEP}"
    )
    (line,) = re.findall("RESIDUALS = (.*)", archspec.render_training(parse_text(text, "net.yaml")))
    assert line == '"bn1 layer1.0.conv2 layer1.1.conv2 bn2"'


def test_dropout_acts_on_the_last_linear_layer_of_the_main_path() -> None:
    text = f"{HEAD.format('13')}stem: [{{linear: 9}}, {{scale: [{{linear: 9}}, sigmoid]}}]\n{WIDE}"
    assert said(text) == []
    assert 'path = "fc1"\n' in archspec.render_training(parse_text(text, "net.yaml"))


@pytest.mark.parametrize(
    "layers",
    [
        "{scale: [global_avg_pool, flatten, {linear: 8}, sigmoid]}, global_avg_pool, flatten",
        "global_avg_pool, flatten, {residual: [act], shortcut: {linear: 8}, project: 1 > 0}",
    ],
)
def test_dropout_has_nothing_to_act_on_beside_the_main_path(layers: str) -> None:
    text = f"{HEAD.format('3, 8, 8')}stem: [{{conv: 8}}, {layers}]\n{WIDE}"
    assert said(text) == ["`dropout` has no effect: the network has no linear layer"]


def test_a_script_is_of_a_recipe_that_lint_finds_right() -> None:
    text = stem("act").replace("synthetic", "fashion_mnist")
    assert len(said(text)) == 2


# The walks -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped())
def test_residuals_end_in_layers_of_the_network(name: str) -> None:
    """`test_counts.py` shows that the analysis has those of the module."""
    spec = archspec.load(name)
    leaves = [row.path.split(".") for row in analyzed(name).rows]
    inside = {".".join(leaf[:depth]) for leaf in leaves for depth in range(1, len(leaf) + 1)}
    assert {*residual_bodies(spec)} <= inside | {"None"}


def test_walks() -> None:
    a, b, c, d = map(Apply, "abcd")
    gate = Multiply((Chain(), Chain((b, c))))
    body = Chain((a, gate, Add((Chain((Concat((a, c)), d)), b))))
    assert [apply.layer for apply in main_path(body)] == ["a", "a", "c", "d"]
    assert list(residual_ends(body)) == ["d"]
    assert list(residual_ends(Chain((d, body)))) == [None]
    assert list(residual_ends(Add((Chain((a, Chain())), Chain())))) == ["a"]
    assert list(residual_ends(Add((a, b, c)))) == []
