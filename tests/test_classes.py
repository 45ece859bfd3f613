"""The classes of a generated file: what their docstrings and their parameters say is true."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

import archspec
from archspec import classes as classes_of
from archspec.classes.table import ClassTable
from archspec.expand.network import expand_network
from archspec.ir.visitor import visits
from archspec.ops.dropouts import StochasticDepth
from support import DATA, SHIPPED, write_spec
from support.draws import initial
from support.measured import Measured
from support.modules import (
    READERS,
    assert_same_tensors,
    generated_module,
    module_from_source,
    seeded,
)
from support.tools import assert_clean


def source(folder: Path, stem: str, blocks: str) -> str:
    spec = f"input: [3, 16, 16]\nstem: [{stem}]\nblocks:\n{blocks}"
    return archspec.render(write_spec(folder, spec))


# What differs -------------------------------------------------------------------------


def differences(text: str) -> list[str]:
    """What docstrings say of second classes, on one line each."""
    docs = [ast.get_docstring(n) or "" for n in ast.parse(text).body if isinstance(n, ast.ClassDef)]
    paragraphs = [" ".join(part.split()) for doc in docs for part in doc.split("\n\n")]
    return [part.partition(", but ")[2] for part in paragraphs if part.startswith("Like ")]


# Layers of a block, used once with `more: false` and once with `more: true`.
DIFFERENCES = [
    ("conv: 8; act; norm; act when more", "relu is applied twice, not once."),
    ("conv: 8; act; norm; act when not more", "relu is applied once, not twice."),
    (
        "conv: 8; norm when not more; conv: 8 when not more; act when not more",
        "without bn1, conv2, relu.",
    ),
    ("conv: 8; norm when more; conv: 8 when more; act when more", "with bn1, conv2, relu."),
    ("conv: 8; norm when more; act; norm when not more", "in a different order."),
    ("conv: 8; relu when more; silu when not more", "without silu; with relu."),
    (
        "conv: 8; conv: {channels: 8, padding_mode: reflect} when more; conv: 8 when not more",
        "conv2 has a different padding_mode.",
    ),
    ("sequence: [[{conv: 8}, {norm: {}, when: more}]]", "sequence gains nn.BatchNorm2d."),
    ("sequence: [[{conv: 8}, {norm: {}, when: not more}, act]]", "sequence loses nn.BatchNorm2d."),
    (
        "sequence: [{conv: 8}, {relu: {}, when: not more, else: {elu: 0.5}}, norm]",
        "sequence has nn.ELU instead of nn.ReLU.",
    ),
    (
        "sequence: [[{norm: {}, when: more}, {conv: 8}, {norm: {}, when: not more}]]",
        "sequence is in a different order.",
    ),
    ("residual: [{conv: 8}] when more; conv: 8 when not more", "added to the input."),
    ("residual: [{conv: 8}] when not more; conv: 8 when more", "nothing is added."),
    (
        "scale: [{conv: 8}, sigmoid] when more; conv: 8 when not more; sigmoid when not more",
        "with 1 product.",
    ),
    (
        "add: [{conv: 8}, {conv: 8}] when more; concat: [{conv: 4}, {conv: 4}] when not more",
        "with 1 sum; with no concatenation.",
    ),
    ("split: [act, []] when more; split: [[], act] when not more", "with a different structure."),
]


@pytest.mark.parametrize(("layers", "expected"), DIFFERENCES)
def test_what_differs_is_told_as_it_is(layers: str, expected: str, tmp_path: Path) -> None:
    body = []
    for layer in layers.split("; "):
        what, _, when = layer.partition(" when ")
        inside = what if ":" in what else f"{what}: {{}}"
        body.append(f"      - {{{inside}{f', when: {when}' if when else ''}}}")
    blocks = "\n".join(["  b:", "    args: {more: required}", "    body:", *body])
    text = source(tmp_path, "{conv: 8}, {b: {more: false}}, {b: {more: true}}", blocks)
    assert differences(text) == [expected]


# One class for uses that differ in a layer or two ---------------------------------------

EXPANDING = """
input: [3, 8, 8]
blocks:
  wide:
    args: {{width: required, act_of: 0}}
    parts: {{gate: none}}
    body:
      - residual:
          - sequence:
              - {{sequence: [{{conv_norm_act: width}}], when: width != in_channels}}
              - [{{depthwise_conv: {{kernel: 3, stride: stride}}}}, norm]
              - gate
              - [{{conv_norm: channels}}]
            name: body
        shortcut: none
stem: [{{conv: 8}}]
head: [{0}]
"""


def _expanding(*layers: str) -> str:
    return EXPANDING.format(", ".join(f"{{wide: {{{layer}}}}}" for layer in layers))


def _rendered(folder: Path, *layers: str) -> str:
    return archspec.render(write_spec(folder, _expanding(*layers)))


def test_an_expansion_and_a_sum_are_conditions(tmp_path: Path) -> None:
    text = _rendered(tmp_path, "channels: 8, width: 8", "channels: 12, width: 16")
    assert "if width != in_channels:" in text
    assert "class Wide2" not in text
    assert "return y + x if self.adds else y" in text


@pytest.mark.parametrize(
    ("first", "second", "adds"),
    [
        ("{unit: 8}", "{unit: {channels: 8, stride: 2}}", "stride == 1"),
        ("{unit: 8}", "{unit: 12}", "in_channels == channels"),
        (
            "{unit: 8}",
            "{unit: {channels: 12, stride: 2}}",
            "stride == 1 and in_channels == channels",
        ),
    ],
)
def test_a_sum_depends_on_what_differs(first: str, second: str, adds: str, tmp_path: Path) -> None:
    unit = "{body: [{residual: [{conv: {channels: channels, stride: stride}}], shortcut: none}]}"
    head = f"input: [8, 9, 8]\nblocks: {{unit: {unit}}}\nstem: "
    assert f"self.adds = {adds}\n" in archspec.render(
        write_spec(tmp_path, f"{head}[{first}, {second}]\n")
    )


def test_a_gate_is_there_where_it_has_a_width(tmp_path: Path) -> None:
    gate = "gate: {se: {squeeze: 4}}"
    text = _rendered(tmp_path, "channels: 8, width: 16", f"channels: 8, width: 12, {gate}")
    assert "if se:" in text
    assert "se=True" in text
    assert "class Wide2" not in text


OPTIONAL = """
input: [3, 8, 8]
blocks:
  group:
    args: {depth: 1}
    parts: {gate: none}
    body:
      - {sequence: [norm, {conv: {channels: channels, stride: 2}}], name: down, when: stride > 1}
      - {gate: {}, name: gate}
      - {sequence: [{conv: {channels: channels, kernel: 3}, repeat: depth}], name: rows}
