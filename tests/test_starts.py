"""How weights start: `init` against modules written by hand, its order, its merges, its limits."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archspec
from archspec.language.functions import FUNCTIONS, NONLINEARITY
from archspec.source.extends import DRAWING, merge_data
from support import write_spec
from support.modules import READERS, assert_same_tensors, generated_module, seeded

Init = dict[str, Any]


def spec_of(init: Any, **more: Any) -> archspec.Spec:
    head = {"pool": "global_avg_pool", "flat": "flatten", "fc": {"linear": 10}}
    stem = {
        "conv": {"conv": {"channels": 8, "kernel": 3, "bias": True}},
        "bn": "norm",
        "depthwise": {"conv": {"channels": 8, "kernel": 3, "groups": 8}},
    }
    data = {"name": "small", "input": [3, 8, 8], "stem": stem, "head": head} | more
    return archspec.Spec.model_validate(data | ({"init": init} if init is not None else {}))


class Small(nn.Module):
    """The network of `spec_of`, by hand."""

    def __init__(self, start: Callable[[nn.Module], None]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.fc = nn.Linear(8, 10)
        for module in self.modules():
            start(module)


def he(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")


def mobilenet_v2(module: nn.Module) -> None:
    he(module)
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)


def efficientnet(module: nn.Module) -> None:
    he(module)
    if isinstance(module, nn.Linear):
        bound = 1.0 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)


def densenet(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.constant_(module.weight, 0.5)
    elif isinstance(module, nn.Linear):
        nn.init.constant_(module.bias, 0)


def mnasnet(module: nn.Module) -> None:
    he(module)
    if isinstance(module, nn.Linear):
        nn.init.kaiming_uniform_(module.weight, mode="fan_out", nonlinearity="sigmoid")
        nn.init.zeros_(module.bias)


def inception(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.trunc_normal_(module.weight, mean=0.0, std=0.1, a=-2, b=2)


def vit(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        fan_in = module.in_channels * module.kernel_size[0] * module.kernel_size[1]
        std = math.sqrt(1 / (fan_in // module.groups))
        nn.init.trunc_normal_(module.weight, std=std)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.normal_(module.bias, std=1e-6)


NORMAL = {"weight": {"normal": {"std": 0.01}}, "bias": "zeros"}
EVEN = {"uniform": {"a": "-1 / sqrt(fan_out)", "b": "1 / sqrt(fan_out)"}}
NARROW = {"trunc_normal": {"std": 0.1}}
PEERS: dict[str, tuple[Any, Callable[[nn.Module], None]]] = {
    "the default": (None, he),
    "resnet": ("resnet", he),
    "torch": ("torch", lambda _: None),
    "MobileNetV2": ({"conv": {"bias": "zeros"}, "linear": NORMAL}, mobilenet_v2),
    "EfficientNet": ({"linear": {"weight": EVEN, "bias": "zeros"}}, efficientnet),
    "DenseNet": (
        {"conv": "kaiming_normal", "batch_norm": {"constant": 0.5}, "linear": {"bias": 0}},
        densenet,
    ),
    "MNASNet": (
        {
            "linear": {
                "weight": {"kaiming_uniform": {"mode": "fan_out", "nonlinearity": "sigmoid"}},
                "bias": "zeros",
            }
        },
        mnasnet,
    ),
    "Inception": ({"conv": NARROW, "linear": NARROW}, inception),
    "ViT": (
        {
            "conv": {"weight": {"trunc_normal": {"std": "sqrt(1 / fan_in)"}}, "bias": "zeros"},
            "linear": {"weight": "xavier_uniform", "bias": {"normal": {"std": 1e-6}}},
        },
        vit,
    ),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("peer", PEERS)
def test_weights_are_those_of_a_loop_by_hand(peer: str, reader: Callable[..., nn.Module]) -> None:
    init, start = PEERS[peer]
    ours, theirs = seeded(lambda: reader(spec_of(init))), seeded(lambda: Small(start))
    assert_same_tensors(ours.state_dict(), theirs.state_dict())


# Order: a block when its last layer is made, then the network, each layer in its turn --------


class Neck(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        nn.init.uniform_(self.conv1.weight)
        nn.init.normal_(self.conv1.bias)
        nn.init.kaiming_uniform_(self.conv2.weight, a=1)
        nn.init.normal_(self.conv2.bias)


class Whole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.neck = Neck()
        self.conv3 = nn.Conv2d(4, 4, 1)
        nn.init.orthogonal_(self.conv1.weight)
        nn.init.trunc_normal_(self.conv2.weight, std=0.5)
        nn.init.ones_(self.conv2.bias)
        nn.init.orthogonal_(self.conv3.weight)


ORDERED = {
    "name": "ordered",
    "input": [3, 8, 8],
    "defaults": {"conv": {"bias": True}},
    "init": {"conv": "orthogonal"},
    "stem": {
        "conv1": {"conv": {"channels": 4, "kernel": 3}},
        "conv2": {
            "conv": {"channels": 4, "kernel": 3},
            "init": {"bias": "ones", "weight": {"trunc_normal": {"std": 0.5}}},
        },
        "neck": "neck",
        "conv3": {"conv": 4},
    },
    "blocks": {
        "neck": {
            "init": {"conv": {"weight": {"kaiming_uniform": {"a": 1}}, "bias": "normal"}},
            "body": [
                {"conv": {"channels": "channels", "kernel": 3}, "init": "uniform"},
                {"conv": {"channels": "channels", "kernel": 3}},
            ],
        }
    },
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_blocks_draw_before_the_network_and_layers_in_their_turn(
    reader: Callable[..., nn.Module],
) -> None:
    ours = seeded(lambda: reader(archspec.Spec.model_validate(ORDERED)))
    assert_same_tensors(ours.state_dict(), seeded(Whole).state_dict())


CELL = {
    "args": {"start": "required"},
    "body": [
        {"conv": {"channels": "channels", "kernel": 3}},
        {"norm": {}, "init": {"constant": "start"}},
    ],
}


def test_a_number_that_differs_from_use_to_use_is_a_parameter() -> None:
    stem = {"one": {"cell": {"start": 1}}, "other": {"cell": {"start": 0.5}}}
    spec = spec_of(None, stem=stem, blocks={"cell": CELL})
    source = archspec.render(spec)
    assert source.count("class Cell") == 1
    assert "nn.init.constant_(self.bn1.weight, start)" in source
    for reader in READERS.values():
        state = reader(spec).state_dict()
        assert state["one.bn1.weight"].eq(1).all()
        assert state["other.bn1.weight"].eq(0.5).all()


def test_without_init_nothing_is_drawn() -> None:
    torch.manual_seed(5)
    archspec.build_module(archspec.Spec.model_validate(ORDERED), init=False)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))


LOOP = """\
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)
"""


def test_the_loop_reads_as_by_hand() -> None:
    init, _ = PEERS["MobileNetV2"]
    assert LOOP in archspec.render(spec_of(init))
    assert "nn.init" not in archspec.render(spec_of("torch"))


TWICE = """\
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.1)
            if isinstance(module, nn.Linear) and module is self.fc:
                nn.init.trunc_normal_(module.weight, std=0.1)
