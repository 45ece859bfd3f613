"""`share`: both readers, torch's compilers, counts, what is shared, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.classes import classes
from archspec.codegen import generate
from archspec.lint.check import check_text
from support import write_spec
from support.draws import randomise
from support.modules import (
    READERS,
    TRANSFORMATIONS,
    assert_same_tensors,
    generated_module,
    images,
    seeded,
    tensors,
    train,
)

SIAMESE = """
input: [6, 17, 22]
args: {classes: 4}
stem:
  left: {slice: 3}
  encode: {encoder: {channels: 8}}
  right: {slice: {start: 3, channels: 3}, from: input}
  other: {share: encode}
  joined: {concat: [{from: encode}, {from: other}]}
stages:
  layer1: {block: basic, channels: 16, stride: 2, attention: {cbam: {ratio: 1 / 8}}}
  small: {max_pool: 2}
  again: {block: basic, repeat: 2, channels: 16}
  smaller: {max_pool: 2, save: last}
  twice: {share: again}
head: [global_avg_pool, flatten, {linear: 16, name: mix}, act, {share: mix}, {linear: classes}]
blocks:
  encoder:
    body:
      - conv_norm_act: {channels: channels, kernel: 3}
      - {part: {}, name: gate}
      - {conv: {channels: channels, kernel: 3}, name: refine}
      - {residual: [act, {share: refine, repeat: 2}], drop_path: 0.1}
      - {share: gate, when: channels > 4}
    parts: {part: [{sequence: [{conv: channels}, norm]}, act]}
"""


class Pair(nn.Module):
    """A layer that is applied to two images, and to its own result."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3))
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.shared(x[:, :3]), self.shared(x[:, 3:])
        x = torch.relu(one) * self.shared(two)
        return self.fc(x.mean((2, 3)))


PAIR = """
input: [6, 9, 12]
stem:
  left: {slice: 3}
  shared: {sequence: [{conv: {channels: 3, kernel: 3}}, norm]}
  one: {relu: {}}
  right: {slice: {start: 3, channels: 3}, from: input}
  two: {multiply: [{from: one}, [{share: shared}, {share: shared}]]}
head: {pool: global_avg_pool, flatten: flatten, fc: {linear: 2}}
"""


@pytest.mark.parametrize("reader", READERS)
def test_the_same_as_by_hand(reader: str, tmp_path: Path) -> None:
    """Keys, gradients, and statistics that each application updates."""
    peer, ours = Pair().double(), READERS[reader](write_spec(tmp_path, PAIR)).double()
    randomise(peer)
    assert list(ours.state_dict()) == list(peer.state_dict())
    ours.load_state_dict(peer.state_dict())
    x, y = images(4, 6, 11, 8).double(), torch.tensor([0, 1, 1, 0])
    (loss,), gradients = train(ours, x, y, steps=1, lr=0.1)
    (expected,), others = train(peer, x, y, steps=1, lr=0.1)
    assert loss == pytest.approx(expected, rel=1e-12)
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, others[name], rtol=1e-9, atol=1e-12)
    for name, value in peer.state_dict().items():
        assert torch.allclose(ours.state_dict()[name], value, rtol=1e-9, atol=1e-12)


def test_both_readers_and_torchs_compilers(tmp_path: Path) -> None:
    path = write_spec(tmp_path, SIAMESE)
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = images(2, 6, 23, 18)
    for training in (True, False):
        torch.manual_seed(3)
        found = tensors(one.train(training)(x))
        torch.manual_seed(3)
        assert_same_tensors(tensors(other.train(training)(x)), found)
    for take in TRANSFORMATIONS.values():
        with torch.no_grad():
            assert_same_tensors(tensors(take(other.eval(), x)(x)), tensors(other(x)))
    torch.compiler.reset()


def test_the_source_calls_the_same_attribute(tmp_path: Path) -> None:
    source = archspec.render(write_spec(tmp_path, SIAMESE))
    assert source.count("self.encode = Encoder(") == 1
    assert source.count("self.encode(") == source.count("self.again(") == 2
    assert source.count("self.refine(") == 3
    assert re.search(r"return x \* self\.\w+\(", source)


def test_parameters_count_once_and_multiply_adds_each_time(tmp_path: Path) -> None:
    stem = "[{conv: 3, name: a}, {max_pool: 2}, {share: a, repeat: 2}]"
    found = archspec.analyze(write_spec(tmp_path, f"input: [3, 8, 8]\nstem: {stem}\n"))
    assert (found.params, found.macs, found.depth) == (9, 9 * (64 + 16 + 16), 3)
    shared = [row for row in found.rows if row.path == "a"]
    assert [(row.params, row.macs) for row in shared] == [(9, 576), (0, 144), (0, 144)]


