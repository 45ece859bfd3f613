"""Learned constants (`parameter`): both readers against modules by hand, and how they start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from support.modules import (
    READERS,
    assert_same_tensors,
    evaluate,
    generated_module,
    images,
    same_bits,
    seeded,
    train,
)


def layers(*stem: Any, **more: Any) -> archspec.Spec:
    return archspec.load({"name": "net", "input": [3, 8, 6], "stem": [*stem], **more})


def parameter(*shape: Any, name: str = "p", **more: Any) -> dict[str, Any]:
    return {"parameter": [*shape], "name": name, **more}


CONV = {"conv": {"channels": 4, "kernel": 3}}
NORMAL = {"normal": {"std": 0.5}}


class Scaled(nn.Module):
    """A factor for each channel, drawn as soon as it is made, ahead of the convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(3, 1, 1))
        nn.init.normal_(self.scale, std=0.5)
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return self.conv1(x * self.scale)  # type: ignore[no-any-return]


class Tokens(nn.Module):
    """Patches as tokens, one more token, and a constant for each position."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 2, stride=2)
        self.token = nn.Parameter(torch.zeros(1, 1, 4))
        self.positions = nn.Parameter(torch.empty(1, 13, 4).normal_(std=0.5))
        self.fc = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.fc(x[:, 0])  # type: ignore[no-any-return]


class Gated(nn.Module):
    """Parts of constants: one channel in a product, an activation on it, ones in the sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.full((1, 1, 1), 0.25))
        self.rows = nn.Parameter(torch.ones(3, 8, 1))
        self.more = nn.Parameter(torch.zeros(2, 8, 6))
        self.conv1 = nn.Conv2d(5, 4, 1, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.gate.sigmoid() + self.rows
        return self.conv1(torch.cat([x, self.more.expand(len(x), -1, -1, -1)], 1))  # type: ignore[no-any-return]


TOKENS = layers(
    {"conv": {"channels": 4, "kernel": 2, "stride": 2, "bias": True}},
    {"flatten": {"start_dim": 2}},
    "channels_last",
    {"concat": [parameter(1, 1, 4, name="token"), []], "along": "length"},
    {"add": [[], parameter(1, 13, 4, name="positions", init=NORMAL)]},
    "channels_first",
    {"crop": [0, 12]},
    "flatten",
    {"linear": 5},
    init="torch",
)
PEERS: dict[str, tuple[archspec.Spec, type[nn.Module]]] = {
    "a scale": (layers({"scale": [parameter(3, 1, 1, name="scale", init=NORMAL)]}, CONV), Scaled),
    "tokens": (TOKENS, Tokens),
    "gates": (
        layers(
            {
                "multiply": [
                    [],
                    [parameter(1, 1, 1, name="gate", init={"constant": 0.25}), "sigmoid"],
                ]
            },
            {"add": [[], parameter(3, 8, 1, name="rows", init="ones")]},
            {"concat": [[], parameter(2, 8, 6, name="more")]},
            {"conv": 4},
        ),
        Gated,
    ),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("kind", PEERS)
def test_the_same_as_by_hand(kind: str, reader: Callable[..., nn.Module]) -> None:
    """Keys in order, initial weights, what the generator gives next, outputs, and training."""
    spec, peer = PEERS[kind]
    ours, theirs = seeded(lambda: reader(spec)), seeded(peer)
    assert_same_tensors(ours.state_dict(), theirs.state_dict())
    x = images(3, 3, 8, 6)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-6, atol=1e-6)
    for model in (ours, theirs):
        torch.nn.init.normal_(next(p for p in model.parameters() if p.dim() == 3))
    theirs.load_state_dict(ours.state_dict())
    x, y = images(3, 3, 8, 6, seed=2), torch.arange(3)
    (losses, gradients), (others, wanted) = (
        train(nn.Sequential(model, nn.Flatten()), x, y, 3) for model in (ours, theirs)
    )
    assert losses == pytest.approx(others, rel=1e-5)
    assert gradients.keys() == wanted.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", PEERS)
def test_readers_agree_to_the_bit(kind: str) -> None:
    """In both precisions, in half, and after each of torch's compilers."""
    spec, _ = PEERS[kind]
    live, made = (seeded(lambda read=read: read(spec)) for read in READERS.values())
    x = images(2, 3, 8, 6)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        outputs = [evaluate(model.to(dtype), x.to(dtype)) for model in (live, made)]
        assert outputs[0].dtype == dtype
        assert same_bits(*outputs)
    with torch.no_grad():
        made.float()
        expected = made(x)
        assert same_bits(torch.jit.script(made)(x), expected)
        assert same_bits(torch.fx.symbolic_trace(made)(x), expected)
        assert same_bits(torch.compile(made, fullgraph=True, backend="eager")(x), expected)
    torch.compiler.reset()


def test_what_it_costs() -> None:
    cost = archspec.analyze(TOKENS)
    conv, token, positions, linear = 3 * 4 * 4 + 4, 4, 13 * 4, 4 * 5 + 5
    assert cost.params == conv + token + positions + linear
    assert cost.macs == 12 * 3 * 4 * 4 + 4 * 5
    assert cost.output == (5,)
    state = archspec.build_module(TOKENS).state_dict()
    assert cost.state == {key: tuple(value.shape) for key, value in state.items()}


# How it starts ------------------------------------------------------------------------

STARTS: dict[str, tuple[Any, Callable[[Tensor], Tensor]]] = {
    "torch": ("torch", nn.init.zeros_),
    "zeros": ("zeros", nn.init.zeros_),
    "ones": ("ones", nn.init.ones_),
    "an integer": ({"constant": 2}, lambda p: nn.init.constant_(p, 2)),
    "a number": ({"constant": "1 / 3"}, lambda p: nn.init.constant_(p, 1 / 3)),
    "by its name": ({"weight": {"constant": 0.5}}, lambda p: nn.init.constant_(p, 0.5)),
    "a normal": ({"normal": {"std": 0.02}}, lambda p: nn.init.normal_(p, std=0.02)),
    "by its fans": (
        {"uniform": {"a": 0, "b": "1 / fan_in"}},
        lambda p: nn.init.uniform_(p, 0, 1 / 5),
    ),
    "xavier": ("xavier_uniform", nn.init.xavier_uniform_),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("kind", STARTS)
def test_it_starts_as_its_init_says(kind: str, reader: Callable[..., nn.Module]) -> None:
    init, start = STARTS[kind]
    spec = archspec.load(
        {"name": "net", "input": [5, 7], "stem": [{"add": [[], parameter(1, 5, 1, init=init)]}]}
    )
    ours = seeded(lambda: reader(spec)).state_dict()
    torch.manual_seed(0)
    expected = torch.empty(1, 5, 1)
    start(expected)
    assert_same_tensors(ours, {"p": expected})


def test_a_number_that_differs_from_use_to_use() -> None:
    """A part of the constructor, whole or not; the class is one."""
    body = [{"scale": [parameter("channels", 1, 1, init={"constant": "start / 2"})]}]
    cell = {"args": {"start": "required"}, "body": body}
    stem = {f"cell{n}": {"cell": {"start": n}} for n in (1, 2)}
    spec = archspec.load(
        {"name": "net", "input": [3, 8, 8], "stem": stem, "blocks": {"cell": cell}}
    )
    assert archspec.render(spec).count("class Cell") == 1
    for reader in READERS.values():
        state = reader(spec).state_dict()
        assert state["cell1.p"].unique().tolist() == [0.5]
        assert state["cell2.p"].unique().tolist() == [1.0]


def test_shapes_of_one_class_differ() -> None:
    stages = {
        "a": {"block": "cell", "channels": 8, "repeat": 2},
        "b": {"block": "cell", "channels": 16},
    }
    body = [{"conv": "channels"}, {"scale": [parameter("channels", 1, 1, init="ones")]}]
    spec = layers(CONV, stages=stages, blocks={"cell": {"body": body}})
    source = archspec.render(spec)
    assert source.count("class Cell") == 1
    assert "self.p = nn.Parameter(torch.ones(channels, 1, 1))" in source
    shapes = {k: tuple(v.shape) for k, v in generated_module(spec).state_dict().items()}
    assert shapes["a.1.p"] == (8, 1, 1)
    assert shapes["b.0.p"] == (16, 1, 1)


def test_without_init_nothing_is_drawn() -> None:
    spec = layers({"scale": [parameter(3, 1, 1, init=NORMAL)]})
    torch.manual_seed(5)
    archspec.build_module(spec, init=False)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))