"""


def test_two_branches_of_one_if_do_not_do_the_same() -> None:
    """Which ruff would report (SIM114)."""
    head = {"pool": "global_avg_pool", "flat": "flatten", "wide": {"linear": 20}}
    head |= {"fc": {"linear": 10, "init": NARROW}}
    assert TWICE in archspec.render(spec_of({"conv": NARROW}, head=head))


KINDS = {"conv": 1.0, "std_conv": 2.0, "scaled_std_conv": 3.0}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("count", range(1, 8))
def test_a_helper_does_not_start_as_the_class_that_it_extends(
    count: int, reader: Callable[..., nn.Module]
) -> None:
    """Each choice of the three kinds; one without a rule starts as torch's."""
    stem = {kind: {kind: {"channels": 8, "kernel": 3}} for kind in KINDS}
    chosen = {kind: KINDS[kind] for bit, kind in enumerate(KINDS) if count >> bit & 1}
    init = {kind: {"constant": value} for kind, value in chosen.items()}
    net = reader(spec_of({"conv": "torch"} | init, stem=stem))
    for kind in KINDS:
        low, high = net.get_submodule(kind).weight.aminmax()
        assert (low == high == chosen[kind]) if kind in chosen else low < high


FOUR = "{channels: 8, kernel: 3}"
OWN = "init: {normal: {std: 100}}"
#: Helpers next to the classes that they extend -> the deviation of some parameters.
AMONG: dict[str, tuple[str, dict[str, float]]] = {
    "one with an init of its own": (
        f"stem: [{{conv: {FOUR}}}, {{std_conv: {FOUR}}}, {{std_conv: {FOUR}, {OWN}}}]",
        {"conv1.weight": 0.17, "conv2.weight": 0.07, "conv3.weight": 100},
    ),
    "the same init, and one of its own": (
        "init: {conv: {normal: {std: 1}}, std_conv: {normal: {std: 1}}}\n"
        f"stem: [{{conv: {FOUR}}}, {{std_conv: {FOUR}}}, {{std_conv: {FOUR}, {OWN}}}]",
        {"conv1.weight": 1, "conv2.weight": 1, "conv3.weight": 100},
    ),
    "one that lacks the bias": (
        "init: {conv: {normal: {std: 100}}, std_conv: {bias: {normal: {std: 7}}}}\n"
        f"stem: [{{conv: {FOUR}}}, {{std_conv: {FOUR}}},"
        " {std_conv: {channels: 8, kernel: 3, bias: true}}]",
        {"conv1.weight": 100, "conv2.weight": 0.07, "conv3.weight": 0.07, "conv3.bias": 7},
    ),
    "the same init, and one that lacks the bias": (
        "init: {conv: {weight: torch, bias: {normal: {std: 7}}},"
        " std_conv: {weight: torch, bias: {normal: {std: 7}}},"
        " linear: {bias: {normal: {std: 7}}}}\n"
        "stem: [{conv: {channels: 8, kernel: 3, bias: true}},"
        f" {{std_conv: {FOUR}}}, {{std_conv: {{channels: 8, kernel: 3, bias: true}}}}]\n"
        "head: [global_avg_pool, flatten, {linear: 9}]",
        {"conv1.bias": 7, "conv2.weight": 0.07, "conv3.bias": 7, "fc.bias": 7},
    ),
    "a norm of pixels": (
        "init: {batch_norm: {weight: {normal: {std: 1}}}, rms_norm: {weight: {normal: {std: 1}}}}\n"
        f"stem: [{{conv: {FOUR}}}, batch_norm, rms_norm,"
        " {rms_norm: {}, init: {weight: {normal: {std: 100}}}}]\n"
        "head: [global_avg_pool, flatten, rms_norm]",
        {"bn1.weight": 1, "norm1.weight": 1, "norm2.weight": 100, "norm3.weight": 1},
    ),
    "a norm that lacks the bias": (
        "init: {layer_norm: {bias: {normal: {std: 1}}}}\n"
        f"stem: [{{conv: {FOUR}}}, {{layer_norm: {{bias: false}}}}, layer_norm]\n"
        "head: [global_avg_pool, flatten, layer_norm,"
        " {layer_norm: {}, init: {bias: {normal: {std: 100}}}}]",
        {},
    ),
}


