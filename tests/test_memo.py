"""What specs have in common is worked out once, and nothing depends on who asked first."""

from __future__ import annotations

import gc
import random
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import archspec
from archspec import resources
from archspec.classes import classes
from archspec.codegen import generate
from archspec.diagnostics import Diagnostic, SpecError
from archspec.expand import budget
from archspec.language import load, parse_text
from archspec.lint import lint
from archspec.lint.check import check_text
from archspec.lint.lookup import check_files
from archspec.memo import MOST, Memo, frozen, remember
from archspec.python import parse_python
from support.strategies import specs

BASES = {
    "resnet18": 4,
    "resnet34": 4,
    "resnet50": 4,
    "resnext50_32x4d": 4,
    "cifar_resnet20": 3,
    "mobilenet_v2": 0,
}
DEFAULTS = ("act: silu", "act: {leaky_relu: 0.1}", "norm: {group_norm: 4}", "conv: {bias: true}")


FURTHER = (  # lines that stand at the end of a spec
    "expect: {params: {max: 2e7}}",
    "expect: {depth: 18, output: [10]}",
    "blocks: {cell: {args: {kernel: 3}, body: [{conv: {channels: 8, kernel: 1, stride: 2}}, act]}}",
    "names: {conv: convolution}",
    "head: {act: act, again: act, flatten: flatten, fc: {linear: {features: 7, bias: true}}}",
    "stem: {first: {conv: {channels: 100, bias: true}}, bn1: norm, relu: {act: {}, when: true}}",
    "train: {data: cifar10}",
    "# archspec: ignore[redundant-bias] the checkpoint has it",
    "input: [3, 64]",
    "sten: []",
    "outputs: [layer2, layer1]",
    "head: {pool: {global_avg_pool: {}, from: layer1}, flatten: flatten, fc: {linear: 7}}",
    "head: {a: {conv: 8, from: layer1}, b: {join: {channels: 8, skip: a}}}\n"
    "blocks: {join: {inputs: [skip], body: [{conv: 8}, {concat: [[], {from: skip}]}]}}",
)


def variant(name: str, draw: random.Random) -> str:
    """A spec of a few lines; some have findings."""
    base, lines = draw.choice(list(BASES)), []
    for number in range(1, BASES[base] + 1):
        said = []
        if draw.random() < 0.5:
            said.append(f"repeat: {draw.randint(1, 4)}")
        if draw.random() < 0.4:
            said.append(f"channels: {draw.choice((16, 24, 63, 64)) << number}")
        if draw.random() < 0.3:
            said.append(
                draw.choice(("act: relu6", "norm: {group_norm: 2}", "stride: 2", "block: x"))
            )
        if said:
            lines.append(f"  layer{number}: {{{', '.join(said)}, shrink: on purpose}}")
    text = f"name: {name}\nextends: {base}\n" + ("stages:\n" * bool(lines)) + "\n".join(lines)
    if draw.random() < 0.5:
        text += f"\ndefaults: {{{draw.choice(DEFAULTS)}}}"
    if draw.random() < 0.7:
        text += f"\nargs: {{classes: {draw.randint(1, 500)}}}"
    return "\n".join([text, *draw.sample(FURTHER, draw.randint(0, 2)), ""])


def texts(count: int) -> dict[str, str]:
    """File -> variants of shipped specs, some with findings; and the shipped specs themselves."""
    draw = random.Random(0)
    made = {f"net_{n}.yaml": variant(f"net_{n}", draw) for n in range(count)}
    shipped = sorted(resources.SPECS.glob("*.yaml"))
    return made | {path.name: path.read_text("utf-8") for path in shipped}


TEXTS = texts(25)


def everything(text: str, file: str, memo: Memo | None) -> tuple[Any, ...]:
    """The findings of a spec, and its source where it has no errors."""
    checked = check_text(text, file, memo=memo)
    if any(finding.severity == "error" for finding in checked.findings):
        return checked, None
    return checked, generate(classes(parse_text(text, file, memo=memo), memo=memo))


@cache
def alone(file: str) -> tuple[Any, ...]:
    """The same of one of the texts, without a memo."""
    return everything(TEXTS[file], file, None)