stem: [{conv: 8}]
stages:
  all: [{group: 8}, {group: {channels: 12, stride: 2}}, {group: {channels: 12, gate: se, depth: 2}}]
"""


@pytest.mark.parametrize("names", ["down gate rows", "a.0 a.1 rows"])
def test_a_layer_that_some_uses_lack_stands_under_its_condition(names: str, tmp_path: Path) -> None:
    text = OPTIONAL
    for before, name in zip(("down", "gate"), names.split(), strict=False):
        text = text.replace(f"name: {before}", f"name: {name}")
    path = write_spec(tmp_path, text)
    source = archspec.render(path)
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(one.eval()(x), other.eval()(x))
    if "." in names:  # a container counts its layers
        assert "Group(8, 12, stride=2" not in source
        return
    assert re.findall(r"^class (\w*Group)", source, re.M) == ["Group"]
    assert "Group(8, 8),\n" in source
    assert "Group(8, 12, stride=2),\n" in source
    assert "Group(12, 12, se=True, depth=2),\n" in source
    assert "self.down: nn.Module = nn.Identity()\n        if stride > 1:\n" in source


def test_an_activation_is_passed_in_as_a_class(tmp_path: Path) -> None:
    text = _rendered(
        tmp_path, "channels: 8, width: 16, act: relu", "channels: 8, width: 12, act: silu"
    )
    assert "Wide(8, 16, nn.ReLU)" in text
    assert "Wide(8, 12, nn.SiLU)" in text


def test_a_shortcut_that_some_uses_have_is_in_their_class() -> None:
    """Also where another layer is in some uses alone, and the first use has no shortcut."""
    body = [{"linear": "channels"}, {"layer_norm": {}, "when": "stage == 1"}]
    unit = {"body": [{"residual": body, "shortcut": [{"linear": "channels"}, "layer_norm"]}]}
    stages = {
        f"layer{n}": {"block": "unit", "repeat": 2, "channels": channels}
        for n, channels in enumerate(([8, 16], [16, 24]), 1)
    }
    spec = {"name": "net", "input": [8], "stages": stages, "blocks": {"unit": unit}}
    counted = sum(weight.numel() for weight in archspec.build_module(spec).parameters())
    assert counted == archspec.analyze(spec).params


def test_both_readers_build_the_same(tmp_path: Path) -> None:
    layers = ["channels: 8, width: 8", "channels: 12, width: 16", "channels: 12, width: 24"]
    spec = write_spec(tmp_path, _expanding(*layers))
    live = seeded(lambda: archspec.build_module(spec))
    made = seeded(lambda: generated_module(spec))
    assert_same_tensors(live.state_dict(), made.state_dict())
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(live.eval()(x), made.eval()(x))


@pytest.mark.parametrize(
    ("small", "large", "network"),
    [
        ("mobilenet_v3_small", "mobilenet_v3_large", "MobileNetV3"),
        ("densenet121", "densenet169", "Features"),
    ],
)
def test_the_classes_of_one_size_build_the_other(small: str, large: str, network: str) -> None:
    one, other = (archspec.render(name).partition(f"class {network}") for name in (small, large))
    assert one[0][one[0].index("class ") :] == other[0][other[0].index("class ") :]
    assert one[1]


def test_no_class_of_a_shipped_spec_has_a_number() -> None:
    """But for the network itself, whose name is the spec's."""
    names = {name: re.findall(r"^class (\w+)", archspec.render(name), re.M) for name in SHIPPED}
    assert not [(n, cls) for n, found in names.items() for cls in found[:-1] if cls[-1].isdigit()]


# One class for equal sequences ----------------------------------------------------------

SEQUENCES = """
input: [3, 9, 8]
defaults: {act: {one}}
stages:
  all:
    - [{conv_norm_act: {channels: 8, kernel: 3, stride: 2, act: {other}}}]
    - [{conv_norm_act: {channels: 12, kernel: 5}}]
    - [{conv_norm_act: {channels: 12, kernel: 3, groups: 12}}]
    - [{conv: {channels: 10}}, norm{last}]
    - [{conv_norm_act: 10}]
    - {sequence: [[{conv_norm_act: 10}], [{conv_norm_act: 10}], [{conv_norm_act: 10}]]}
    - {sequence: [[{conv_norm_act: 6}], [{conv_norm_act: 8}], [{conv_norm_act: 9}]]}
"""


def _sequences(folder: Path, one: str = "relu", other: str = "relu", last: str = ", act") -> Path:
    text = SEQUENCES.replace("{one}", one).replace("{other}", other).replace("{last}", last)
    return write_spec(folder, text)


