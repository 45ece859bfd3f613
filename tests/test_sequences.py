"""Sequences in sequences, layers that are repeated, stages as children, and their names."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec import SpecError
from support.linting import Project
from support.modules import READERS, assert_same_tensors, generated_module, seeded


def network(body: dict[str, Any], size: int = 16) -> dict[str, Any]:
    return {"name": "net", "input": [3, size, size], **body}


def keys(spec: dict[str, Any]) -> list[str]:
    """The weights of convolutions and linear layers, by name."""
    state = archspec.build_module(spec, init=False).state_dict()
    return [key.removesuffix(".weight") for key, value in state.items() if value.ndim > 1]


def found(spec: dict[str, Any]) -> list[str]:
    with pytest.raises(SpecError) as error:
        archspec.build_module(spec)
    return [f"{one.rule} {one.path}: {one.message}" for one in error.value.diagnostics]


CONV = {"conv": {"channels": 4, "kernel": 3}}
CELL = {"cell": {"args": {"kernel": 3}, "body": [{"conv": {"channels": "channels",
        "kernel": "kernel", "stride": "stride"}}]}}  # fmt: skip


# Repeated layers ----------------------------------------------------------------------

REPEATED: dict[str, tuple[Any, list[str]]] = {
    "an op": ({**CONV, "repeat": 3}, ["conv1", "conv2", "conv3"]),
    "never": ([{**CONV, "repeat": 0}, {"conv": 4}], ["conv1"]),
    "an inline block": ({"conv_norm_act": 4, "repeat": 2}, ["conv1", "conv2"]),
    "a block": ({"cell": 4, "repeat": 2}, ["cell1.conv1", "cell2.conv1"]),
    "a sequence": (
        {"sequence": [CONV, CONV], "repeat": 2},
        ["sequence1.0", "sequence1.1", "sequence2.0", "sequence2.1"],
    ),
    "with names": ({**CONV, "repeat": 2, "name": "c{index + 1}_{repeat}"}, ["c1_2", "c2_2"]),
    "with a condition": ([{**CONV, "repeat": 3, "when": "index != 1"}], ["conv1", "conv2"]),
    "in a sequence": ({"sequence": [{**CONV, "repeat": 2}], "name": "s"}, ["s.0", "s.1"]),
    "in itself": (
        {"sequence": [{**CONV, "repeat": "index + 1"}], "repeat": 2, "name": "s{index}"},
        ["s0.0", "s1.0", "s1.1"],
    ),
}


@pytest.mark.parametrize("case", REPEATED)
def test_a_layer_is_repeated(case: str) -> None:
    layers, expected = REPEATED[case]
    stem = layers if isinstance(layers, list) else [layers]
    assert keys(network({"stem": stem, "blocks": CELL})) == expected


def test_a_repeated_layer_of_a_body_is_repeated_in_every_use() -> None:
    block = {"body": [{"residual": [{"conv": {"channels": "channels", "kernel": 3}, "repeat": 2}]}]}
    spec = network({"stem": [CONV], "stages": {"s": {"block": "b", "repeat": 2}}})
    assert keys(spec | {"blocks": {"b": block}}) == [
        "conv1", "s.0.conv1", "s.0.conv2", "s.1.conv1", "s.1.conv2",
    ]  # fmt: skip


def test_lists_and_the_stride_are_turn_by_turn() -> None:
    layer = {"cell": {"channels": [8, 12], "kernel": [3, 5], "stride": 2}, "repeat": 2}
    model = archspec.build_module(network({"stem": [layer], "blocks": CELL}))
    convs = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [8, 12]
    assert [conv.kernel_size for conv in convs] == [(3, 3), (5, 5)]
    assert [conv.stride for conv in convs] == [(2, 2), (1, 1)]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            {"cell": {"channels": [8, 12, 16]}, "repeat": 2},
            "`channels` has 3 values, but the repeat has 2 layers",
        ),
        ({"cell": {"channels": 8, "kernel": [[3, 5]]}}, "`kernel` is a list of lists"),
        ({**CONV, "repeat": 1001}, "expected at most 1000, found 1001"),
        ({**CONV, "repeat": -1}, "expected an integer of at least 0, found -1"),
        ({**CONV, "repeat": 1.5}, "expected an integer of at least 0, found `1.5`"),
        ({**CONV, "repeat": "n"}, "`n` is not defined here"),
        ({**CONV, "repeat": "index"}, "`index` is not defined here"),
        ({**CONV, "repeat": 2, "name": "c"}, "two layers are named `c`"),
        ({**CONV, "repeat": 2, "name": "c{index - 1}"}, "at least 0, found -1"),
        (
            {**CONV, "repeat": 2, "name": "c{index}-d"},
            "`c0-d` is not valid as the name of an attribute",
        ),
        ({**CONV, "repeat": 2, "name": "{index}"}, "`0` is not valid as the name of an attribute"),
        ({**CONV, "name": "c{0}"}, "`c{0}` has no expression in its braces"),
        ({**CONV, "name": "c{in dex}"}, "invalid expression"),
        ({**CONV, "name": "c{"}, "`c{` is not valid as the name"),
        ({**CONV, "name": "{__import__('os')}"}, "expression"),
        ({**CONV, "repeat": 2, "name": "__class{index}__"}, "is not valid as the name"),
    ],
)
def test_what_cannot_be_repeated_is_an_error(layer: dict[str, Any], message: str) -> None:
    assert message in "\n".join(found(network({"stem": [layer], "blocks": CELL})))


BOMBS: dict[str, dict[str, Any]] = {}
_nested: Any = ["act"]
for _ in range(5):
    _nested = [{"sequence": _nested, "repeat": 1000}]
BOMBS["sequences"] = {"stem": _nested}
BOMBS["layers that are not there"] = {
    "stem": [{"sequence": [{**CONV, "when": False, "repeat": 1000}], "repeat": 1000}]
}
BOMBS["stages"] = {"stages": {"s": [{"block": "basic", "repeat": 600, "channels": 8}] * 2}}
BOMBS["blocks"] = {
    "stem": [{"b0": 4, "repeat": 1000}],
    "blocks": {f"b{n}": {"body": [{f"b{n + 1}": {}, "repeat": 1000}]} for n in range(6)}
    | {"b6": {"body": [CONV]}},
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_bomb_of_repeats_is_expanded(bomb: str) -> None:
    assert any("too-large" in finding for finding in found(network(BOMBS[bomb])))


# Sequences ----------------------------------------------------------------------------


def test_a_list_in_a_sequence_is_a_sequence() -> None:
    spec = network({"stages": {"features": [[CONV, "norm"], [[CONV], CONV]]}})
    assert keys(spec) == ["features.0.0", "features.1.0.0", "features.1.1"]


def test_an_argument_of_the_network_stays_one_in_a_map() -> None:
    head = {"sequence": {"pool": "global_avg_pool", "flatten": "flatten", "fc": {"linear": "n"}}}
    stem = {"stem": {"sequence": {"conv": {"conv": "width"}}}}
    spec = network({"args": {"n": 10, "width": 8}, "stem": stem, "head": {"head": head}})
    spec["stages"] = {"last": {"block": "basic", "channels": "width"}}  # so this is settled
    source = archspec.render(spec)
    assert "self.stem = Stem()" in source
    assert "self.head = Head(n)" in source
    for build in READERS.values():
        assert build(spec, n=7, width=4)(torch.zeros(1, 3, 8, 8)).shape == (1, 7)


def test_a_map_in_an_inline_block_has_its_numbers() -> None:
    inner = {"inline": True, "args": {"n": "required"}, "body": [
        {"sequence": {"conv": {"conv": "2 * n"}}, "name": "head"}]}  # fmt: skip
    spec = network({"args": {"n": 4}, "stem": [{"inner": {"n": "n"}}], "blocks": {"inner": inner}})
    for build in READERS.values():
        assert build(spec, n=3)(torch.zeros(1, 3, 8, 8)).shape == (1, 6, 8, 8)


def test_children_of_a_map_have_the_names_of_its_keys() -> None:
    children = {"conv0": CONV, "pool-0": {"max_pool": 2}, "two": [CONV, "act"], "gone": "none"}
    children |= {"cells": {"cell": 4, "repeat": 2}, "flat": {"conv_norm_act": 4}}
    children |= {"never": {**CONV, "repeat": 0}}
    spec = network({"stages": {"features": {"sequence": children}}, "blocks": CELL})
    assert keys(spec) == [
        "features.conv0", "features.two.0", "features.cells.0.conv1", "features.cells.1.conv1",
        "features.flat.0",
    ]  # fmt: skip
    named = archspec.build_module(spec).get_submodule("features")
    assert [name for name, _ in named.named_children()] == [
        "conv0", "pool-0", "two", "cells", "flat",
    ]  # fmt: skip


def test_a_numbered_map_is_named_for_variants_alone(project: Project) -> None:
    project.spec(
        "stages:\n  features:\n    numbered: true\n    sequence:\n"
        "      a: {conv: 8}\n      b: {block: basic, channels: 8}\n      c: {conv: 16}\n"
    )
    project.write(
        "specs/variant.yaml",
        "name: variant\nextends: net\nstages:\n  features:\n    sequence:\n"
        "      a: null\n      b: {repeat: 2}\n      new: norm\n      c: {conv: 32}\n",
    )
    assert project.lint("specs").code == 0
    model = archspec.build_module(project.folder / "specs/variant.yaml")
    children = dict(model.get_submodule("features").named_children())
    assert list(children) == ["0", "1", "2"]
    assert len(children["0"]) == 2
    assert isinstance(children["1"], nn.BatchNorm2d)
    assert children["2"].out_channels == 32


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"sequence": {"append": "norm"}},
            "`append` is reserved: `nn.Sequential` already defines it",
        ),
        ({"sequence": {"forward": "norm"}}, "`forward` is reserved"),
        ({"sequence": {"a.b": "norm"}}, "`a.b` is not valid as the name of a child"),
        ({"sequence": {"a": {**CONV, "name": "b"}}}, "`a` is given a second name"),
        (
            {"sequence": ["norm"], "numbered": True},
            "`numbered` requires a `sequence` that is a mapping",
        ),
        ([{"residual": [CONV]}], "`residual` has no attribute of its own"),
        ([[{"concat": [[], CONV]}]], "`concat` "),
        ([{"block": "cell", "channels": 4, "foo": 1}], "no argument or part `foo`"),
        ([{"block": "cel", "channels": 4}], "unknown block `cel`"),
        (
            [{"block": "cell", "repeat": 2, "channels": [4]}],
            "`channels` has 1 value, but the stage has 2 blocks",
        ),
        (
            [{"block": "cell", "channels": 4, "save": "a"}],
            "tensors cannot be named or read inside a",
        ),
        ({**CONV, "repeat": 2, "save": "a"}, "tensors cannot be named or read inside a"),
    ],
)
def test_what_no_sequence_holds_is_an_error(entry: Any, message: str) -> None:
    said = found(network({"stages": {"features": entry}, "blocks": CELL}))
    assert message in "\n".join(said)
    assert all("stages.features" in one for one in said)


def test_a_stage_stands_in_no_block() -> None:
    body = [{"sequence": [{"block": "basic", "channels": 4}], "name": "s"}]
    spec = network({"stem": [{"outer": 4}], "blocks": {"outer": {"body": body}}})
    assert "a layer has no key `block`" in "\n".join(found(spec))


# Stages -------------------------------------------------------------------------------


def test_stages_in_sequences_count_among_the_others() -> None:
    probe = {"probe": {"name": "p{stage}-{index}-{repeat}-{block_index}-{block_count}",
                       "body": [{"conv": "channels"}]}}  # fmt: skip
    stages = {
        "first": {"block": "probe", "repeat": 2, "channels": 4},
        "rest": [{"block": "probe", "channels": 4}, [{"block": "probe", "repeat": 2}]],
    }
    head = {"last": {"sequence": {"end": {"block": "probe"}}}}
    assert keys(network({"stages": stages, "head": head, "blocks": probe})) == [
        "first.p1-0-2-0-6.conv1", "first.p1-1-2-1-6.conv1", "rest.0.p2-0-1-2-6.conv1",
        "rest.1.0.p3-0-2-3-6.conv1", "rest.1.0.p3-1-2-4-6.conv1", "last.end.p4-0-1-5-6.conv1",
    ]  # fmt: skip


def test_repeated_blocks_count_as_a_stage() -> None:
    probe = {"probe": {"name": "p{stage}-{index}-{repeat}-{block_index}-{block_count}",
                       "body": [{"conv": "channels"}]}}  # fmt: skip
    twice = {"probe": 4, "repeat": 2}
    stages = {"first": {"block": "probe", "channels": 4}, "rest": {"sequence": {"a": twice}}}
    spec = network({"stages": stages, "head": {"last": [twice]}, "blocks": probe})
    assert keys(spec) == [
        "first.p1-0-1-0-5.conv1", "rest.a.p2-0-2-1-5.conv1", "rest.a.p2-1-2-2-5.conv1",
        "last.p3-0-2-3-5.conv1", "last.p3-1-2-4-5.conv1",
    ]  # fmt: skip


def test_a_repeated_block_is_given_what_depends_on_its_place_in_the_network() -> None:
    wide = {"wide": {"args": {"n": 1}, "body": [{"conv": "8 * n"}]}}
    each = {"wide": {"n": "100 * block_index + 10 * stage + block_count"}, "repeat": 2}
    spec = network({"stages": {"a": {"block": "wide"}, "b": [each]}, "blocks": wide})
    assert [len(w) for w in archspec.build_module(spec).parameters()] == [8, 984, 1784]


WHERE = "it is available in stages, and in a block with `repeat` in stem, stages, or head"


@pytest.mark.parametrize(
    "stem",
    [
        [{"wide": {"n": "block_count"}}],
        [{"short": {"n": "block_count"}, "repeat": 2}],
        [{"sequence": [{"wide": {"n": "block_count"}, "repeat": 2}], "repeat": 2}],
        [{"conv": "8 * block_count", "repeat": 2}],
        [{"inner": {}, "repeat": 2}, {"inner": {}}],
    ],
)
def test_where_a_place_in_the_network_is_not_known(stem: list[Any]) -> None:
    wide = {"args": {"n": 1}, "body": [{"conv": "8 * n"}]}
    blocks = {"wide": wide, "short": wide | {"inline": True}}
    blocks |= {"inner": {"body": [{"wide": {"n": "block_count"}}]}}
    with pytest.raises(SpecError) as error:
        archspec.build_module(network({"stem": stem, "blocks": blocks}))
    one = error.value.diagnostics[0]
    assert (one.message, one.hint) == ("`block_count` is not defined here", WHERE)


def test_a_width_that_depends_on_its_place_in_the_network_is_compared_once_that_is_known() -> None:
    widths = {"a": "8", "b": "8 * block_index"}
    stages = {"r": {"cell": 8, "repeat": 2}}
    stages |= {n: {"block": "cell", "channels": c} for n, c in widths.items()}
    archspec.load(network({"stages": stages, "blocks": CELL}))
    stages["b"]["channels"] = "16 - 2 * block_index"
    assert "`b` has 10 channels, but" not in found(network({"stages": stages}))[0]


def test_a_stage_names_its_blocks() -> None:
    stage = {"block": "cell", "repeat": 2, "channels": 4, "name": "unit{index + 1}"}
    assert keys(network({"stages": {"s": stage}, "blocks": CELL})) == [
        "s.unit1.conv1", "s.unit2.conv1",
    ]  # fmt: skip


def test_a_stage_without_channels_gives_what_its_blocks_give() -> None:
    grow = {"grow": {"body": [{"concat": [[], [{"conv": 4}]]}]}}
    model = archspec.build_module(network({"stages": {"s": {"block": "grow", "repeat": 3}},
                                           "blocks": grow}))  # fmt: skip
    assert model(torch.zeros(1, 3, 4, 4)).shape[1] == 15


SHRINK = {
    "a transition may narrow": ([8, None, 8], 0),
    "the next stage grows past it": ([8, None, 12], 0),
    "a stage leaves fewer than the one before": ([8, None, 4], 1),
    "each is held against the one before it": ([8, 4, 4], 1),
}


@pytest.mark.parametrize("case", SHRINK)
@pytest.mark.parametrize("nested", [False, True])
def test_what_leaves_a_stage_never_shrinks(case: str, nested: bool) -> None:
    widths, expected = SHRINK[case]
    stages = {
        f"s{n}": {"conv": 2} if wide is None else {"block": "cell", "channels": wide}
        for n, wide in enumerate(widths)
    }
    spec = network({"stages": {"all": {"sequence": stages}} if nested else stages, "blocks": CELL})
    said = [] if not expected else found(spec)
    assert [one.split()[0] for one in said] == ["channels-shrink"] * expected
    if not expected:
        archspec.build_module(spec, init=False)


def test_how_a_stage_gets_there_is_its_own_business() -> None:
    stages = {"a": {"block": "cell", "channels": 8},
              "b": {"block": "cell", "repeat": 2, "channels": [4, 8]}}  # fmt: skip
    archspec.build_module(network({"stages": stages, "blocks": CELL}), init=False)


# Both readers, and a module written by hand -------------------------------------------


class DenseLayer(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, 8, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv1(torch.relu(self.norm1(x)))], 1)


class Handwritten(nn.Module):
    """Children with names, in the order of torchvision's DenseNet."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, 16, 3, padding=1, bias=False))
        for number, channels in enumerate((16, 12), 1):
            block = nn.Sequential()
            for place in range(2):
                block.add_module(f"denselayer{place + 1}", DenseLayer(channels + 8 * place))
            self.features.add_module(f"denseblock{number}", block)
            if number == 1:
                self.features.add_module("transition1", nn.Conv2d(32, 12, 1, bias=False))
        self.fc = nn.Linear(28, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean((2, 3)))