@pytest.mark.parametrize("case", AMONG)
def test_helpers_start_apart_in_both_readers(case: str, tmp_path: Path) -> None:
    text, deviations = AMONG[case]
    spec = write_spec(tmp_path, f"input: [3, 8, 8]\n{text}\n")
    live, generated = (seeded(lambda read=read: read(spec)) for read in READERS.values())  # type: ignore[misc]
    assert_same_tensors(live.state_dict(), generated.state_dict())
    for name, deviation in deviations.items():
        assert float(live.get_parameter(name).detach().std()) == pytest.approx(
            deviation, rel=0.6
        ), name


# `extends` -----------------------------------------------------------------------------

BOTH = {"weight": {"normal": {"std": 1}}, "bias": "zeros"}
MERGED: list[tuple[Any, Any, Any]] = [
    ("torch", {"linear": {"bias": "zeros"}}, {"conv": "torch", "linear": {"bias": "zeros"}}),
    ("resnet", {"linear": {"bias": "zeros"}}, {"linear": {"bias": "zeros"}}),
    ({"linear": BOTH}, "torch", "torch"),
    ({"linear": {"normal": {"std": 1}}}, {"linear": {"bias": "zeros"}}, {"linear": BOTH}),
    (
        {"linear": BOTH},
        {"linear": {"normal": {"mean": 1}}},
        {"linear": {"weight": {"normal": {"mean": 1}}, "bias": "zeros"}},
    ),
    ({"linear": BOTH}, {"linear": "torch"}, {"linear": "torch"}),
    ({"linear": "torch"}, {"linear": {"bias": 1}}, {"linear": {"weight": "torch", "bias": 1}}),
    ({"linear": BOTH}, {"linear": {"weight": None}}, {"linear": {"bias": "zeros"}}),
]