@pytest.mark.parametrize(
    ("how", "calls"),
    [
        ({}, ["(3, 8, 3, stride=2)", "(12, 12, 3, groups=12)", "(12, 10, 1)", "(10, 10, 1)"]),
        ({"other": "silu"}, ["(3, 8, 3, nn.SiLU, stride=2)", "(12, 10, 1, nn.ReLU)"]),
        ({"last": ""}, ["(3, 8, 3, nn.ReLU, stride=2)", "(12, 10, 1, nn.Identity)"]),
    ],
)
def test_equal_sequences_are_one_class(
    how: dict[str, str], calls: list[str], tmp_path: Path
) -> None:
    path = _sequences(tmp_path, **how)
    text = archspec.render(path)
    assert [call for call in calls if f" ConvNormAct{call}," not in text] == []
    assert "padding=(kernel - 1) // 2" in text
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = torch.randn(2, 3, 9, 8)
    assert torch.equal(one.eval()(x), other.eval()(x))


@pytest.mark.parametrize("act", ["{leaky_relu: 0.1}", "prelu"])
def test_an_activation_with_arguments_or_weights_is_no_type(act: str, tmp_path: Path) -> None:
    text = archspec.render(_sequences(tmp_path, act, act))
    assert "type[nn.Module]" not in text
    assert "class ConvNormAct" in text
    mixed = archspec.render(_sequences(tmp_path, act, "relu"))
    assert "type[nn.Module]" not in mixed
    assert mixed.count("nn.ReLU()") == 1


def test_a_class_of_a_sequence_takes_no_name_of_a_block(tmp_path: Path) -> None:
    path = _sequences(tmp_path)
    more = "blocks: {own: {class: ConvNormAct, body: [{conv: 4}]}}\nhead: [own]\n"
    path.write_text(path.read_text("utf-8") + more, "utf-8")
    assert archspec.render(path).count("class ConvNormAct(") == 1


PAIRS = """
input: [3, 9, 8]
stem:
  a: [{NAME: 8}]
  b: {sequence: [[{NAME: 12}], {NAME: 12}, act]}
  d: [{NAME: 6}]
head: [{NAME: 4, name: e}, act]
blocks:
  NAME: {inline: true, doc: A few., body: [{conv: channels}, norm, act, {conv: channels}, norm]}
"""


@pytest.mark.parametrize(("name", "own"), [("few", "Few"), ("tensor", "")])
def test_equal_sequences_have_the_name_of_their_inline_block(
    name: str, own: str, tmp_path: Path
) -> None:
    """Only a sequence that is the block and nothing else; and no name that torch has."""
    path = write_spec(tmp_path, PAIRS.replace("NAME", name))
    text = archspec.render(path)
    assert re.findall(r"^class (\w+)\(nn.Sequential\)", text, re.M) == [own] * bool(own)
    assert text.count('    """A few."""\n') == text.count("self.d = Few(12, 6)\n") == bool(own)
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = torch.randn(2, 3, 9, 8)
    assert torch.equal(one.eval()(x), other.eval()(x))


def test_equal_sequences_are_named_after_their_layers_if_the_block_has_a_name_of_torch(
    tmp_path: Path,
) -> None:
    body = "[{conv: channels}, norm, act]"
    stem = ", ".join(f"{name}: [{{module: {8 + 8 * n}}}]" for n, name in enumerate("abde"))
    block = f"module: {{inline: true, body: {body}}}"
    path = write_spec(tmp_path, f"input: [3, 9, 8]\nstem: {{{stem}}}\nblocks: {{{block}}}\n")
    assert "class ConvNormAct(nn.Sequential):" in archspec.render(path)


def test_a_block_with_the_name_of_the_network_is_a_block(tmp_path: Path) -> None:
    text = source(tmp_path, "{net: 8}, {net: 16}", "  net: {body: [{conv: channels}, act]}")
    assert re.findall(r"^class (\w+)", text, re.M) == ["NetBlock", "Net"]


def test_a_class_has_the_doc_of_its_own_spec(tmp_path: Path) -> None:
    """Also after one that is the same but for that."""
    for doc in ("A few.", "Others."):
        spec = PAIRS.replace("NAME", "few").replace("A few.", doc)
        text = archspec.render(write_spec(tmp_path, spec))
        assert f'class Few(nn.Sequential):\n    """{doc}"""' in text


ONE_SHORTCUT = """
input: [3, 9, 8]
blocks:
  unit:
    args: {width: 2 * channels}
    body:
      - residual: [{conv: width}, act, {conv: {channels: channels, stride: stride}}]
        shortcut: conv_norm
stages:
"""


@pytest.mark.parametrize(
    ("stages", "own", "written"),
    [
        ("a: {block: unit, channels: 8, stride: 2}", 0, "in_channels, channels, 1, stride=2"),
        ("a: {block: unit, repeat: 3, channels: 8}", 0, "3, 8, 1"),
        ("a: {block: unit, channels: 8}\n  b: {block: unit, repeat: 2, channels: 16}", 1, ""),
        ("a: {block: unit, repeat: 3, channels: [8, 16, 16]}", 1, ""),
    ],
)
def test_a_shortcut_that_is_constructed_once_is_no_class(
    stages: str, own: int, written: str, tmp_path: Path
) -> None:
    """In its block, or where it is passed in; from there it has its sizes."""
    path = write_spec(tmp_path, f"{ONE_SHORTCUT}  {stages}\n")
    text = archspec.render(path)
    assert text.count("class ConvNorm(") == own
    assert f"nn.Conv2d({written}" in text
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = torch.randn(2, 3, 9, 8)
    assert torch.equal(one.eval()(x), other.eval()(x))


SHORTCUTS = """
input: [3, 9, 8]
blocks:
  unit:
    body:
      - residual:
          - {conv: channels}
          - act
          - {max_pool: {kernel: 3, stride: stride}, when: stride > 1}
          - {conv: channels}
        shortcut: {conv: {channels: channels, stride: stride}}
stages: {a: [{unit: 8}, {unit: 8}, {unit: {channels: 12, stride: 2}}, {unit: 12}]}
"""


