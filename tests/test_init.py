"""`archspec init`: what it writes is clean, builds, and is checked by what it writes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from archspec import __version__
from archspec.resources import TEMPLATES
from support import ROOT
from support.linting import Project

SPEC, SCHEMA = "specs/my_resnet.yaml", "archspec.schema.json"
WORKFLOW, HOOKS = ".github/workflows/archspec.yml", ".pre-commit-config.yaml"
ALL = {SPEC, SCHEMA, WORKFLOW, HOOKS}


def files(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    own = {name: path for name, path in found.items() if not name.startswith(".archspec_cache")}
    return {name: path.read_text("utf-8") for name, path in own.items() if path.is_file()}


def read(project: Project, name: str) -> Any:
    return yaml.safe_load((project.folder / name).read_text("utf-8"))


def commands(project: Project) -> list[list[str]]:
    """What the workflow and the hooks run, after the name of the command."""
    steps = read(project, WORKFLOW)["jobs"]["specs"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    entries = [hook["entry"] for hook in read(project, HOOKS)["repos"][0]["hooks"]]
    words = map(shlex.split, (*runs, *entries))
    return [rest for first, *rest in words if first == "archspec"]


def test_an_empty_folder(project: Project) -> None:
    said = project.run("init")
    assert (said.code, said.err) == (0, "")
    assert set(files(project.folder)) == ALL
    assert {line for line in said.lines if line.startswith("wrote ")} == {f"wrote {n}" for n in ALL}
    clean = project.lint("--strict")
    assert (clean.code, clean.out) == (0, "1 spec is clean\n")
    assert project.run("build").code == 0
    ran = commands(project)
    assert [words[0] for words in ran] == ["lint", "build", "lint", "build"]
    for words in ran:
        assert project.run(*words).code == 0, words


def test_what_it_says_next_are_commands_that_run(project: Project) -> None:
    said = project.run("init")
    lines = said.lines[said.lines.index("Next:") + 1 :]
    words = [line.split("  ")[1].split() for line in lines]
    ours = [rest for first, *rest in words if first == "archspec"]
    assert [rest[0] for rest in ours] == ["lint", "show", "build"]
    for rest in ours:
        assert project.run(*(SPEC if word == "SPEC" else word for word in rest)).code == 0


def test_the_checks_fail_once_the_source_is_stale(project: Project) -> None:
    project.run("init")
    project.run("build")
    path = project.folder / SPEC
    path.write_text(path.read_text("utf-8").replace("repeat: 2", "repeat: 1"), "utf-8")
    assert [project.run(*words).code for words in commands(project)] == [0, 1, 0, 1]


def test_the_modeline_leads_to_the_schema_that_the_spec_fits(project: Project) -> None:
    project.run("init")
    text = (project.folder / SPEC).read_text("utf-8")
    first, _, _ = text.partition("\n")
    target = first.removeprefix("# yaml-language-server: $schema=")
    path = project.folder / "specs" / target
    assert path.resolve() == project.folder / SCHEMA
    schema = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))
    assert path.read_text("utf-8") == project.run("schema").out


def test_the_version_that_wrote_the_files_checks_them(project: Project) -> None:
    project.run("init")
    pinned = f"archspec-nn=={__version__}"
    hooks = read(project, HOOKS)["repos"][0]["hooks"]
    assert [hook.pop("additional_dependencies") for hook in hooks] == [[pinned]] * 2
    assert hooks == yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    runs = [step.get("run", "") for step in read(project, WORKFLOW)["jobs"]["specs"]["steps"]]
    assert f"python -m pip install {pinned}" in runs


@pytest.mark.parametrize("there", sorted(ALL))
def test_an_existing_file_is_kept_and_the_others_are_written(project: Project, there: str) -> None:
    text = "name: my_resnet\nextends: resnet18\n" if there == SPEC else "{}\n"
    project.write(there, text)
    said = project.run("init")
    assert said.code == 0
    found = files(project.folder)
    assert set(found) == ALL
    assert found[there] == text
    assert f"wrote {there}" not in said.lines


def test_a_second_run_changes_nothing(project: Project) -> None:
    project.run("init")
    before = files(project.folder)
    said = project.run("init")
    assert files(project.folder) == before
    assert not [line for line in said.lines if line.startswith("wrote")]


@pytest.mark.parametrize("name", ["specs/net.yml", "specs/more/net.yaml"])
def test_a_project_with_a_spec_gets_no_other(project: Project, name: str) -> None:
    project.write(name, "name: net\nextends: resnet18\n")
    assert project.run("init").code == 0
    assert set(files(project.folder)) == ALL - {SPEC} | {name}


def test_a_block_alone_is_no_spec(project: Project) -> None:
    project.write("specs/blocks/cell.yaml", "body: [{conv: 8}]\n")
    project.run("init")
    assert (project.folder / SPEC).is_file()
    assert "block-cell" in json.loads((project.folder / SCHEMA).read_text("utf-8"))["$defs"]


def test_a_workflow_with_the_other_suffix_is_kept(project: Project) -> None:
    project.write(".github/workflows/archspec.yaml", "{}\n")
    project.run("init")
    assert not (project.folder / WORKFLOW).exists()


@pytest.mark.parametrize("text", ["repos: []\n", "repos: [{repo: local, hooks: [archspec]}]\n"])
def test_hooks_of_others_are_told_what_to_add(project: Project, text: str) -> None:
    project.write(HOOKS, text)
    said = project.run("init")
    told = "archspec" not in text
    assert ("To add them" in said.out) is told
    added = said.out.partition("`repos`:\n")[2].partition("\nNext:")[0]
    shipped = yaml.safe_load((TEMPLATES / "init" / HOOKS).read_text("utf-8"))["repos"]
    expected = json.loads(json.dumps(shipped).replace("VERSION", __version__))
    assert yaml.safe_load(added) == (expected if told else None)


@pytest.mark.parametrize("there", [SCHEMA, WORKFLOW, HOOKS])
def test_a_link_that_leads_nowhere_is_kept(project: Project, there: str) -> None:
    path = project.folder / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(project.folder / "nowhere")
    assert project.run("init").code == 0
    assert not (project.folder / "nowhere").exists()


def test_a_broken_block_is_reported_and_nothing_is_written(project: Project) -> None:
    project.write("blocks/cell.yaml", "boddy: []\n")
    said = project.run("init")
    assert said.code == 1
    assert "blocks/cell.yaml:1" in said.err
    assert set(files(project.folder)) == {"blocks/cell.yaml"}


def test_a_file_in_the_way_of_a_folder(project: Project) -> None:
    project.write(".github", "mine\n")
    said = project.run("init")
    assert (said.code, said.out) == (2, "")
    assert ".github" in said.err
    assert set(files(project.folder)) == {".github"}