def test_memo_on_equals_memo_off() -> None:
    memo = Memo()
    for file, text in [*TEXTS.items(), *reversed(TEXTS.items())]:
        assert everything(text, file, memo) == alone(file), file


RANDOM = Memo()


@settings(max_examples=25, deadline=None)
@given(specs())
def test_memo_on_equals_memo_off_over_random_specs(data: dict[str, Any]) -> None:
    def source(memo: Memo | None) -> str | list[Diagnostic]:
        try:
            return generate(classes(load(data, memo=memo), memo=memo))
        except SpecError as error:
            return list(error.diagnostics)

    assert source(RANDOM) == source(RANDOM) == source(None)


def test_eight_threads_give_what_one_gives() -> None:
    memo = Memo()
    with ThreadPoolExecutor(8) as pool:
        threaded = pool.map(lambda file: everything(TEXTS[file], file, memo), TEXTS)
    for file, found in zip(TEXTS, threaded, strict=True):
        assert found == alone(file), file


class _Collected:
    """Garbage in a circle whose end runs Python, where another thread may take over."""

    def __init__(self) -> None:
        self.circle = self

    def __del__(self) -> None:
        sum(range(50))


def test_threads_parse_python_one_at_a_time() -> None:
    source = archspec.render("resnet18")

    def parsed(_: int) -> object:
        for _ in range(50):
            _Collected()
        return parse_python(source)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(parsed, range(200)))
    finally:
        sys.setswitchinterval(interval)


def test_eight_threads_use_the_library() -> None:
    names = ["resnet18", "resnet50", "cifar_resnet20", "resnext50_32x4d"] * 8
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(archspec.render, names)) == [archspec.render(name) for name in names]


CELL = "body: [{conv: {channels: channels, kernel: 3}}, norm]\n"
NET = "name: net\ninput: [3, 8, 8]\nstages:\n  one: {block: cell, channels: 8}\n"


@pytest.mark.parametrize(
    "look",
    [
        lambda path: len(lint([path]).findings),
        lambda path: archspec.analyze(path).params,
        lambda path: archspec.render(path),
    ],
    ids=["lint", "analyze", "render"],
)
def test_a_process_sees_files_that_change(look: Callable[[Path], Any], tmp_path: Path) -> None:
    path, cell = tmp_path / "net.yaml", tmp_path / "blocks" / "cell.yaml"
    cell.parent.mkdir()
    cell.write_text(CELL)
    path.write_text(NET)
    with ThreadPoolExecutor(4) as pool:  # a store once stayed switched on after threads
        first = list(pool.map(look, [path] * 8))
    cell.write_text(CELL.replace("norm", "norm, norm, {conv: {channels: channels, kernel: 3}}"))
    assert look(path) not in first
    cell.write_text(CELL)
    assert look(path) == first[0]


def test_a_finding_that_moves_is_reported_where_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    lines = []
    for text in ("stem: [cnov]\n", "# moved\n\nstem: [cnov]\n"):
        path.write_text("name: net\ninput: [3, 8, 8]\n" + text)
        with pytest.raises(SpecError) as caught:
            archspec.load(path)
        lines += [d.span.line for d in caught.value.diagnostics if d.span]
    assert lines == [3, 5]


def test_a_new_block_file_hides_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("name: net\ninput: [3, 8, 8]\nstages: {a: {block: basic, channels: 8}}\n")
    before = archspec.analyze(path).params
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "basic.yaml").write_text(CELL)
    assert archspec.analyze(path).params < before


def test_one_and_true_are_two_values() -> None:
    """`True == 1` in Python: a stage with `b: true` made a later `b: 1` lint clean."""
    text = """\
name: net
input: [3, 8, 8]
blocks:
  cell: {args: {b: required}, body: [{conv: {channels: channels, bias: b}}]}
stages:
  one: {block: cell, channels: 8, b: true}
  two: {block: cell, channels: 8, b: 1}
"""
    (found,) = check_text(text, "net.yaml").findings
    assert (found.rule, found.span and found.span.line) == ("wrong-type", 7)
    assert frozen(True) != frozen(1) != frozen(1.0)