def test_a_layer_that_uses_with_a_shortcut_have_alone_is_a_condition(tmp_path: Path) -> None:
    path = write_spec(tmp_path, SHORTCUTS)
    text = archspec.render(path)
    assert re.findall(r"^class (\w+)", text, re.M)[:-1] == ["Unit"]
    assert "self.maxpool: nn.Module = nn.Identity()\n        if stride > 1:\n" in text
    assert "Unit(8, 8, nn.Identity()),\n" in text
    assert "Unit(8, 12, nn.Conv2d(8, 12, 1, stride=2, bias=False), stride=2),\n" in text
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = torch.randn(2, 3, 9, 8)
    assert torch.equal(one.eval()(x), other.eval()(x))


# A class in which nn.Identity stands for a layer ----------------------------------------

HELD = """
input: [3, 9, 8]
blocks:
  unit:
    body:
      - residual: [{conv: {channels: channels, stride: stride}}]
        shortcut: pooled
  pooled:
    inline: true
    body:
      - {avg_pool: {kernel: 2, stride: stride, ceil_mode: true}, when: stride > 1, else: identity}
      - conv: channels
stages: {a: [{unit: 8}, {unit: {channels: 12, stride: 2}}, {unit: {channels: 16, stride: 2}}]}
"""


def test_an_identity_that_stands_for_a_layer_is_a_condition(tmp_path: Path) -> None:
    path = write_spec(tmp_path, HELD)
    text = archspec.render(path)
    assert re.findall(r"^class (\w+)\(nn.Sequential", text, re.M) == ["Pooled"]
    assert "nn.AvgPool2d(2, stride=stride, ceil_mode=True)\n            if stride > 1\n" in text
    assert "self.downsample = Pooled(in_channels, channels, stride=stride)\n" in text
    assert "Unit(3, 8),\n" in text
    assert "Unit(8, 12, stride=2),\n" in text
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = torch.randn(2, 3, 9, 8)
    assert torch.equal(one.eval()(x), other.eval()(x))


# Layers that `forward` writes out -------------------------------------------------------

WRITTEN = """
input: [8, 6, 4]
stem: [{flatten: {start_dim: 2}}, channels_last]
stages:
  mixed: [mix]
head:
  row: [{linear: 6}, channels_first]
  out: {mean: length}
blocks:
  mix:
    body:
      - residual: [{linear: 8}, transpose, {linear: 24}, transpose]
      - residual: [{multi_head_attention: 2}]
      - residual: [channels_first, {conv: 8}, channels_last]
"""


def test_what_a_method_of_a_tensor_does_is_no_module(tmp_path: Path) -> None:
    """But for a child of a sequence, and for what ends a residual."""
    path = write_spec(tmp_path, WRITTEN)
    text = archspec.render(path)
    assert re.findall(r"^class (\w+)", text, re.M)[:2] == ["ChannelsFirst", "ChannelsLast"]
    assert "y = self.fc2(self.fc1(x).transpose(1, 2)).transpose(1, 2)\n" in text
    assert "y = self.attention(x, x, x, need_weights=False)[0]\n" in text
    assert "return x.mean(-1, keepdim=True)\n" in text
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert [name for name, _ in one.named_modules()] == [name for name, _ in other.named_modules()]
    x = torch.randn(2, 8, 6, 4)
    assert torch.equal(one.eval()(x), other.eval()(x))
    with torch.no_grad():  # torch's attention has a faster way then
        assert torch.equal(one(x), other(x))


# Second classes of a block ------------------------------------------------------------

NAMED = {
    "DownUnit Unit": "[{unit: {channels: 8, stride: 2, by: norm}}, {unit: 8}, {unit: 8}]",
    "FirstUnit Unit": "[{unit: {channels: 8, by: norm}}, {unit: 8}, {unit: 8}]",
    "Unit WideUnit": "[{unit: 8}, {unit: {channels: 12, sums: false}}, {unit: 12}, {unit: 12}]",
    "Unit PlainUnit": "[{unit: 8}, {unit: {channels: 8, sums: false}}, {unit: 8}]",
    "Unit Unit2": "[{unit: 8}, {unit: {channels: 8, by: norm}}, {unit: 8}]",
}


@pytest.mark.parametrize("expected", NAMED)
def test_a_second_class_is_called_after_what_it_has_alone(expected: str, tmp_path: Path) -> None:
    spec = f"""
input: [3, 8, 8]
stem: [{{conv: 8}}]
stages: {{body: {NAMED[expected]}}}
blocks:
  unit:
    args: {{sums: true}}
    parts: {{by: act}}
    body:
      - by
      - residual: [{{conv: {{channels: channels, kernel: 3}}}}]
        when: sums and stride == 1
      - {{conv: {{channels: channels, stride: stride}}, when: not sums or stride > 1}}
"""
    text = archspec.render(write_spec(tmp_path, spec))
    assert re.findall(r"^class (\w+)", text, re.M)[:-1] == expected.split()


# Sizes that forward needs -------------------------------------------------------------

GATED = """
input: [3, 8, 8]
stem: [{conv: 8}, gated, parted, {conv: 12}, gated, parted]
blocks:
  gated:
    body:
      - conv: 2 * channels
      - multiply:
          - [{slice: {channels: channels}}, tanh]
          - [{slice: {start: channels, channels: channels}}, sigmoid]
  parted:
    body: [{split: [[{conv: channels // 4}], []], sizes: [channels // 4, channels - channels // 4]}]
"""


def test_a_size_that_forward_needs_is_an_attribute(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, GATED)
    text = archspec.render(spec)
    assert re.findall(r"^class (\w+)", text, re.M) == ["Gated", "Parted", "Net"]
    assert "x[:, : self.channels]" in text
    assert "split([self.channels // 4, self.channels - self.channels // 4], 1)" in text
    live = seeded(lambda: archspec.build_module(spec))
    made = seeded(lambda: generated_module(spec))
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(live.eval()(x), made.eval()(x))
    assert live(x).shape == (2, 12, 8, 8)
    torch.jit.script(made)
    torch.fx.symbolic_trace(made)