def test_what_only_training_applies_again_does_not_count(tmp_path: Path) -> None:
    text = """
input: [3, 8, 8]
stem: {a: {conv: 4}}
head: {one: {conv: 2}, two: {share: one, from: a}}
outputs: {eval: [one], training: [one, two]}
"""
    found = archspec.analyze(write_spec(tmp_path, text))
    assert found.macs == sum(row.macs for row in found.rows) == 64 * (12 + 8)


def test_an_entry_that_shares_is_expanded_for_what_is_ahead_of_it(tmp_path: Path) -> None:
    """The same head behind two stems, in one memo, and without one."""
    text = "input: [3, 8, 8]\nstem: {a: {conv: X}}\nhead: {b: {share: a}}\n"
    for given in ("3", "{channels: 3, kernel: 5, stride: 2}", "3"):
        path = write_spec(tmp_path, text.replace("X", given))
        assert generate(classes(archspec.load(path), memo=None)) == archspec.render(path)
        assert archspec.analyze(path).output == ((3, 2, 2) if "stride" in given else (3, 8, 8))


def test_a_number_that_two_widths_agree_in_is_settled(tmp_path: Path) -> None:
    """The layer takes `base` channels first, and then 8: it is made for `base: 8` alone."""
    stem = "[{conv: base}, {conv: 4, name: a}, {conv: 8}, {share: a}]"
    path = write_spec(tmp_path, f"input: [3, 8, 8]\nargs: {{base: 8}}\nstem: {stem}\n")
    assert "base" not in archspec.render(path)
    with pytest.raises(archspec.SpecError, match="defined for 16 x 8 x 8"):
        archspec.analyze(path, base=16)


def test_outputs_are_named_by_entry(tmp_path: Path) -> None:
    path = write_spec(tmp_path, SIAMESE)
    wanted = archspec.load(path)
    module = archspec.build_module(wanted, outputs=["encode", "other", "twice"])
    shapes = [tuple(y.shape) for y in module(images(2, 6, 17, 22))]
    assert shapes == [(2, 8, 17, 22), (2, 8, 17, 22), (2, 16, 2, 2)]


A = "{conv: 3, name: a}"
REFUSED = {
    "a name that nothing has": (f"[{A}, {{share: b}}]", "unknown-layer", "available: a"),
    "a name that is misspelt": ("[{conv: 3, name: mix}, {share: mxi}]", "unknown-layer", "`mix`?"),
    "a name that comes later": (
        f"[{{share: a}}, {A}]",
        "unknown-layer",
        "come earlier in the same body",
    ),
    "a name that is the rule's": (
        "[{conv: 3}, {share: conv1}]",
        "unknown-layer",
        "the layer must have a `name` and come earlier in the same body",
    ),
    "itself": ("{a: {share: a}}", "unknown-layer", ""),
    "a layer that is not there": (
        "[{conv: 3, name: a, when: false}, {share: a}]",
        "unknown-layer",
        "",
    ),
    "a combinator": ("{a: {add: [[], []]}, b: {share: a}}", "unknown-layer", ""),
    "a tensor": ("[{cell: {}}]", "unknown-layer", "`from: t`"),
    "a layer of another body": ("[{cell: {}}, {share: inner}]", "unknown-layer", ""),
    "a layer ahead of an inline block": (f"[{A}, {{line: {{}}}}]", "unknown-layer", "same body"),
    "a child of a sequence": ("[{sequence: {u: {conv: 3}}}, {share: u}]", "unknown-layer", ""),
    "other channels": (f"[{A}, {{conv: 8}}, {{share: a}}]", "shape-mismatch", "as many channels"),
    "other features": (
        "[{sequence: [flatten, {linear: 3}], name: a}, {max_pool: 2, from: input}, {share: a}]",
        "shape-mismatch",
        "as many channels",
    ),
    "what does not fit at all": (
        "[{conv: {channels: 3, kernel: 7, padding: 0}, name: a}, {share: a}]",
        "feature-map-vanishes",
        "",
    ),
    "a block with inputs": (
        "[{conv: 3, save: s}, {joint: {skip: s}, name: j}, {share: j}]",
        "bad-layer",
        "one input and one output",
    ),
    "in a sequence": (f"[{A}, {{sequence: [{{share: a}}]}}]", "bad-layer", ""),
    "in a list under a name": ("{a: {conv: 3}, b: [act, {share: a}]}", "bad-layer", ""),
    "in a shortcut": (
        f"[{A}, {{residual: [{{conv: 8}}], shortcut: {{share: a}}}}]",
        "bad-layer",
        "",
    ),
    "in a part": (
        f"[{A}, {{basic: {{attention: {{share: a}}}}}}]",
        "bad-layer",
        "layers in a `sequence` or given for a part cannot see other layers",
    ),
    "a name": (f"[{A}, {{share: a, name: b}}]", "bad-layer", ""),
    "a start": (f"[{A}, {{share: a, init: zeros}}]", "bad-layer", "set it on `a` itself"),
    "a number": (f"[{A}, {{share: 3}}]", "wrong-type", ""),
    "nothing": (f"[{A}, share]", "wrong-type", ""),
    "a list": (f"[{A}, {{share: [a]}}]", "wrong-type", ""),
    "a map": (f"[{A}, {{share: {{layer: a}}}}]", "wrong-type", ""),
    "braces with a name that means nothing": (f'[{A}, {{share: "a{{m}}"}}]', "unknown-name", ""),
    "braces with a fraction": (f'[{A}, {{share: "a{{1 / 3}}"}}]', "wrong-type", ""),
    "braces with no number": (f'[{A}, {{share: "a{{}}"}}]', "expression", ""),
    "braces that name no layer": (
        f'[{A}, {{share: "a{{index}}", repeat: 1}}]',
        "unknown-layer",
        "available: a",
    ),
    "a name that no layer can have": (f"[{A}, {{share: forward}}]", "bad-name", ""),
}
BLOCKS = """
blocks:
  cell: {body: [{conv: 3, save: t, name: inner}, {share: X}]}
  line: {inline: true, body: [{share: a}]}
  joint: {inputs: [skip], body: [{add: [[], {from: skip}]}]}
"""


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind: str, tmp_path: Path) -> None:
    stem, rule, hint = REFUSED[kind]
    blocks = BLOCKS.replace("X", "t" if kind == "a tensor" else "inner")
    path = write_spec(tmp_path, f"input: [3, 8, 8]\nstem: {stem}\n{blocks}")
    found = check_text(path.read_text("utf-8"), str(path)).findings
    (error,) = [one for one in found if one.rule not in ("unused-block", "no-op-layer")]
    assert error.rule == rule
    assert hint in str(error.hint)


