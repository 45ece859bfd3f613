"""Named tensors, several outputs, products and parts: both readers against modules by hand."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.lint.check import check_text
from support import write_spec
from support.draws import blank, filled, initial, lent
from support.modules import (
    READERS,
    TRANSFORMATIONS,
    assert_same_tensors,
    evaluate,
    generated_module,
    images,
    same_bits,
    seeded,
    tensors,
)

LONG_SKIPS = """
input: [3, 16, 12]
args: {classes: 5}
stem:
  inc: {pair: 8}
stages:
  down1: {down: 16}
  down2: {down: 24}
head:
  up1: {up: {channels: 16, skip: down1}}
  up2: {up: {channels: 8, skip: inc}}
  outc: {conv: {channels: classes, bias: true}}
blocks:
  pair:
    body: [{conv_norm_act: {channels: channels, kernel: 3}}, {conv_norm_act: channels, name: last}]
  down:
    body: [{max_pool: {kernel: 3, stride: 1}}, {pair: channels}]
  up:
    inputs: [skip]
    body:
      - {conv: in_channels // 2, name: up}
      - concat: [{from: skip}, []]
      - {pair: channels, name: conv}
"""


def conv(arriving: int, leaving: int, kernel: int = 1, **more: Any) -> nn.Conv2d:
    more = {"bias": False, "padding": kernel // 2, **more}
    return nn.Conv2d(arriving, leaving, kernel, **more)


class ConvNormAct(nn.Module):
    def __init__(self, arriving: int, leaving: int, kernel: int) -> None:
        super().__init__()
        self.conv, self.norm = conv(arriving, leaving, kernel), nn.BatchNorm2d(leaving)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).relu()  # type: ignore[no-any-return]


class Pair(nn.Module):
    def __init__(self, arriving: int, leaving: int) -> None:
        super().__init__()
        self.first = ConvNormAct(arriving, leaving, 3)
        self.last = ConvNormAct(leaving, leaving, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x))  # type: ignore[no-any-return]


class Up(nn.Module):
    def __init__(self, arriving: int, skip: int, leaving: int) -> None:
        super().__init__()
        self.up = conv(arriving, arriving // 2)
        self.conv = Pair(skip + arriving // 2, leaving)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([skip, self.up(x)], 1))  # type: ignore[no-any-return]


class LongSkips(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inc, self.down1, self.down2 = Pair(3, 8), Pair(8, 16), Pair(16, 24)
        self.up1, self.up2 = Up(24, 16, 16), Up(16, 8, 8)
        self.outc = conv(8, 5, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        pool = nn.MaxPool2d(3, 1, 1)
        a = self.inc(x)
        b = self.down1(pool(a))
        c = self.down2(pool(b))
        return self.outc(self.up2(self.up1(c, b), a))  # type: ignore[no-any-return]


TWO_HEADS = """
input: [3, 16, 12]
args: {classes: 10}
stem: {conv1: {conv_norm_act: {channels: 8, kernel: 3}, name: conv1}}
stages:
  middle: {conv_norm_act: {channels: 12, kernel: 3, stride: 2}}
head:
  aux: {side: {classes: classes}, from: conv1}
  avgpool: {global_avg_pool: {}, from: middle}
  flatten: flatten
  drop: {dropout: 0.2}
  fc: {linear: classes}
outputs: {eval: [fc], training: [fc, aux]}
blocks:
  side:
    args: {classes: required}
    body: [global_avg_pool, flatten, {dropout: 0.5}, {linear: classes}]
"""


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(3, 8, 3)
        self.middle = ConvNormAct(8, 12, 3)
        self.middle.conv = conv(8, 12, 3, stride=2)
        self.aux, self.fc = nn.Linear(8, 10), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Any:
        first = self.conv1(x)
        last = self.middle(first)
        aux: Any = None
        if self.training:
            aux = self.aux(nn.functional.dropout(first.mean((2, 3), keepdim=True).flatten(1), 0.5))
        y = last.mean((2, 3), keepdim=True).flatten(1)
        y = self.fc(nn.functional.dropout(y, 0.2, self.training))
        return (y, aux) if self.training else y


GATED = """
input: [8, 15, 9]
stem:
  - {conv: {channels: 8, kernel: 3}, name: first, save: saved}
  - multiply: [[{conv: 8, name: value1}, tanh], [{conv: 8, name: gate1}, sigmoid]]
  - multiply: {value2: {conv: 8}, gate2: [{conv: 1}, sigmoid]}
  - add: [[], {from: saved}]
  - add: [[], [global_avg_pool, {conv: 8, name: pooled}]]
  - split: {a: {conv: 4}, b: []}
    sizes: [6, 2]
  - {slice: {start: 2, channels: 3}}
  - concat: [[], {from: saved}]
"""


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = conv(8, 8, 3)
        self.value1, self.gate1 = conv(8, 8), conv(8, 8)
        self.value2, self.gate2 = conv(8, 8), nn.Sequential(conv(8, 1), nn.Sigmoid())
        self.pooled = conv(8, 8)
        self.a = conv(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        saved = self.first(x)
        x = self.value1(saved).tanh() * self.gate1(saved).sigmoid()
        x = self.value2(x) * self.gate2(x)
        x = x + saved
        x = x + self.pooled(nn.functional.adaptive_avg_pool2d(x, 1))
        y, z = x.split([6, 2], 1)
        x = torch.cat([self.a(y), z], 1)
        return torch.cat([x[:, 2:5], saved], 1)


SCALES = """
input: [3, 16, 12]
stem: {conv1: {conv: 16}}
stages:
  layer1: {block: scales, repeat: 2, channels: 32}
  layer2: {block: scales, repeat: 3, channels: 64, stride: 2}
blocks:
  scales:
    args: {width: channels // 4}
    body:
      - residual:
          - {conv: 4 * width, name: conv_in}
          - split:
              - [{step: {stride: stride}, save: first}]
              - - {add: [[], {from: first}], when: index > 0}
                - {step: {stride: stride}, save: second}
              - [{add: [[], {from: second}], when: index > 0}, {step: {stride: stride}}]
              - {avg_pool: {kernel: 3, stride: stride}, when: index == 0, else: []}
            sizes: [width - 1, width - 1, width - 1, width + 3]
          - {conv: channels, name: conv_out}
        shortcut: conv_norm
      - act
  step:
    inline: true
    body: [{conv: {channels: channels, kernel: 3, stride: stride}}, act]
"""


class Scales(nn.Module):
    def __init__(self, arriving: int, leaving: int, stride: int, first: bool) -> None:
        super().__init__()
        width = leaving // 4
        self.sizes, self.first, self.stride = (
            [width - 1, width - 1, width - 1, width + 3],
            first,
            stride,
        )
        self.conv_in = conv(arriving, leaving)
        self.conv1 = conv(width - 1, width - 1, 3, stride=stride)
        self.conv2 = conv(width - 1, width - 1, 3, stride=stride)
        self.conv3 = conv(width - 1, width - 1, 3, stride=stride)
        self.conv_out = conv(leaving, leaving)
        self.downsample: nn.Module = nn.Identity()
        if first:
            self.downsample = nn.Sequential(
                conv(arriving, leaving, stride=stride), nn.BatchNorm2d(leaving)
            )

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d = self.conv_in(x).split(self.sizes, 1)
        a = self.conv1(a).relu()
        b = self.conv2(b if self.first else b + a).relu()
        c = self.conv3(c if self.first else c + b).relu()
        d = nn.functional.avg_pool2d(d, 3, self.stride, 1) if self.first else d
        return (self.conv_out(torch.cat([a, b, c, d], 1)) + self.downsample(x)).relu()


def scales() -> nn.Module:
    first = [Scales(16, 32, 1, True), Scales(32, 32, 1, False)]
    second = [Scales(32, 64, 2, True), Scales(64, 64, 1, False), Scales(64, 64, 1, False)]
    return nn.Sequential(conv(3, 16), *first, *second)


PYRAMID = """
input: [3, 16, 12]
stem: {conv1: {conv_norm_act: {channels: 8, kernel: 3, stride: 2}}}
stages:
  layer1: {block: basic, channels: 8}
  layer2: {block: basic, channels: 16}
head:
  fpn: {fpn: {fine: layer1}, save: [p1, p2]}
  sum: {add: [{from: p1}, {from: p2}]}
  last: {conv: 4}
outputs: [p1, last, p2]
blocks:
  fpn:
    inputs: [fine]
    outputs: [p1, p2]
    body:
      - {conv: 8, name: inner1, from: fine, save: m1}
      - {conv: 8, name: inner2, from: input, save: m2}
      - {add: [{from: m1}, {from: m2}], save: t1}
      - {conv: {channels: 8, kernel: 3}, name: outer1, save: p1}
      - {conv: {channels: 8, kernel: 3}, name: outer2, from: m2, save: p2}
"""


class Pyramid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        spec = {"name": "trunk", "input": [3, 16, 12]}
        stem = {"conv1": {"conv_norm_act": {"channels": 8, "kernel": 3, "stride": 2}}}
        stages = {f"layer{n + 1}": {"block": "basic", "channels": 8 * (n + 1)} for n in range(2)}
        self.trunk = archspec.build_module({**spec, "stem": stem, "stages": stages})
        self.inner1, self.inner2 = conv(8, 8), conv(16, 8)
        self.outer1, self.outer2 = conv(8, 8, 3), conv(8, 8, 3)
        self.last = conv(8, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.trunk.layer1(self.trunk.conv1(x))
        coarse = self.trunk.layer2(fine)
        m1, m2 = self.inner1(fine), self.inner2(coarse)
        p1, p2 = self.outer1(m1 + m2), self.outer2(m2)
        return p1, self.last(p1 + p2), p2


INLINE = """
input: [4, 6, 5]
stem:
  - {conv: 4, save: saved}
  - twice
  - twice
  - add: [[], {from: saved}]
blocks:
  twice:
    inline: true
    body:
      - {conv: 4, save: saved}
      - once
      - multiply: [[], {from: saved}]
      - add: [[], {from: input}]
  once:
    inline: true
    body: [{save: saved}, act, {add: [[], {from: saved}]}]
"""


class Inline(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = conv(4, 4), conv(4, 4), conv(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = outer = self.conv1(x)
        for layer in (self.conv2, self.conv3):
            y = saved = layer(x)
            x = (y.relu() + y) * saved + x
        return x + outer


CASES: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "long skips": (LONG_SKIPS, LongSkips),
    "two heads": (TWO_HEADS, TwoHeads),
    "gated": (GATED, Gated),
    "scales": (SCALES, scales),
    "pyramid": (PYRAMID, Pyramid),
    "inline": (INLINE, Inline),
}


def run(module: nn.Module, x: Tensor, training: bool) -> dict[str, Tensor]:
    """Outputs, gradients and buffers of one step."""
    module.train(training)
    torch.manual_seed(3)
    outputs = tensors(module(x))
    torch.stack([output.square().mean() for output in outputs.values()]).sum().backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    more = [*gradients, *module.buffers()]
    return {**outputs, **{f"{place} more": tensor for place, tensor in enumerate(more)}}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("training", [False, True], ids=["eval", "training"])
def test_both_readers_compute_what_is_written_by_hand(
    case: str, training: bool, tmp_path: Path
) -> None:
    text, by_hand = CASES[case]
    path = write_spec(tmp_path, text)
    interpreted = seeded(lambda: archspec.build_module(path))
    generated = seeded(lambda: generated_module(path))
    assert_same_tensors(interpreted.state_dict(), generated.state_dict())
    peer = by_hand()
    values = zip(peer.state_dict(), interpreted.state_dict().values(), strict=True)
    peer.load_state_dict({name: value.clone() for name, value in values})

    x = images(3, *archspec.load(path).input)
    expected = run(peer, x, training)
    for module in (interpreted, generated):
        assert_same_tensors(run(module, x, training), expected)


@pytest.mark.parametrize("case", ["two heads", "scales", "pyramid"])
@pytest.mark.parametrize("how", TRANSFORMATIONS)
def test_the_source_takes_torchs_compilers(case: str, how: str, tmp_path: Path) -> None:
    path = write_spec(tmp_path, CASES[case][0])
    module, x = generated_module(path).eval(), images(2, *archspec.load(path).input)
    taken = TRANSFORMATIONS[how](module, x)
    with torch.no_grad():
        assert_same_tensors(tensors(taken(x)), tensors(module(x)))


def test_tensors_become_variables_of_their_names(tmp_path: Path) -> None:
    source = archspec.render(write_spec(tmp_path, LONG_SKIPS))
    assert source.rpartition("def forward")[2] == (
        "(self, x: Tensor) -> Tensor:\n"
        "        inc = self.inc(x)\n"
        "        down1 = self.down1(inc)\n"
        "        x = self.down2(down1)\n"
        "        x = self.up1(x, down1)\n"
        "        x = self.up2(x, inc)\n"
        "        return self.outc(x)\n"
    )
    assert "        return self.conv(torch.cat([skip, self.up(x)], 1))\n" in source
    assert "    conv([skip, up(x)])\n" in source


def test_modes_part_behind_what_they_have_in_common(tmp_path: Path) -> None:
    source = archspec.render(write_spec(tmp_path, TWO_HEADS))
    assert source.rpartition("def forward")[2] == (
        "(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:\n"
        "        conv1 = self.conv1(x)\n"
        "        middle = self.middle(conv1)\n"
        "        if self.training:\n"
        "            aux = self.aux(conv1)\n"
        "            fc = self.fc(self.drop(self.flatten(self.avgpool(middle))))\n"
        "            return fc, aux\n"
        "        return self.fc(self.drop(self.flatten(self.avgpool(middle))))\n"
    )


def test_outputs_that_are_asked_for_replace_those_of_the_spec(tmp_path: Path) -> None:
    path = write_spec(tmp_path, TWO_HEADS)
    module = archspec.build_module(path, outputs=["conv1", "aux"])
    assert "fc.weight" not in module.state_dict()
    given = module.train()(images(2, 3, 16, 12))
    assert [tuple(output.shape) for output in given] == [(2, 8, 16, 12), (2, 10)]


def test_what_a_network_comes_to_is_that_of_evaluation(tmp_path: Path) -> None:
    analysis = archspec.analyze(write_spec(tmp_path, TWO_HEADS))
    assert (analysis.output, analysis.depth) == ((10,), 3)
    conv_macs = 16 * 12 * 8 * 27 + 8 * 6 * 12 * 72
    assert analysis.macs == conv_macs + 120 == sum(row.macs for row in analysis.rows)
    parameters = archspec.build_module(tmp_path / "net.yaml").parameters()
    assert analysis.params == sum(p.numel() for p in parameters)
    assert analysis.params == sum(row.params for row in analysis.rows)


def test_an_inline_block_gives_tensors_to_the_class_around(tmp_path: Path) -> None:
    blocks = """
blocks:
  halves:
    inputs: [other]
    outputs: [left, right]
    body: [{conv: 3, save: left}, {conv: 2, from: other, save: right}]
"""
    stem = """input: [4, 6, 5]
stem:
  - {conv: 4, save: a}
  - act
  - {halves: {other: a}, save: [p, q]}
  - concat: [{from: q}, [], {from: p}]
"""
    whole = write_spec(tmp_path, stem + blocks)
    inline = write_spec(tmp_path, stem + blocks + "    inline: true\n", "inline")
    x = images(2, 4, 6, 5)
    one, other = (seeded(lambda: archspec.build_module(path)) for path in (whole, inline))  # noqa: B023
    assert_same_tensors(tensors(one(x)), tensors(other(x)))
    assert list(other.state_dict()) == ["conv1.weight", "conv2.weight", "conv3.weight"]


def findings(folder: Path, text: str) -> list[tuple[str, int]]:
    """The rules that a spec breaks, with their lines."""
    path = write_spec(folder, "input: [3, 16, 16]\n" + text)
    checked = check_text(path.read_text("utf-8"), str(path))
    return [(found.rule, found.span.line if found.span else 0) for found in checked.findings]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{conv: 3, save: a.b}", "`a.b` is not valid as the name of a tensor (for example, `a_b`"),
        (
            "{conv: 3, name: convs.0}\n  - add: [[], {from: convs.0}]",
            "`convs.0` is the name of a layer, not of a tensor (name the output of the layer",
        ),
        (
            "{conv: 3, name: u}\nhead:\n  f: [act, norm]\n  g: {conv: 3, from: f.0}",
            "`f.0` is inside `f`, and only the output of the whole entry",
        ),
    ],
)
def test_a_name_with_dots_is_no_tensor(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(archspec.SpecError) as error:
        archspec.load(write_spec(tmp_path, f"input: [3, 16, 16]\nstem:\n  - {text}\n"))
    (one,) = error.value.diagnostics
    assert f"{one.message} ({one.hint}".startswith(said)


REFUSED = {
    "a name that is misspelt": (
        "stem:\n  - {conv: 8, save: skip}\n  - {add: [{from: skpi}, {from: skip}]}",
        ("unknown-tensor", 5),
    ),
    "a name that is saved twice": (
        "stem:\n  - {conv: 8, save: skip}\n  - {act: {}, save: skip}\n  - {conv: 8, from: skip}",
        ("tensor-twice", 5),
    ),
    "the name of an entry": (
        "stem:\n  a: {conv: 8}\n  b: {conv: 8, save: a}\n  c: {add: [{from: a}, {from: b}]}",
        ("tensor-twice", 5),
    ),
    "a name that is read too early": (
        "stem:\n  - {conv: 3, save: b}\n  - {add: [{from: a}, {from: b}]}\n  - {conv: 8, save: a}",
        ("unknown-tensor", 5),
    ),
    "a name in a sequence": (
        "stem:\n  - sequence:\n      - {conv: 8, save: a}\n  - add: [[], {from: a}]",
        ("bad-layer", 5),
    ),
    "a name in a list under a name": (
        "stem:\n  conv1:\n    - {conv: 8, save: a}\n    - act",
        ("bad-layer", 5),
    ),
    "a name in a shortcut": (
        "stem:\n  - residual: [{conv: 8}]\n    shortcut:\n      - {conv: 8, from: input}",
        ("bad-layer", 6),
    ),
    "a name in a part": (
        "stages:\n  l:\n    block: basic\n    channels: 8\n    attention: {se: {}, save: a}",
        ("bad-layer", 7),
    ),
    "a name in the act": (
        "defaults:\n  act: {relu: {}, save: a}\nstem: [{conv: 8}, act]",
        ("bad-layer", 4),
    ),
    "a layer that is not there in each use": (
        "stages:\n  l: {block: b, repeat: 2, channels: 8}\nblocks:\n  b:\n    body:\n"
        "      - {conv: channels, save: a, when: index == 0}\n      - add: [[], {from: a}]",
        ("unknown-tensor", 9),
    ),
    "several names for one tensor": ("stem:\n  - {conv: 8, save: [a, b]}", ("bad-layer", 4)),
    "an input that is not given": (
        "stem:\n  - join: 8\nblocks:\n  join: {inputs: [a], body: [{concat: [[], {from: a}]}]}",
        ("missing-key", 4),
    ),
    "an output that nothing saves": (
        "stem: [{b: 8}]\nblocks:\n  b: {outputs: [a, c], body: [{conv: 8, save: a}]}",
        ("unknown-tensor", 5),
    ),
    "a stage of a block with outputs": (
        "stages:\n  l: {block: b}\nblocks:\n  b: {outputs: [a], body: [{conv: 8, save: a}]}",
        ("bad-layer", 4),
    ),
    "an output of the network that there is not": (
        "stem: {a: {conv: 8}}\noutputs: [b]",
        ("unknown-output", 4),
    ),
    "sizes that are too few": (
        "stem: [{conv: 8}, {split: [[], []], sizes: [8]}]",
        ("wrong-length", 3),
    ),
    "sizes that leave channels over": (
        "stem: [{conv: 8}, {split: [[], []], sizes: [3, 4]}]",
        ("split-shape-mismatch", 3),
    ),
    "a part without a branch": (
        "stem: [{conv: 8}, {split: [[], {conv: 4, when: false}]}]",
        ("bad-layer", 3),
    ),
    "channels that are not there": (
        "stem: [{conv: 8}, {slice: {start: 4, channels: 8}}]",
        ("split-shape-mismatch", 3),
    ),
    "a dimension that is not there": (
        "stem: [{conv: 8}, {concat: [[], []], along: depth}]",
        ("shape-mismatch", 3),
    ),
    "a tensor of another size": (
        "stem:\n  - {conv: 8, save: a}\n  - max_pool: 2\n  - add: [[], {from: a}]",
        ("add-shape-mismatch", 6),
    ),
    "a tensor that nothing reads": ("stem:\n  - {conv: 8, save: a}", ("unused-tensor", 4)),
    "a layer that nothing uses": (
        "stem:\n  - {conv: 8, save: a}\n  - conv: 4\n  - {act: {}, from: a}",
        ("dead-layer", 5),
    ),
    "an input that nothing reads": (
        "stem:\n  - {conv: 8, save: a}\n  - {b: {channels: 8, c: a}}\nblocks:\n"
        "  b: {inputs: [c], body: [{conv: channels}]}",
        ("unused-argument", 7),
    ),
    "a recipe for several outputs": (
        "stem: [global_avg_pool, flatten]\nhead: {a: {linear: 10}, b: {linear: 10}}\n"
        "outputs: [a, b]\ntrain: {data: cifar10, epochs: 1, batch_size: 8, lr: 0.1}",
        ("head-mismatch", 6),
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_wrong_has_one_finding_at_its_line(kind: str, tmp_path: Path) -> None:
    text, found = REFUSED[kind]
    assert [one for one in findings(tmp_path, text + "\n") if one[0] != "input-mismatch"] == [found]


@pytest.mark.parametrize("name", ["self", "__class__", "for", "match", "forward", "torch", "input"])
def test_names_that_no_variable_can_have(name: str, tmp_path: Path) -> None:
    text = f"stem:\n  - {{conv: 8, save: {name}}}\n"
    assert ("bad-name", 4) in findings(tmp_path, text)


def test_a_tensor_may_be_called_x_and_an_input_may_not(tmp_path: Path) -> None:
    text = "input: [3, 8, 8]\nstem: [{conv: 4, save: x}, {conv: 4}, {add: [[], {from: x}]}]\n"
    path, x = write_spec(tmp_path, text), images(2, 3, 8, 8)
    one, other = (seeded(lambda: read(path)) for read in (archspec.build_module, generated_module))  # noqa: B023
    assert_same_tensors(tensors(one(x)), tensors(other(x)))
    block = "stem: [{b: {x: input}}]\nblocks: {b: {inputs: [x], body: [{conv: 4, from: x}]}}\n"
    assert ("bad-name", 4) in findings(tmp_path, block)


@pytest.mark.parametrize("name", ["keys", "len", "y", "print", "tuple", "z2", "t"])
def test_names_that_mean_something_elsewhere(name: str, tmp_path: Path) -> None:
    text = f"""input: [3, 8, 8]
stem:
  - {{conv: 4, save: {name}}}
  - residual: [{{conv: 4}}, act, {{conv: 4}}]
  - {{join: {{{name}: {name}}}}}
blocks: {{join: {{inputs: [{name}], body: [{{conv: 4}}, {{add: [[], {{from: {name}}}]}}]}}}}
"""
    path, x = write_spec(tmp_path, text), images(2, 3, 8, 8)
    one, other = (seeded(lambda: read(path)) for read in (archspec.build_module, generated_module))  # noqa: B023
    assert_same_tensors(tensors(one(x)), tensors(other(x)))


def test_layers_that_lead_to_no_output_are_not_built(tmp_path: Path) -> None:
    path = write_spec(
        tmp_path,
        "input: [3, 8, 8]\nstem: {a: {conv: 4}, b: {conv: 5}, c: {conv: 6, from: a}}\n"
        "outputs: [c]\n",
    )
    assert list(archspec.build_module(path).state_dict()) == ["a.weight", "c.weight"]
    assert list(generated_module(path).state_dict()) == ["a.weight", "c.weight"]


def test_a_layer_behind_which_the_input_is_read_is_not_built(tmp_path: Path) -> None:
    """Though the only name that is read is `input`, which names no entry."""
    stem = "[{conv: 8, name: unused}, {conv: 3, name: used, from: input}]"
    path = write_spec(tmp_path, f"input: [3, 8, 8]\nstem: {stem}\n")
    assert list(archspec.build_module(path).state_dict()) == ["used.weight"]
    found = archspec.analyze(path)
    assert (found.params, found.depth) == (9, 1)


def test_blocks_with_inputs_can_be_pickled(tmp_path: Path) -> None:
    module = archspec.build_module(write_spec(tmp_path, LONG_SKIPS)).eval()
    x = images(1, 3, 8, 8)
    assert_same_tensors(tensors(pickle.loads(pickle.dumps(module))(x)), tensors(module(x)))


class UNet(nn.Module):
    """As github.com/milesial/Pytorch-UNet has it, with the names of its keys."""

    def __init__(self) -> None:
        super().__init__()
        widths = (64, 128, 256, 512, 1024)
        self.inc = double(3, 64)
        for number, (arriving, leaving) in enumerate(pairwise(widths), 1):
            down = nn.Module()
            down.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), double(arriving, leaving))
            self.add_module(f"down{number}", down)
        for number, (leaving, arriving) in enumerate([*pairwise(widths)][::-1], 1):
            up = nn.Module()
            up.up = nn.ConvTranspose2d(arriving, arriving // 2, 2, stride=2)
            up.conv = double(arriving, leaving)
            self.add_module(f"up{number}", up)
        self.outc = nn.Module()
        self.outc.conv = nn.Conv2d(64, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.inc.double_conv(x)]
        for number in range(1, 5):
            pool, down = self.get_submodule(f"down{number}.maxpool_conv")
            maps.append(down.double_conv(pool(maps[-1])))
        x = maps.pop()
        for number in range(1, 5):
            up = self.get_submodule(f"up{number}")
            x = up.conv.double_conv(torch.cat([maps.pop(), up.up(x)], 1))
        return self.outc.conv(x)  # type: ignore[no-any-return]


def double(arriving: int, leaving: int) -> nn.Module:
    module = nn.Module()
    first = [conv(arriving, leaving, 3), nn.BatchNorm2d(leaving), nn.ReLU()]
    second = [conv(leaving, leaving, 3), nn.BatchNorm2d(leaving), nn.ReLU()]
    module.double_conv = nn.Sequential(*first, *second)
    return module


def test_unet_is_the_one_that_people_use() -> None:
    """Keys, the draws of the first weights, and what it computes of two sizes."""
    peer = filled(blank(UNet))
    for reader in READERS.values():
        read = partial(reader, "unet")
        assert initial(read) == initial(UNet)
        module = lent(blank(read), peer)
        for sizes in ((32, 32), (16, 48)):
            x = images(1, 3, *sizes)
            assert same_bits(evaluate(module, x), evaluate(peer, x))


def test_the_forward_of_unet_reads_as_if_written_by_hand() -> None:
    source = archspec.render("unet")
    assert source.rpartition("def forward")[2] == (
        "(self, x: Tensor) -> Tensor:\n"
        "        inc = self.inc(x)\n"
        "        down1 = self.down1(inc)\n"
        "        down2 = self.down2(down1)\n"
        "        down3 = self.down3(down2)\n"
        "        x = self.down4(down3)\n"
        "        x = self.up1(x, down3)\n"
        "        x = self.up2(x, down2)\n"
        "        x = self.up3(x, down1)\n"
        "        x = self.up4(x, inc)\n"
        "        return self.outc(x)\n"
    )
    assert "        self.conv = DoubleConv(channels + in_channels // 2, channels)\n" in source
    assert "        self.up1 = Up(1024, 512)\n" in source