def test_a_sum_has_the_channels_of_its_input(tmp_path: Path) -> None:
    mixed = "[{layer_norm: {}}, transpose, {linear: 6}, transpose]"
    spec = write_spec(
        tmp_path,
        "input: [8, 6]\nstem: [channels_last, mix]\n"
        f"blocks: {{mix: {{body: [{{residual: {mixed}}}, {{layer_norm: {{}}}}]}}}}\n",
    )
    assert archspec.render(spec).count("nn.LayerNorm(channels)") == 2


def test_an_argument_of_the_network_stays_one_in_a_named_row(tmp_path: Path) -> None:
    spec = write_spec(
        tmp_path,
        "input: [3]\nargs: {classes: 7}\nhead: {heads: {sequence: {head: {linear: classes}}}}\n",
    )
    model = generated_module(spec, classes=3)
    assert model(torch.zeros(1, 3)).shape == (1, 3)
    assert "self.heads = Heads(classes)" in archspec.render(spec)


def test_an_argument_of_the_network_stays_one_through_formulas_of_blocks() -> None:
    blocks = {
        "last": {"args": {"width": 3}, "body": [{"linear": "width"}]},
        "side": {"args": {"out": 3}, "body": [{"last": {"width": "out * 2"}}]},
    }
    head = [{"side": {"out": "classes + 1"}}]
    spec = {"name": "n", "input": [4], "args": {"classes": 7}, "head": head, "blocks": blocks}
    assert type(module_from_source(archspec.render(spec)))(3)(torch.zeros(1, 4)).shape == (1, 8)


# Rows of blocks -----------------------------------------------------------------------

ROWS = """
input: [3, 8, 8]
stem: [{{conv: 8}}]
stages: {{row1: {0}, row2: {1}}}
head: [global_avg_pool, flatten, {{linear: 3}}]
blocks:
  grow:
    name: layer{{index + 1}}
    body: [{{concat: [[], [{{conv: {{channels: 4, kernel: 3}}}}, act]]}}]
  unit:
    name: unit{{stage}}-{{index}}
    body:
      - residual: [{{conv: {{channels: channels, kernel: 3, stride: stride}}}}, act]
        shortcut: {{conv: {{channels: channels, stride: stride}}}}
"""
WIDTHS: list[Any] = [[12, 16], 32]
LOOPS = {
    "sizes that grow": (
        ("{block: grow, repeat: 3}", "{block: grow, repeat: 2}"),
        ["class Row(", "in range(layers):", 'f"layer{k + 1}", Grow(channels + 4 * k))'],
    ),
    "the first alone": (
        ("{block: unit, repeat: 1, channels: 16}", "{block: unit, repeat: 4, channels: 24}"),
        [
            "class Row(",
            "in range(1, layers):",
            'f"unit{number}-{k}", Unit(channels, channels, nn.Identity())',
        ],
    ),
    "some of the first alone": (
        ("{block: unit, repeat: 2, channels: 8}", "{block: unit, repeat: 4, channels: 24}"),
        ["class Row1(", "class Row2("],
    ),
    "one row": (
        ("{block: grow, repeat: 3}", "{block: unit, repeat: 1, channels: 32}"),
        ["class Row1(", "in range(3):", "class Row2("],
    ),
    "no rule": (
        ("{block: unit, repeat: 3, channels: [8, 16, 128]}", "{block: unit, channels: 128}"),
        ['self.add_module("unit1-2"', 'self.add_module("unit2-0"'],
    ),
}


def test_rows_that_are_no_loops_cost_one_more_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(classes_of, "ClassTable", lambda *a: made.append(a) or ClassTable(*a))
    stages = {
        f"{word}s": {"block": word, "repeat": 3, "channels": [8, 24, 64], "shrink": "a test"}
        for word in ("pa", "pb", "pc", "pd")
    }
    blocks = {
        stage[:2]: {"name": "unit{index}", "body": [{"conv": "channels"}]} for stage in stages
    }
    archspec.render({"name": "net", "input": [8, 8, 8], "stages": stages, "blocks": blocks})
    assert len(made) == 2