# Where it stands ----------------------------------------------------------------------


def test_one_that_nothing_uses_is_not_there() -> None:
    spec = layers({"save": "x0"}, parameter(3, 8, 6), {"from": "x0"}, {"conv": 4})
    for reader in READERS.values():
        assert list(reader(spec).state_dict()) == ["conv1.weight"]


def test_it_fills_a_part_and_stands_under_a_key() -> None:
    cell = {"parts": {"gate": "none"}, "body": [{"scale": [{"gate": {}, "name": "g"}]}]}
    stem = {
        "cell": {"cell": {"gate": {"parameter": ["channels", 1, 1]}}},
        "p": {"parameter": [2, 8, 6]},
        "join": {"concat": [[], {"from": "cell"}]},
    }
    net = {"name": "net", "input": [3, 8, 6], "stem": stem, "head": [{"conv": 4}]}
    spec = archspec.load({**net, "blocks": {"cell": cell}})
    live, made = (reader(spec) for reader in READERS.values())
    assert list(live.state_dict()) == ["p", "cell.g", "conv1.weight"]
    x = images(2, 3, 8, 6)
    made.load_state_dict(live.state_dict())
    assert same_bits(evaluate(live, x), evaluate(made, x))


@pytest.mark.parametrize("layer", [{"prelu": 3}, "softmax", "sigmoid", {"conv": 3}], ids=str)
def test_layers_that_it_passes_through(layer: Any) -> None:
    """Those that look for the channels behind the batch get one."""
    spec = layers({"scale": [parameter(3, 1, 1, init="ones"), layer]})
    live, made = (seeded(lambda read=read: read(spec)) for read in READERS.values())
    x = images(2, 3, 8, 6)
    assert same_bits(evaluate(live, x), evaluate(made, x))
    last = list(live.children())[-1]
    assert same_bits(evaluate(live, x), x * evaluate(last, torch.ones(2, 3, 1, 1)))


def test_turns_have_names_of_their_own() -> None:
    scale = {"scale": [parameter(3, 1, 1, name="scale{index}", init="ones")], "repeat": 2}
    for reader in READERS.values():
        assert list(reader(layers(scale)).state_dict()) == ["scale0", "scale1"]
