"""What is there and cannot be read is an error with its name, never the same as nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import archspec
from archspec.diagnostics import UnreadableFile, visible
from archspec.files import is_there, names_in, read_bytes
from support.linting import HEAD, Project
from support.unreadable import KINDS, lock

USES = "stages: {layer1: {block: basic, channels: 8}}\n"
CLEAN = "stem: {conv1: {conv: {channels: 16, kernel: 3}}, bn1: norm, relu: act}\n"
COMMANDS = [
    ["lint"],
    ["lint", "--fix", "--no-cache"],
    ["build", "specs/net.yaml", "-o", "-"],
    ["show", "specs/net.yaml"],
]
BY_KIND = pytest.mark.parametrize("kind", KINDS)


@BY_KIND
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_block_that_cannot_be_read_is_not_the_built_in_one(
    kind: str, command: list[str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, reason = KINDS[kind]
    project.spec(USES)
    assert project.run(*command).code == 0  # the built-in one; lint has it in its cache
    (project.folder / "specs/blocks").mkdir()
    make(project.folder / "specs/blocks/basic.yaml", monkeypatch)
    said = project.run(*command)
    assert said.code == 2
    assert said.err.startswith("error: could not read `specs/blocks/basic.yaml`: ")
    assert reason in said.err
    assert said.err.count("\n") == 1


@BY_KIND
def test_nor_is_a_spec_that_is_extended(
    kind: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, reason = KINDS[kind]
    project.write("specs/net.yaml", "name: net\nextends: resnet18\n")
    make(project.folder / "specs/resnet18.yaml", monkeypatch)
    for command in (["lint", "specs/net.yaml"], ["build", "specs/net.yaml"]):
        said = project.run(*command)
        assert said.code == 2
        assert said.err.startswith("error: could not read `specs/resnet18.yaml`: ")
        assert reason in said.err


@pytest.mark.parametrize("kind", ["dangling", "circle", "pipe", "locked", "file"])
def test_nor_is_a_folder_of_blocks(
    kind: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.spec(USES)
    assert project.lint().code == 0
    blocks = project.folder / "specs/blocks"
    if kind == "locked":
        blocks.mkdir()
        lock(blocks, monkeypatch)
    elif kind == "file":
        blocks.write_text("")
    else:
        KINDS[kind][0](blocks, monkeypatch)
    for command in (["lint", "specs/net.yaml"], ["build", "specs/net.yaml"]):
        said = project.run(*command)
        assert said.code == 2
        assert said.err.startswith("error: could not read `specs/blocks")


@pytest.mark.parametrize("kind", ["dangling", "circle", "pipe"])
@pytest.mark.parametrize("command", ["lint", "build"])
def test_nor_is_the_folder_of_specs(
    kind: str, command: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    KINDS[kind][0](project.folder / "specs", monkeypatch)
    said = project.run(command)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: could not read `specs`: ")


def test_in_python_too(project: Project) -> None:
    project.spec(USES)
    os.mkfifo(project.folder / "specs/pipe")
    (project.folder / "specs/blocks").mkdir()
    (project.folder / "specs/blocks/basic.yaml").symlink_to("../pipe")
    with pytest.raises(UnreadableFile, match=r"basic\.yaml`: it is not a regular file"):
        archspec.load("specs/net.yaml")


def test_the_other_files_are_linted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.spec(USES)
    project.spec("stem: {conv1: {cov: 16}}\n", "other")
    (project.folder / "specs/blocks").mkdir()
    KINDS["pipe"][0](project.folder / "specs/blocks/basic.yaml", monkeypatch)
    said = project.lint()
    assert said.code == 2
    assert said.err.count("\n") == 1  # the block is linted, and the spec needs it
    assert "specs/other.yaml:3:16: AS120" in said.out


@pytest.mark.parametrize("more", [[], ["--fix"], ["--format=full"]])
def test_the_summary_does_not_leave_out_what_cannot_be_read(
    more: list[str], project: Project
) -> None:
    project.spec(CLEAN)
    said = project.lint("specs", "no.yaml", "nor.yaml", *more)
    assert (said.code, said.out) == (2, "1 spec is clean; 2 paths could not be read\n")
    project.spec("input: [3]\n")
    assert project.lint("specs", "no.yaml", *more).lines[-1].endswith("; 1 path could not be read")


@pytest.mark.parametrize("where", ["specs", "specs/inner", "specs/inner/deep"])
def test_a_folder_that_cannot_be_read_is_named(
    where: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.spec(CLEAN)
    (project.folder / where).mkdir(parents=True, exist_ok=True)
    lock(project.folder / where, monkeypatch)
    said = project.lint()
    assert (said.code, said.err) == (2, f"error: could not read `{where}`: permission denied\n")
    end = "1 spec is clean; 1 path could not be read\n"
    assert said.out == ("" if where == "specs" else end)


@BY_KIND
def test_build_leaves_out_no_spec_of_a_folder(
    kind: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for folders, which `lint` enters."""
    make, _ = KINDS[kind]
    project.spec(CLEAN)
    make(project.folder / "specs/other.yaml", monkeypatch)
    said = project.run("build")
    assert said.code == (0 if kind == "folder" else 2)
    assert kind == "folder" or "error: could not read `specs/other.yaml`: " in said.err
    assert (project.folder / "generated").exists() == (kind == "folder")


@BY_KIND
@pytest.mark.parametrize("name", ["archspec.toml", "pyproject.toml"])
@pytest.mark.parametrize("named", [[], ["specs/net.yaml"]])
def test_settings_that_cannot_be_read(
    kind: str, name: str, named: list[str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, reason = KINDS[kind]
    project.spec(CLEAN)
    make(project.folder / name, monkeypatch)
    said = project.lint(*named)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: could not read `{name}`: ")
    assert reason in said.err
    assert project.lint(*named, "--isolated").code == 0


@BY_KIND
def test_a_file_that_was_empty_and_is_in_the_cache(
    kind: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is not known as what is empty."""
    make, _ = KINDS[kind]
    file = project.write("specs/net.yaml", "")
    assert "AS108" in project.lint("specs/net.yaml").out
    file.unlink()
    assert "no such file" in project.lint("specs/net.yaml").err
    make(file, monkeypatch)
    said = project.lint("specs/net.yaml") if kind != "folder" else project.lint("specs")
    assert (said.code, said.out) == (2, "")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_not_there(name: str, tmp_path: Path) -> None:
    assert not is_there(tmp_path / name)
    assert names_in(tmp_path / name) == []


@pytest.mark.parametrize("name", ["a\nb", "a\\b\n", "\\x1b\x1b", "é\u202e\\n"])
def test_a_name_is_escaped_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableFile) as error:
        read_bytes(name)
    assert f"`{visible(name)}`" in str(error.value)


def test_a_long_name_is_unknown_and_no_more(project: Project) -> None:
    project.write("specs/net.yaml", f"name: net\nextends: {'x' * 300}\n")
    said = project.lint()
    assert said.code == 1
    assert "AS125 [extends]" in said.out
    project.write("specs/net.yaml", HEAD.format(name="net") + f"stem: [{'x' * 300}: 3]\n")
    assert project.lint().code == 1
