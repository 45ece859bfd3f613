"""A block that changes alone: the specs that use it are linted with it, in whatever way."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml

from archspec.lint import Settings, lint
from archspec.lint.fixes import fix
from support import ROOT
from support.linting import Project

HEAD = "name: {}\ninput: [3, 32, 32]\n"
SPECS = {
    "direct": "stages: {layer1: {block: mix, channels: 8}}\n",
    "by_block": "stages: {layer1: {block: outer, channels: 8}}\n",
    "in_residual": "stem: [{conv: 8}, {residual: [{mix: {channels: 8}}]}]\n",
    "other": "stem: [{conv: 8}]  # not mix\n",
    "shadowed": "blocks: {mix: {body: [{conv: channels}]}}\nstem: [{mix: {channels: 8}}]\n",
}
USERS = ["by_block", "direct", "extending", "in_residual"]
#: In a sum it gives two pixels less than what arrives.
MIX = "body: [{conv: channels}, {conv: {channels: channels, kernel: 3, padding: 0}}]\n"


@pytest.fixture
def mixed(project: Project) -> Project:
    """Specs that use a block, and specs that do not."""
    project.write("specs/blocks/mix.yaml", MIX)
    project.write("specs/blocks/outer.yaml", "body: [{mix: {channels: channels}}]\n")
    for name, text in SPECS.items():
        project.write(f"specs/{name}.yaml", HEAD.format(name) + text)
    project.write("specs/extending.yaml", "extends: direct\nname: extending\n")
    project.write("specs/zoo/apart.yaml", HEAD.format("apart") + "stem: [{conv: 8}]\n")
    return project


def linted(project: Project, *args: str) -> list[str]:
    """The specs, by name, that were linted with the blocks."""
    return sorted(file.partition("/")[2][:-5] for file in lint(args).files if "blocks" not in file)


def test_the_specs_that_use_a_block_are_linted_with_it(mixed: Project) -> None:
    assert linted(mixed, "specs/blocks/mix.yaml") == USERS
    assert linted(mixed, "specs/blocks/outer.yaml") == ["by_block"]
    assert linted(mixed, "specs/blocks") == USERS
    assert linted(mixed, "specs/other.yaml") == ["other"]
    assert linted(mixed, str(mixed.folder / "specs/blocks/mix.yaml")) == USERS


@pytest.mark.parametrize("args", [[], ["--no-cache"], ["--fix"], ["--force-exclude"]])
def test_a_change_of_a_block_is_found_where_it_is_used(mixed: Project, args: list[str]) -> None:
    named = "specs/blocks/mix.yaml"
    before = mixed.lint(*args, named)
    assert before.code == 1
    assert [line.partition(":")[0] for line in before.lines[:-1]] == ["specs/in_residual.yaml"]
    mixed.write(named, MIX.replace(", padding: 0", ""))
    assert mixed.lint(*args, named).code == 0


STANDING = [
    ("specs", "blocks/mix.yaml"),
    ("specs", "blocks"),
    ("specs/blocks", "mix.yaml"),
    ("specs/blocks", "./mix.yaml"),
    ("specs/blocks", "."),
    ("specs/zoo", "../blocks/mix.yaml"),
]


@pytest.mark.parametrize(("folder", "named"), STANDING)
def test_wherever_one_stands(
    folder: str, named: str, mixed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mixed.folder / folder)
    for more in ([], ["--fix"]):
        said = mixed.lint(named, *more)
        assert [Path(line.partition(":")[0]).name for line in said.lines[:-1]] == [
            "in_residual.yaml"
        ]


def test_a_block_on_standard_input(mixed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mixed.folder / "specs/blocks")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"body: [mix]\n")))
    assert mixed.lint("-", "--stdin-filename", "new.yaml").out == "1 block is clean\n"


@pytest.mark.parametrize("mark", [".git", "pyproject.toml"])
def test_a_project_that_is_called_blocks(
    mark: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(f"blocks/{mark}", "")
    project.write("blocks/net.yaml", HEAD.format("net") + SPECS["other"])
    for folder, named in (("blocks", "net.yaml"), ("", "blocks"), ("", "blocks/net.yaml")):
        monkeypatch.chdir(project.folder / folder)
        assert project.lint(named).out == "1 spec is clean\n"


def test_what_is_excluded_stays_out(mixed: Project) -> None:
    said = mixed.lint("specs/blocks/mix.yaml", "--exclude", "specs/in_residual.yaml")
    assert said.code == 0
    assert said.out == "3 specs and 1 block are clean\n"


def test_only_the_named_files_are_fixed(mixed: Project) -> None:
    text = (
        HEAD.format("direct")
        + "stem: [{conv: {channels: 8, bias: true}}, norm, {mix: {channels: 8}}]\n"
    )
    spec = mixed.write("specs/direct.yaml", text)
    block = mixed.write("specs/blocks/mix.yaml", "body: [{cnov: channels}]\n")
    said = mixed.lint("specs/blocks/mix.yaml")
    assert said.out.count("[*] ") == 2, "one finding, and the summary"
    report, _ = fix(["specs/blocks/mix.yaml"], Settings())
    assert report.fixed == 1
    assert Path(block).read_text() == "body: [{conv: channels}]\n"
    assert Path(spec).read_text() == text


def test_a_broken_spec_beside_is_no_finding_of_the_block(mixed: Project) -> None:
    mixed.write("specs/broken.yaml", "stem: [\n")
    assert "broken" not in mixed.lint("specs/blocks/mix.yaml").out


def test_the_hook_gives_all_files_to_one_process() -> None:
    """Two would report the same spec twice."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hooks[0]["require_serial"] is True
    assert hooks[0]["files"] == "^specs/"