def test_one_block_behind_a_first_is_no_loop() -> None:
    block = {"name": "unit{index + 1}", "body": [{"conv": "channels"}]}
    rows = {f"row{n}": {"block": "unit", "repeat": 2, "channels": c} for n, c in enumerate(WIDTHS)}
    spec = {"name": "n", "input": [3, 8, 8], "stages": rows, "blocks": {"unit": block}}
    assert 'self.add_module("unit2", Unit(' in archspec.render(spec)
    one, other = (seeded(lambda: read(spec)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())


@pytest.mark.parametrize("rows", LOOPS)
def test_a_row_of_blocks_is_a_loop(rows: str, tmp_path: Path) -> None:
    stages, lines = LOOPS[rows]
    spec = write_spec(tmp_path, ROWS.format(*stages))
    text = archspec.render(spec)
    assert not [line for line in lines if line not in text], text
    live = seeded(lambda: archspec.build_module(spec))
    made = seeded(lambda: generated_module(spec))
    assert_same_tensors(live.state_dict(), made.state_dict())
    shapes = {name: tuple(tensor.shape) for name, tensor in live.state_dict().items()}
    assert shapes == dict(archspec.analyze(spec).state)
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(live.eval()(x), made.eval()(x))


# A block of a row, used with a depth `a` of 1, 3, 0 or 2.
DEPTHS = {
    "in two loops": (
        "[{unit: channels, repeat: a}, norm, {unit: channels, repeat: a + 1}]",
        ["for _ in range(a)]", "for _ in range(a + 1)]"],
    ),
    "behind a first": (
        "[{unit: 2 * channels, repeat: a}, {conv: channels}]",
        ["if a > 0:", "for _ in range(a - 1)"],
    ),
    "in a sequence": (
        "[{sequence: [{unit: channels, repeat: a}, norm], repeat: 2}, norm]",
        ["for _ in range(a)]"],
    ),
    "behind a first in a sequence": (
        "[[{unit: 2 * channels, repeat: a}, act, {conv: channels}], norm]",
        ["*([Unit(channels, 2 * channels)] if a > 0 else [])", "for _ in range(a - 1)"],
    ),
}


@pytest.mark.parametrize("kind", DEPTHS)
def test_a_layer_that_is_repeated_is_a_loop(kind: str) -> None:
    row, lines = DEPTHS[kind]
    blocks = {
        "unit": {"body": [{"conv": {"channels": "channels", "kernel": 3}}, "norm"]},
        "row": {"args": {"a": 1}, "body": [{"sequence": yaml.safe_load(row), "name": "rows"}]},
    }
    uses = [{"row": {"channels": 8, "a": a}} for a in (1, 3, 0, 2)]
    spec = {"name": "n", "input": [3, 8, 8], "stem": [{"conv": 8}, *uses], "blocks": blocks}
    source = archspec.render(spec)
    assert re.findall(r"^class (\w+)", source, re.M) == ["Unit", "Row", "N"]
    assert not [line for line in lines if line not in source], source
    assert_read_alike(spec)


# What a block of a chain adds to its input, and how it is made; `squeeze` rounds a size, and
# `later` does nothing in the first.
CHAINS = {
    "one number": ("[{conv: 4}]", "Widen(channels + 4 * k)"),
    "an argument": ("[{conv: growth}]", "Widen(channels + growth * k, growth)"),
    "unevenly": ("[{squeeze: {}}, {conv: growth}]", ""),
    "the first with a layer less": ("[{later: {}}, {conv: growth}]", ""),
}


def chains(layers: str, *depths: int) -> dict[str, Any]:
    """Chains of blocks, each of which concatenates something to its input."""
    squeeze = "{body: [{conv: 'round_to(in_channels / 4, 8)'}, {conv: in_channels}]}"
    chain = "[{sequence: [{widen: {growth: growth}, repeat: depth}], name: m}, {conv: 16}]"
    widen = {"args": {"growth": 4}, "body": [{"concat": [[], yaml.safe_load(layers)]}]}
    dense = {"args": {"depth": 1, "growth": 8}, "body": yaml.safe_load(chain)}
    later = {"body": [{"conv": "in_channels", "when": "index > 0"}]}
    blocks = {"squeeze": yaml.safe_load(squeeze), "later": later, "widen": widen, "dense": dense}
    uses = [{"dense": {"depth": depth, "growth": 8 + 8 * n}} for n, depth in enumerate(depths)]
    return {"name": "n", "input": [3, 8, 8], "stem": [{"conv": 16}, *uses], "blocks": blocks}


def assert_read_alike(spec: dict[str, Any]) -> None:
    """Both readers make what the analysis says."""
    one, other = (seeded(lambda: read(spec)).eval() for read in READERS.values())  # noqa: B023
    shapes = {name: tuple(x.shape) for name, x in one.state_dict().items()}
    assert shapes == dict(archspec.analyze(spec).state)
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = torch.randn(2, *archspec.load(spec).input)
    assert torch.equal(one(x), other(x))


@pytest.mark.parametrize("depths", [(1, 3, 2), (2, 1), (4, 4), (3, 1, 2, 5)])
@pytest.mark.parametrize("kind", CHAINS)
def test_blocks_that_widen_their_input_are_a_loop_that_counts(
    kind: str, depths: tuple[int, ...]
) -> None:
    layers, made = CHAINS[kind]
    spec = chains(layers, *depths)
    assert_read_alike(spec)
    if made:
        source = archspec.render(spec)
        count = "depth" if len({*depths}) > 1 else depths[0]
        assert f"*[{made} for k in range({count})]" in source
        assert re.findall(r"^class (\w+)", source, re.M) == ["Widen", "Dense", "N"]


def test_a_chain_that_widens_has_any_depth() -> None:
    made = classes(archspec.render(chains("[{conv: growth}]", 2, 1)))["Dense"]
    for depth in range(5):
        assert made(16, depth=depth)(torch.zeros(1, 16, 4, 4)).shape == (1, 16, 4, 4)


def test_two_layers_that_some_uses_lack_have_a_condition_each() -> None:
    some = "[{conv: 8}, {norm: {}, when: index > 0}, act, {norm: {}, when: index > 1}]"
    block = {"body": [{"sequence": yaml.safe_load(some), "name": "row"}]}
    stages = {"layer1": {"block": "b", "repeat": 3, "channels": 8}}
    assert_read_alike({"name": "n", "input": [8, 8, 8], "stages": stages, "blocks": {"b": block}})


# Parameters ---------------------------------------------------------------------------


def classes(text: str) -> dict[str, Any]:
    """The classes of a generated file."""
    return vars(sys.modules[type(module_from_source(text)).__module__])


def parameters(cls: type[nn.Module]) -> str:
    return ", ".join(map(str, list(inspect.signature(cls.__init__).parameters.values())[1:]))


MBCONV = """
  b:
    args: {width: required, kernel: 3}
    body:
      - {conv: width, when: width != in_channels}
      - {conv: {channels: width, kernel: kernel, stride: stride, groups: width}}
      - conv: channels
"""
DEPTHWISE = """
  b:
    args: {width: required}
    body: [{conv: {channels: width, kernel: 3, groups: width}}]
"""
GROUPED = """
  b:
    args: {groups: 1}
    body: [{conv: {channels: channels, kernel: 3, groups: groups}}]
  outer:
    args: {c: required}
    body: [{conv: c}, {b: {channels: c, groups: c // 2}}]
"""
SQUEEZED = """
  b:
    body: [{se: {squeeze: "make_divisible(channels // 4, 8)"}}, act]
"""
GROWING = """
  b:
    args: {growth: required}
    body: [{concat: [[], [{conv: {channels: growth, kernel: 3}}]]}]
"""
HEAVY = """
  b:
    args: {base: 26, width: (channels // 4 * base) // 64 + channels // 8 + 2}
    body: [{conv: width}, {conv: channels}]
"""
VALID = """
  b:
    args: {kernel: 1, valid: false}
    body: [{conv: {channels: channels, kernel: kernel, padding: 0 if valid else kernel // 2}}]
"""
DEEP = """
  unit: {body: [{residual: [{conv: {channels: channels, kernel: 3}}]}]}
  b:
    args: {depth: required}
    body: [{sequence: [{conv: channels}, {unit: channels, repeat: depth - 1}]}]
"""
WIDENING = """
  unit: {body: [{conv: {channels: channels, kernel: 3, stride: stride}}, norm]}
  b:
    args: {depth: 1}
    body: [{sequence: [{unit: {channels: channels, stride: stride}, repeat: depth}]}]
"""
PARAMETERS = [
    (
        DEEP,
        "{conv: 16}, {b: {channels: 16, depth: 1}}, {b: {channels: 16, depth: 4}}",
        ["channels: int, depth: int"],
    ),
    (
        WIDENING,
        "{conv: 16}, {b: {channels: 24, depth: 4}}, {b: {channels: 32, stride: 2}}",
        ["in_channels: int, channels: int, stride: int = 1, depth: int = 1"],
    ),
    # Found equal to the channels: it is them.
    (MBCONV, "{conv: 16}, {b: {channels: 16, width: 16}}", ["channels: int"]),
    (MBCONV, "{conv: 16}, {b: {channels: 24, width: 16}}", ["in_channels: int, channels: int"]),
    # Other uses give it otherwise, in another class too.
    (
        MBCONV,
        "{conv: 16}, {b: {channels: 16, width: 16}}, {b: {channels: 16, width: 72}}",
        ["channels: int", "channels: int, width: int"],
    ),
    # All uses agree, and nothing else has a part in it.
    (MBCONV, "{conv: 16}, {b: {channels: 16, width: 72}}", ["channels: int"]),
    (GROWING, "{conv: 16}, {b: {growth: 8}}, {b: {growth: 8}}", ["channels: int"]),
    (GROWING, "{conv: 16}, {b: {growth: 8}}, {b: {growth: 4}}", ["channels: int, growth: int"]),
    # The same number as the channels, so it may well come from them.
    (DEPTHWISE, "{conv: 16}, {b: {width: 16}}", ["channels: int, width: int"]),
    # The user gives both in terms of one name.
    (GROUPED, "{conv: 8}, {outer: {c: 16}}", ["channels: int, groups: int", "channels: int"]),
    # No formula that can be printed, or one that is too long to read.
    (SQUEEZED, "{conv: 64}, b", ["channels: int, squeeze: int"]),
    (HEAVY, "{conv: 64}, {b: {channels: 64}}", ["channels: int, width: int"]),
    # What a condition chose has torch's default.
    (
        VALID,
        "{conv: 8}, {b: {kernel: 3}}, {b: {kernel: 3, valid: true}}, {b: {kernel: 1}}",
        ["channels: int, kernel: int = 1, padding: int = 0"],
    ),
]


@pytest.mark.parametrize(("blocks", "stem", "expected"), PARAMETERS)
def test_a_number_is_printed_where_no_parameter_feeds_it(
    blocks: str, stem: str, expected: list[str], tmp_path: Path
) -> None:
    found = classes(source(tmp_path, stem, blocks))
    names = [name for name in found if name.startswith("B") or name == "Outer"]
    assert [parameters(found[name]) for name in names] == expected


OTHER_VALUES = [
    (MBCONV, "16}, {b: {channels: 16, width: 16}}", [32], "32}, {b: {channels: 32, width: 32}}"),
    (
        MBCONV,
        "16}, {b: {channels: 24, width: 16}}",
        [32, 48],
        "32}, {b: {channels: 48, width: 32}}",
    ),
    (
        MBCONV,
        "16}, {b: {channels: 24, width: 72}}",
        [32, 48],
        "32}, {b: {channels: 48, width: 72}}",
    ),
    (DEPTHWISE, "16}, {b: {width: 16}}", [32, 32], "32}, {b: {width: 32}}"),
    (
        GROUPED,
        "8}, {b: {channels: 16, groups: 8}}",
        [16, 32, 8],
        "16}, {b: {channels: 32, groups: 8}}",
    ),
    (GROWING, "16}, {b: {growth: 8}}", [64], "64}, {b: {growth: 8}}"),
    (SQUEEZED, "64}, b", [128, 32], "128}, b"),
    (HEAVY, "64}, {b: {channels: 64}}", [128, 31], "128}, {b: {channels: 128}}"),
    (
        DEEP,
        "8}, {b: {channels: 8, depth: 1}}, {b: {channels: 8, depth: 2}}",
        [16, 5],
        "16}, {b: {channels: 16, depth: 5}}",
    ),
    (
        WIDENING,
        "8}, {b: {channels: 16, depth: 2}}, {b: {channels: 16, depth: 3}}",
        [8, 24, 4],
        "8}, {b: {channels: 24, depth: 4}}",
    ),
]


@pytest.mark.parametrize(("blocks", "stem", "values", "other"), OTHER_VALUES)
def test_a_class_is_right_for_other_values(
    blocks: str, stem: str, values: list[int], other: str, tmp_path: Path
) -> None:
    """It builds what the block is in a network with those numbers."""
    cls = classes(source(tmp_path, f"{{conv: {stem}", blocks))["B"]
    network = module_from_source(source(tmp_path, f"{{conv: {other}", blocks))
    assert repr(cls(*values)) == repr(network.b)


# Networks whose sources were wrong once ------------------------------------------------

CASES = sorted((DATA / "printer").glob("*.yaml"))


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    return {path.stem: archspec.render(path) for path in CASES}


def test_ruff_has_nothing_to_say(printed: dict[str, str], tmp_path: Path) -> None:
    for name, text in printed.items():
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    assert_clean(tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_readers_agree(case: Path, printed: dict[str, str]) -> None:
    """In names, shapes, and every draw."""
    interpreted = initial(partial(archspec.build_module, case))
    generated = initial(partial(module_from_source, printed[case.stem]))
    assert list(interpreted.tensors) == list(generated.tensors)
    assert interpreted == generated


def test_sums_are_short(printed: dict[str, str]) -> None:
    assert "DenseLayer(channels + 736)" in printed["densenet121_keys"]
    assert not re.search(r"\+ \w+ \+", printed["densenet121_keys"])


def test_what_a_condition_chose_is_given_by_name(printed: dict[str, str]) -> None:
    text = printed["inception_v3"]
    assert "BasicConv2d(width, width, 1, kernel=7, padding=3)" in text
    assert "BasicConv2d(channels, 192, 1)" in text


def test_nothing_is_only_in_another_order(printed: dict[str, str]) -> None:
    assert not [name for name, text in printed.items() if "in a different order" in text]


def test_a_depthwise_convolution_stays_one(printed: dict[str, str]) -> None:
    found = classes(printed["mv3_trick"])
    for cls in (found[name] for name in found if name.startswith("InvertedResidual")):
        names = inspect.signature(cls).parameters
        wide = cls(*(nn.ReLU if name == "activation" else 64 for name in names))
        grouped = [m for m in wide.modules() if isinstance(m, nn.Conv2d) and m.groups > 1]
        assert [m.groups for m in grouped] == [m.in_channels for m in grouped] == [64]


def test_uses_with_channels_and_without_are_one_class() -> None:
    """Where a use keeps its channels, what arrives has as many as what leaves."""
    blocks = {
        "cell": {"body": [{"conv": {"channels": "channels", "kernel": 3}}, "norm"]},
        "outer": {"body": [{"conv": "channels"}, {"cell": {}}]},
    }
    stem = [{"cell": {"channels": 4}}, {"outer": {"channels": 8}}, {"outer": {"channels": 16}}]
    source = archspec.render({"name": "n", "input": [3, 8, 8], "blocks": blocks, "stem": stem})
    assert source.count("def __init__(self, in_channels: int, channels: int) -> None:") == 2
    assert "self.cell = Cell(channels, channels)" in source
    assert "self.cell = Cell(3, 4)" in source


# Layers without weights that are equal in some uses -------------------------------------

DROPPING = """
input: [3, 8, 8]
stem: [{conv: 8}]
blocks:
  twice:
    args: {rate: 0.2}
    parts: {last: {residual: [{conv: channels}], drop_path: 0}}
    body:
      - {residual: [{conv: channels}], drop_path: ONE}
      - OTHER
stages:
  a: {block: twice, repeat: 2, channels: 8}
  b: {block: twice, channels: 8, rate: 0, last: {residual: [{conv: channels}], drop_path: 0.2}}
  c: {block: twice, channels: 8, last: {residual: [{conv: channels}], drop_path: 0.1}}
"""
LAST = "{residual: [{conv: channels}], drop_path: OTHER}"
EQUAL_SOMETIMES = [
    ("0", LAST.replace("OTHER", "0.2 * block_index / block_count"), 1),
    ("0.1 * index", LAST.replace("OTHER", "0.2 - rate"), 1),
    ("0", LAST.replace("OTHER", "0.2 if block_index else 0"), 2),
    ("rate", LAST.replace("OTHER", "0.2"), 1),
    ("0.2", "last", 2),
]


@pytest.mark.parametrize(("first", "last", "classes"), EQUAL_SOMETIMES)
def test_layers_without_weights_are_shared_as_the_tree_says(
    first: str, last: str, classes: int, tmp_path: Path
) -> None:
    """In each use, the paths of `show` and the rates are those of what both readers build."""
    path = write_spec(tmp_path, DROPPING.replace("ONE", first).replace("OTHER", last))
    assert len(re.findall(r"^class \w*Twice", archspec.render(path), re.M)) == classes
    rows = archspec.analyze(path).rows
    ops = {v.path: v.site.op for v in visits(expand_network(archspec.load(path)))}
    rates = {p: float(op.p) for p, op in ops.items() if isinstance(op, StochasticDepth)}
    assert len({*rates.values()}) > 1
    for read in READERS.values():
        model = read(path)
        assert Measured(model, (3, 8, 8)).calls == Counter((row.path, row.output) for row in rows)
        assert {p: m.p for p, m in model.named_modules() if hasattr(m, "p")} == rates


@pytest.mark.parametrize("rate", ["0.2", "0.1 * block_index", "rate", "rate / 2"])
@pytest.mark.parametrize("more", ["", "{dropout: rate}, "])
def test_nothing_is_dropped_where_nothing_is_added(rate: str, more: str, tmp_path: Path) -> None:
    blocks = f"""
  unit:
    args: {{rate: 0.3}}
    body: [{more}{{residual: [{{conv: channels}}], shortcut: none, drop_path: {rate}}}]
"""
    path = write_spec(
        tmp_path,
        f"""
input: [8, 8, 8]
stages:
  a: {{block: unit, repeat: 3, channels: 8}}
  b: {{block: unit, repeat: 2, channels: 16}}
blocks: {blocks}""",
    )
    assert re.findall(r"^class (\w*Unit)", archspec.render(path), re.M) == ["Unit"]
    for read in READERS.values():
        model = read(path)
        assert model.get_submodule("b.0.drop_path").p == 0
        assert model.get_submodule("b.1.drop_path").p > 0