DENSE = network(
    {
        "init": "torch",
        "stages": {
            "features": {
                "sequence": {
                    "conv0": {"conv": {"channels": 16, "kernel": 3}},
                    "denseblock1": {"block": "dense", "repeat": 2},
                    "transition1": {"conv": 12},
                    "denseblock2": {"block": "dense", "repeat": 2, "shrink": "as in the test"},
                }
            }
        },
        "head": ["global_avg_pool", "flatten", {"linear": 5}],
        "blocks": {
            "dense": {
                "name": "denselayer{index + 1}",
                "body": [{"concat": [[], [{"norm": {}, "name": "norm1"}, "act", {"conv": 8}]]}],
            }
        },
    }
)


@pytest.mark.parametrize("reader", READERS)
def test_equal_to_a_module_written_by_hand(reader: str) -> None:
    ours, theirs = seeded(lambda: READERS[reader](DENSE)), seeded(Handwritten)
    assert_same_tensors(ours.state_dict(), theirs.state_dict())
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(ours(x), theirs(x))


def test_the_source_assigns_children_by_name() -> None:
    text = archspec.render(DENSE)
    assert "class Features(nn.Sequential):" in text
    assert "self.denseblock2 = Denseblock(12)" in text
    assert 'self.add_module(f"denselayer{k + 1}", Dense(channels + 8 * k))' in text
    assert generated_module(DENSE).features.denseblock1.denselayer1 is not None