@pytest.mark.parametrize(("base", "over", "merged"), MERGED)
def test_a_map_is_laid_over_what_it_extends(base: Any, over: Any, merged: Any) -> None:
    assert merge_data({"init": base}, {"init": over}).data["init"] == merged


# The functions -------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_torch(name: str) -> None:
    _, *known = inspect.signature(getattr(nn.init, f"{name}_")).parameters.values()
    theirs = {p.name: p.default for p in known if p.name != "generator"}
    ours = FUNCTIONS[name].arguments
    assert list(ours) == list(theirs)
    for argument, default in theirs.items():
        missing = default is inspect.Parameter.empty
        assert ours[argument].default == (None if missing else default)
    assert FUNCTIONS.keys() == DRAWING


def test_nonlinearities_are_those_of_torch() -> None:
    for choice in NONLINEARITY.choices:
        nn.init.calculate_gain(choice)


GIVEN = {"constant": {"val": 2}, "sparse": {"sparsity": 0.5}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_draws(name: str) -> None:
    function = FUNCTIONS[name]
    layer = {"conv": {"channels": 8, "kernel": 3}} if function.most > 2 else {"linear": 8}
    head = [] if function.most > 2 else ["global_avg_pool", "flatten"]
    layers = [*head, {**layer, "init": {name: GIVEN.get(name, {})}}]
    states = [
        seeded(lambda r=reader: r(spec_of(None, stem=layers, head=[]))).state_dict()
        for reader in READERS.values()
    ]
    assert_same_tensors(*states)


def test_a_shortcut_that_only_some_uses_have_is_found_where_it_is() -> None:
    conv = {"conv": {"channels": "channels", "kernel": 3}}
    body = [{"residual": [conv], "shortcut": "conv_norm"}]
    stages = {
        "a": {"block": "plain", "repeat": 2, "channels": 16},
        "b": {"block": "drawn", "repeat": 2, "channels": 32},
    }
    blocks = {"plain": {"init": "torch", "body": body}, "drawn": {"body": body}}
    spec: dict[str, Any] = {"name": "net", "input": [1, 8, 8], "stem": [{"conv": 8}]}
    spec |= {"stages": stages, "blocks": blocks}
    live, made = seeded(lambda: archspec.build_module(spec)), seeded(lambda: generated_module(spec))
    assert_same_tensors(live.state_dict(), made.state_dict())


def test_a_weight_that_some_layers_lack_makes_no_second_branch() -> None:
    stem = {"conv": {"conv": 8}, "bn": "norm", "plain": {"batch_norm": {"affine": False}}}
    ones = {"batch_norm": {"weight": "ones"}, "linear": {"weight": "ones"}}
    source = archspec.render(spec_of(ones, stem=stem))
    assert source.count("nn.init.ones_(module.weight)") == 1
    kinds = "isinstance(module, (nn.BatchNorm2d, nn.Linear))"
    assert f"{kinds}\n{' ' * 16}and module.weight is not None" in source