@pytest.mark.parametrize(
    ("stem", "places"),
    [
        ("[{conv: 3, name: a}, {act: {}, save: s}, {share: a}, {act: {}, from: s}]", [(3, 48)]),
        ("[{conv: 3, name: a, save: s}, {share: a, repeat: 2}, {act: {}, from: s}]", [(3, 37)]),
        ("[{conv: 3, name: a, save: s}, {share: a}, {act: {}, from: s}, {share: a}]", [(3, 37)]),
        ("[{conv: 3, name: a, save: s}, {line: {}}, {act: {}, from: s}]", [(5, 31), (5, 51)]),
        ("[{conv: 3, name: a, save: s}, act, {act: {}, from: s}]", [(3, 37)]),
        ("[{conv: 3, name: a}, {share: a}, {share: a}]", []),
    ],
)
def test_what_is_shared_for_nothing(
    stem: str, places: list[tuple[int, int]], tmp_path: Path
) -> None:
    line = "blocks:\n  line: {inline: true, body: [{conv: 3, name: l}, {share: l}]}\n"
    path = write_spec(tmp_path, f"input: [3, 8, 8]\nstem: {stem}\n{line}")
    found = check_text(path.read_text("utf-8"), str(path)).findings
    spans = [one.span for one in found if one.rule == "dead-layer"]
    assert [(span.line, span.column) for span in spans if span] == places


@pytest.mark.parametrize("reader", READERS)
def test_names_in_braces(reader: str, tmp_path: Path) -> None:
    """By a number of the network, of a block, and turn by turn; backwards."""
    text = """
input: [3, 8, 8]
args: {n: 2}
stem:
  - {conv: 3, name: "c{n}"}
  - {cell: {deep: 3}, name: "cell{n + 1}"}
  - {share: "c{n}"}
head: {again: {share: "cell{n + 1}"}}
blocks:
  cell:
    args: {deep: 1}
    body:
      - {conv: channels, name: "d.{index}", repeat: deep}
      - {share: "d.{repeat - 1 - index}", repeat: deep - 1}
"""
    module = seeded(lambda: READERS[reader](write_spec(tmp_path, text)))
    assert list(module.state_dict()) == [
        "c2.weight", "cell3.d.0.weight", "cell3.d.1.weight", "cell3.d.2.weight",
    ]  # fmt: skip
    x = expected = images(2, 3, 8, 8)
    c, *d = module.parameters()
    for weight in (c, *d, d[1], d[0], c, *d, d[1], d[0]):
        expected = nn.functional.conv2d(expected, weight)
    assert_same_tensors(tensors(module(x)), tensors(expected))


def test_a_stage_that_is_shared_shrinks_nothing(tmp_path: Path) -> None:
    """What leaves it again is no step of the trunk."""
    text = """
input: [3, 16, 16]
stages:
  pair: [{block: cell, channels: 4}, {block: cell, channels: 8}]
  wide: {block: cell, channels: 16}
  down: {conv: 3}
  once: {share: pair}
  last: {block: cell, channels: 16}
blocks: {cell: {body: [{conv: channels}]}}
"""
    path = write_spec(tmp_path, text)
    found = {one.rule for one in check_text(path.read_text("utf-8"), str(path)).findings}
    assert found == {"widen-without-stride"}
    assert generated_module(path)(images(1, 3, 16, 16)).shape == (1, 16, 16, 16)
