"""`archspec explain`: every name of the language and every rule, and what is no name."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.cli.lines import columns
from archspec.language import Spec, load
from archspec.language.blocks import Block
from archspec.language.stages import Run
from archspec.language.train import Train
from archspec.language.words import COMBINATORS, MODIFIERS
from archspec.ops import OPS
from archspec.reference import Entry, plain, sections
from archspec.resources import BLOCKS
from archspec.rules import RULES
from support.linting import Project

ENTRIES = [entry for entries in sections().values() for entry in entries]
CELL = """\
doc: Two layers.
args:
  out: required # channels that leave
parts: {gate: none}
inputs: [skip]
body: [{conv: out}, gate, {add: [[], {from: skip}]}]
"""


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind} {e.name}")
def test_every_name_is_explained_with_all_there_is_to_say(project: Project, entry: Entry) -> None:
    said = project.run("explain", entry.name)
    assert (said.code, said.err) == (0, "")
    assert f"{entry.name} ({entry.kind})\n" in said.out
    assert entry.summary
    squeezed = "".join(said.out.split())
    assert "".join(plain(entry.summary).split()) in squeezed
    assert max(map(len, prose(said.out))) <= 78


def prose(text: str) -> list[str]:
    """The lines that are wrapped: examples and names of files are not."""
    return [line for line in text.splitlines() if not line.startswith(("    -", "    ", "File: "))]


def test_names_are_those_of_the_language() -> None:
    names = {entry.name for entry in ENTRIES}
    blocks = {path.stem for path in BLOCKS.glob("*.yaml")}
    models = (Spec, Block, Run, Train)
    keys = {field.alias or key for model in models for key, field in model.model_fields.items()}
    assert {*OPS, *COMBINATORS, *MODIFIERS, *blocks, *keys, "extends"} <= names


@pytest.mark.parametrize("entry", sections()["keys of train"], ids=lambda entry: entry.name)
def test_an_example_of_a_recipe_is_one(entry: Entry, tmp_path: Path) -> None:
    example = str(entry.parts[-1][0])
    assert f"{entry.name}: " in example
    data = "folder" if entry.name == "test_crop" else "tensors"
    base = f"train: {{data: {data}, epochs: 90, batch_size: 256, lr: 0.1}}"
    (tmp_path / "base.yaml").write_text(f"name: base\nextends: resnet18\n{base}\n")
    (tmp_path / "net.yaml").write_text(f"name: net\nextends: base\n{example}\n")
    assert load(tmp_path / "net.yaml").train


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_explained_by_name_and_code(project: Project, name: str) -> None:
    rule = RULES[name]
    by_name, by_code = project.run("explain", name), project.run("explain", rule.code.lower())
    assert by_name.out.endswith(by_code.out)  # a key may have the name too
    assert by_code.out.startswith(f"{rule.code} {name} ({rule.severity}")
    squeezed = "".join(by_code.out.split())
    assert "".join(rule.why.split()) in squeezed
    for heading, example in (("Example:", rule.bad), ("Use instead:", rule.good)):
        assert heading in by_code.out
        assert "".join(example.text.split()).replace("\t", "") in squeezed


def test_a_name_with_several_meanings_is_explained_in_each(project: Project) -> None:
    heads = [line for line in project.run("explain", "dropout").lines if line[:7] == "dropout"]
    assert heads == ["dropout (key of train)", "dropout (op)"]


def test_a_block_shows_its_arguments_parts_and_file(project: Project) -> None:
    lines = project.run("explain", "bottleneck").lines
    assert any("`groups`" in line and "arg" in line and "`1`" in line for line in lines)
    assert any("`attention`" in line and "part" in line and "`none`" in line for line in lines)
    assert Path(lines[-1].removeprefix("File: ")) == BLOCKS / "bottleneck.yaml"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("blocks/cell.yaml", "cell"),
        ("specs/blocks/cell.yaml", "cell"),
        ("specs/blocks/cell.yaml", "./specs/blocks/cell.yaml"),
        ("models/blocks/cell.yaml", "models/blocks/cell.yaml"),
    ],
)
def test_a_block_of_the_project(project: Project, file: str, name: str) -> None:
    project.write(file, CELL)
    said = project.run("explain", name)
    assert said.out.count("cell (") == 1
    assert said.lines[0] == "cell (block of this project)"
    rows = [line.split() for line in said.lines]
    assert ["`out`", "arg", "`required`", "channels", "that", "leave"] in rows
    assert ["`skip`", "input", "`required`"] in rows
    assert "    - cell: {out: ..., skip: ...}" in said.lines
    assert said.lines[-1] == f"File: {file}"


def test_a_block_that_hides_a_built_in_one_comes_first(project: Project) -> None:
    project.write("blocks/basic.yaml", "body: [{conv: 8}]\n")
    heads = [line for line in project.run("explain", "basic").lines if line[:5] == "basic"]
    assert heads == ["basic (block of this project)", "basic (built-in block)"]


def test_a_broken_block_is_reported_where_it_is_asked_for(project: Project) -> None:
    project.write("blocks/cell.yaml", "boddy: []\n")
    assert project.run("explain", "conv").code == 0
    said = project.run("explain", "cell")
    assert said.code == 1
    assert "blocks/cell.yaml:1" in said.err


def test_a_block_from_a_stranger_is_escaped(project: Project) -> None:
    project.write("blocks/cell.yaml", 'doc: "a\\e[31mb"\nbody: [{conv: 8}]\n')
    assert "a\\x1b[31mb" in project.run("explain", "cell").out


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nn.Conv2d", "conv (op)"),
        ("MaxPool2d", "max_pool (op)"),
        ("bn", "batch_norm (op)"),
        ("learning_rate", "lr (key of train)"),
        ("CONV", "conv (op)"),
        ("Unfold", "Unfold (class of torch.nn)"),
    ],
)
def test_names_from_elsewhere(project: Project, name: str, meant: str) -> None:
    assert project.run("explain", name).lines[0] == meant


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("botleneck", "did you mean `bottleneck`?"),  # a block
        ("globl_avg_pool", "did you mean `global_avg_pool`"),  # an op
        ("extend", "did you mean `extends`"),  # a key
        ("chanels-shrink", "did you mean `channels-shrink`"),  # a rule
        ("AS2020", "did you mean `AS202`? run `archspec rule --all`"),
        ("as299", "codes are `AS201` to `AS2"),
        ("AS3", "codes are `AS301` to `AS3"),
        ("AS999", "codes are `AS101` to `AS4"),  # no family
        ("F401", "codes are `AS101` to `AS4"),  # of ruff
        ("cel", "`cell`"),  # of the project
        ("base_width", "it is an argument of `bottleneck`"),
        ("resnet50", "to see a spec, run `archspec show resnet50`"),
        ("specs/net.yaml", "to see a spec, run `archspec show specs/net.yaml`"),
        ("lint", "run `archspec lint --help`"),
        ("xyzzy", "run `archspec explain --all` to see all names"),
        ("", "run `archspec explain --all` to see all names"),
    ],
)
def test_an_unknown_name_has_a_hint(project: Project, name: str, hint: str) -> None:
    project.write("blocks/cell.yaml", CELL)
    said = project.run("explain", name)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: unknown name `{name}`\nhelp: ")
    assert hint in said.err


def test_all_lists_every_name_once_a_section(project: Project) -> None:
    project.write("specs/blocks/cell.yaml", CELL)
    lines = project.run("explain", "--all").lines
    for title, entries in sections().items():
        start = lines.index(f"{title}:") + 1
        listed = lines[start : start + len(entries)]
        assert [line[2:].partition("  ")[0] for line in listed] == [e.name for e in entries]
    assert lines[lines.index("blocks of this project:") + 1] == "  specs/blocks/cell.yaml"
    rules = lines[lines.index("rules:") + 1 :]
    assert [line[2:] for line in rules] == project.run("rule", "--all").lines


def test_rule_is_an_alias(project: Project) -> None:
    assert project.run("rule", "AS202") == project.run("explain", "AS202")
    assert project.run("rule", "conv") == project.run("explain", "conv")


# The command line ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "meant"), [("lnt", "lint"), ("explian", "explain"), ("shwo", "show")]
)
def test_a_command_that_was_meant(project: Project, wrong: str, meant: str) -> None:
    said = project.run(wrong)
    assert (said.code, said.out) == (2, "")
    assert f"error: unknown command `{wrong}`\nhelp: did you mean `{meant}`?" in said.err


@pytest.mark.parametrize(
    ("given", "wide"),
    [("60", 58), ("500", 100), ("1", 20), ("-7", 20), ("x", 78), ("", 78), ("9" * 5000, 78)],
)
def test_the_width_is_within_reason(monkeypatch: pytest.MonkeyPatch, given: str, wide: int) -> None:
    monkeypatch.setenv("COLUMNS", given)
    monkeypatch.setattr(sys, "__stdout__", None)
    assert columns() == wide


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
@pytest.mark.parametrize("wide", [50, 70])
def test_help_is_as_wide_as_the_terminal(wide: int) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", str(wide)], stdin=theirs, check=True)
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "archspec", "list", "--help"]
    subprocess.run(command, stdin=theirs, stdout=theirs, env=environment, check=True)
    lines = os.read(ours, 1 << 16).decode().splitlines()
    assert wide - 15 < max(map(len, lines)) <= wide - 2
    os.close(ours)
    os.close(theirs)
