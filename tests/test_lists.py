"""Args of blocks that are lists: both readers against a network by hand, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor, nn

import archspec
from archspec.lint.check import check_text
from support import write_spec
from support.modules import READERS, assert_same_tensors, evaluate, images, same_bits, seeded

LISTS = """
input: [3, 9, 12]
stem:
  - {conv_norm_act: {channels: 4, kernel: [1, 7]}, name: first}
  - {cell: {channels: 4}, name: usual}
  - {cell: {channels: 4, kernel: [3, 1]}, name: tall}
stages:
  turns: {block: cell, repeat: 2, channels: 8, kernel: [[1, 3], [5, 1]]}
head:
  one: {cell: {channels: 8, kernel: 3}}
  listed: [{outer: {channels: 8, kernel: [[1, 3], [3, 5]]}, repeat: 2}]
blocks:
  cell:
    args: {kernel: [1, 5], grown: kernel + 2}
    body:
      - {conv: {channels: channels, kernel: kernel}}
      - {conv: {channels: channels, kernel: grown}}
  outer:
    args: {kernel: required}
    body:
      - {cell: {channels: channels, kernel: kernel}}
      - {avg_pool: {kernel: kernel, stride: 1, padding: kernel // 2}}
"""
Kernel = tuple[int, int]


def conv(arrive: int, leave: int, kernel: Kernel) -> nn.Conv2d:
    half = (kernel[0] // 2, kernel[1] // 2)
    made = nn.Conv2d(arrive, leave, kernel, padding=half, bias=False)
    nn.init.kaiming_normal_(made.weight, mode="fan_out")
    return made


def cell(arrive: int, leave: int, kernel: Kernel) -> nn.Sequential:
    grown = (kernel[0] + 2, kernel[1] + 2)
    return nn.Sequential(conv(arrive, leave, kernel), conv(leave, leave, grown))


def outer(kernel: Kernel) -> nn.Sequential:
    pool = nn.AvgPool2d(kernel, 1, (kernel[0] // 2, kernel[1] // 2))
    return nn.Sequential(cell(8, 8, kernel), pool)


class Lists(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(conv(3, 4, (1, 7)), nn.BatchNorm2d(4), nn.ReLU())
        self.rest = nn.Sequential(
            *(cell(4, 4, (1, 5)), cell(4, 4, (3, 1)), cell(4, 8, (1, 3)), cell(8, 8, (5, 1))),
            *(cell(8, 8, (3, 3)), outer((1, 3)), outer((3, 5))),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.first(x))  # type: ignore[no-any-return]


@pytest.mark.parametrize("reader", READERS)
def test_the_same_as_by_hand(reader: str, tmp_path: Path) -> None:
    peer, ours = Lists(), READERS[reader](write_spec(tmp_path, LISTS))
    theirs = [*peer.state_dict().values()]
    assert [one.shape for one in ours.state_dict().values()] == [one.shape for one in theirs]
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs, strict=True)))
    for size in ((9, 12), (14, 7)):
        x = images(2, 3, *size)
        assert same_bits(evaluate(ours, x), evaluate(peer, x))


def test_both_readers_and_the_source(tmp_path: Path) -> None:
    path = write_spec(tmp_path, LISTS)
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())
    source = archspec.render(path)
    assert "(kernel1, kernel2)" in source
    assert "nn.Conv2d(3, 4, (1, 7), padding=(0, 3), bias=False)" in source
    assert "self.tall = Cell(4, 4, kernel1=3, kernel2=1)" in source


def test_a_number_and_a_list_are_one_class(tmp_path: Path) -> None:
    """The number stands for each; what the block says by default is a parameter's default."""
    source = archspec.render(write_spec(tmp_path, LISTS))
    assert "self.one = Cell(8, 8, kernel1=3, kernel2=3)" in source
    assert "grown2 = kernel2 + 2" in source
    numbers = LISTS.replace("{kernel: [1, 5], grown", "{kernel: 5, grown")
    numbers += "  more: {body: [{outer: {kernel: [3, 3]}}, {outer: {kernel: 5}}]}\n"
    path = write_spec(tmp_path, numbers.replace("head:\n", "head:\n  more: more\n"))
    source = archspec.render(path)
    assert "channels: int, kernel1: int = 5, kernel2: int = 5\n" in source
    assert "self.usual = Cell(4, 4)\n" in source
    assert "self.outer2 = Outer(channels, 5, 5)" in source
    assert source.count("\nclass ") == 4
    one, other = (seeded(lambda: read(path)) for read in READERS.values())  # noqa: B023
    assert_same_tensors(one.state_dict(), other.state_dict())


REFUSED = {
    "a list for one number": ("{basic: {width: [8, 16]}}", "expression", "is a list of 2"),
    "a condition": ("{odd: {kernel: [1, 3]}}", "expression", "is a list of 2"),
    "lists of unequal length": ("{both: {kernel: [1, 3], more: [1]}}", "expression", "is a list"),
    "too many": ("{cell: {kernel: [1, 3, 5]}}", "shape-mismatch", "has 3 values"),
    "lists in a list": ("{cell: {kernel: [[1, 3], [3, 1]]}}", "wrong-type", "list of lists"),
    "channels": ("{cell: {channels: [8, 16]}}", "wrong-type", "one number"),
    "as many turns": (
        "{cell: {kernel: [[1, 3], [3, 1]]}, repeat: 3}",
        "wrong-length",
        "has 2 values, but the repeat has 3 layers",
    ),
    "none": ("{cell: {kernel: []}}", "out-of-range", "list of 0"),
    "a word": ("{cell: {kernel: [wide]}}", "unknown-name", "`wide`"),
    "a list three deep": ("{cell: {kernel: [[[1]]]}, repeat: 1}", "wrong-type", "list of 1"),
}
BLOCKS = """
blocks:
  cell: {args: {kernel: 3}, body: [{conv: {channels: channels, kernel: kernel}}]}
  odd: {args: {kernel: 3}, body: [{conv: {channels: channels, kernel: kernel}, when: kernel > 1}]}
  both:
    args: {kernel: 3, more: 1}
    body: [{conv: {channels: channels, kernel: kernel + more}}]
"""


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind: str, tmp_path: Path) -> None:
    layer, rule, message = REFUSED[kind]
    path = write_spec(tmp_path, f"input: [3, 8, 8]\nstem: [{layer}]\n{BLOCKS}")
    found = check_text(path.read_text("utf-8"), str(path)).findings
    errors = [one for one in found if one.rule not in ("unused-block",)]
    assert rule == errors[0].rule
    assert message in errors[0].message