def test_equal_text_is_an_equal_value_whoever_wrote_it(tmp_path: Path) -> None:
    memo = Memo()
    for name in ("a", "b"):
        folder = tmp_path / name
        (folder / "blocks").mkdir(parents=True)
        (folder / "blocks" / "cell.yaml").write_text(CELL)
        (folder / "net.yaml").write_text(NET)
    one, other = (load(tmp_path / name / "net.yaml", memo=memo) for name in ("a", "b"))
    assert one.stages["one"] is other.stages["one"]
    assert one.library.block("cell") is other.library.block("cell")
    assert one.where("stages") != other.where("stages")


def test_a_result_that_is_shared_points_to_the_file_of_who_asked(tmp_path: Path) -> None:
    memo = Memo()
    wrong = "body: [{conv: {channels: channels, groups: 5}}]\n"
    for name in ("a", "b"):
        folder = tmp_path / name
        (folder / "blocks").mkdir(parents=True)
        (folder / "blocks" / "cell.yaml").write_text(wrong)
        text = NET.replace("name: net\n", f"name: net\n{'#' if name == 'b' else ''}\n")
        (found,) = check_text(text, f"{folder}/net.yaml", memo=memo).findings
        assert found.span
        assert found.span.file.endswith(f"{name}/blocks/cell.yaml")
        assert [label.span.file.split("/")[-2] for label in found.labels] == [name]


def test_classes_that_are_shared_point_to_the_file_of_who_asked(tmp_path: Path) -> None:
    memo, made = Memo(), []
    for name in ("a", "b"):
        folder = tmp_path / name
        (folder / "blocks").mkdir(parents=True)
        (folder / "blocks" / "cell.yaml").write_text(CELL)
        text = NET.replace("name: net\n", f"name: net\n{'#' if name == 'b' else ''}\n")
        (folder / "net.yaml").write_text(text)
        made.append(classes(load(folder / "net.yaml", memo=memo), memo=memo))
    one, other = made
    assert one.root is other.root
    for name, network in zip("ab", made, strict=True):
        files = {Path(span.file).parts[-2:] for span in network.place("one.0")}
        assert (name, "net.yaml") in files
        assert not any(folder in "ab" and folder != name for folder, _ in files)


@pytest.mark.parametrize("most", [100, 1000, 2000, 3000, 5000])
@pytest.mark.parametrize("base", ["resnet50", "mobilenet_v2"])
def test_what_another_expanded_costs_as_much(
    base: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, memo = f"name: net\nextends: {base}\n", Memo()
    assert check_text(text, "net.yaml", memo=memo) == check_text(text, "net.yaml")
    monkeypatch.setattr("archspec.expand.network.ROOM", budget.Room(steps=most))
    alone = check_text(text, "net.yaml").findings
    assert [d.rule for d in alone] == ["too-large"]
    assert check_text(text, "net.yaml", memo=memo).findings == alone


def test_a_memo_is_bounded() -> None:
    @remember
    def twice(number: int, *, memo: Memo | None) -> int:
        return 2 * number

    memo = Memo()
    for number in range(2 * MOST):
        memo.trimmed()
        twice(number, memo=memo)
    assert len(memo.known) <= MOST + 1


def test_several_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.lint.many.WORTH_A_CORE", 20)
    monkeypatch.setattr("archspec.lint.many.CHUNK", 10)
    for file, text in TEXTS.items():
        (tmp_path / file).write_text(text)
    paths = sorted(tmp_path.glob("*.yaml"))
    assert list(check_files(paths, jobs=2)) == list(check_files(paths, jobs=1))


def test_what_a_memo_drops_is_freed() -> None:
    class Node:
        """It refers to itself, as the parts of a network do."""

        def __init__(self) -> None:
            self.node = self

    memo = Memo(dict.fromkeys(range(MOST)))
    memo.known["node"] = Node()
    gone = weakref.ref(memo.known["node"])
    gc.disable()
    try:
        assert not memo.trimmed().known
        assert gone() is None
    finally:
        gc.enable()
