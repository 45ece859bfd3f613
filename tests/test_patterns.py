"""Paths and patterns in settings: one syntax, and what matches nothing is said."""

from __future__ import annotations

import codecs
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.lint.config import read
from archspec.lint.lookup import rule_codes
from archspec.lint.patterns import matches
from archspec.lint.settings import Settings
from archspec.paths import display_path
from support.linting import HEAD, Project

#: One warning, AS304 redundant-bias, which `--fix` fixes.
BIAS = "stem:\n  conv1: {conv: {channels: 16, kernel: 3, bias: true}}\n  bn1: norm\n"
CLEAN = "stem:\n  conv1: {conv: {channels: 16, kernel: 3}}\n  bn1: norm\n"
OLD = "specs/old/b.yaml"

#: A pattern, and whether it fits `specs/old/b.yaml`.
PATTERNS = {
    "specs/old": True,
    "specs/old/": True,
    "./specs/old": True,
    "./specs/old/*": True,
    "/specs/old": True,
    "/specs/old/": True,
    "specs//old/": True,
    "specs/./old": True,
    "specs/old/*": True,
    "specs/old/b.yaml": True,
    "specs/*/b.yaml": True,
    "specs/o?d": True,
    "specs/[a-o]ld": True,
    "specs/old/**": True,
    "specs/**/b.yaml": True,
    "**/old": True,
    "**/specs/old/": True,
    "**/b.yaml": True,
    "specs": True,
    "specs/": True,
    "old": True,
    "old/": True,
    "/old": False,
    "./old": False,
    "/old/": False,
    ".": True,
    "./": True,
    "b.yaml": True,
    "b*": True,
    "*.yaml": True,
    "*": True,
    "specs/ol": False,
    "specs/old/b": False,
    "pecs/old": False,
    "ol": False,
    "yaml": False,
    "other/*": False,
    "": False,
    "/": False,
}


@pytest.fixture
def two(project: Project) -> Project:
    project.write(OLD, HEAD.format(name="b") + BIAS)
    project.write("specs/a.yaml", HEAD.format(name="a") + CLEAN)
    return project


def settings_with(project: Project, text: str) -> Settings:
    return read(str(project.write("archspec.toml", text)), rule_codes())


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("here", ["", "specs", "specs/old", "other"])
def test_a_pattern_means_the_same_in_both_lists_and_in_every_folder(
    pattern: str, here: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / here).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(project.folder / here)
    if pattern.rstrip("/") in here.split("/"):
        return  # a name of a folder that the working directory is in
    file, key = str(project.folder / OLD), json.dumps(pattern)
    exclude = settings_with(project, f"exclude = [{key}]\n").exclude
    ignores = settings_with(project, f"[per-file-ignores]\n{key} = ['AS304']\n").per_file_ignores
    assert exclude == (ignores[0][0],)
    assert matches(file, exclude) == matches(display_path(file), exclude) == PATTERNS[pattern]


@pytest.mark.parametrize("pattern", ["specs/old", "specs/old/", "./specs/old/*", "/specs/old"])
def test_both_lists_obey_it(pattern: str, two: Project) -> None:
    two.write("archspec.toml", f"exclude = ['{pattern}']\n")
    assert two.lint().out == "1 spec is clean\n"
    two.write("archspec.toml", f"[per-file-ignores]\n'{pattern}' = ['AS304']\n")
    assert two.lint().out == "2 specs are clean\n"


@pytest.mark.parametrize("pattern", ["specs/old/", "./specs/old", "{0}/specs/old", "/specs/old"])
def test_on_the_command_line_too(pattern: str, project: Project) -> None:
    project.write(OLD, HEAD.format(name="b") + BIAS)
    project.write("specs/a.yaml", HEAD.format(name="a") + CLEAN)
    pattern = pattern.format(project.folder)
    assert project.lint("--exclude", pattern).out == "1 spec is clean\n"
    assert project.lint("--per-file-ignores", f"{pattern}:AS304").out == "2 specs are clean\n"


def test_a_folder_whose_name_has_brackets(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.folder / "a[b]*"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert matches("specs/old/b.yaml", ["specs/old"])
    assert not matches("specs/new/b.yaml", ["specs/old"])


def test_a_folder_that_is_named_is_linted_all_the_same(project: Project) -> None:
    project.write(OLD, HEAD.format(name="b") + BIAS)
    for pattern in ("specs/old", "specs/old/", "old"):
        assert "AS304" in project.lint("--exclude", pattern, "specs/old").out


# What matches nothing -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ("exclude = ['specs/odl']", "`exclude` has `specs/odl`, which matches no files"),
        ("exclude = ['specs/old', 'olds']", "`exclude` has `olds`, which matches no files"),
        ("exclude = ['*.yml']", "`exclude` has `*.yml`, which matches no files"),
        ("exclude = ['']", "`exclude` has ``, which matches no files"),
        (
            "per-file-ignores = {'specs/odl/*' = ['AS3']}",
            "`per-file-ignores` has `specs/odl/*`, which matches no files",
        ),
        ("paths = ['specs', 'empty']", "no specs found in `empty`"),
    ],
)
def test_an_entry_that_matches_nothing_is_a_warning(
    settings: str, warning: str, two: Project
) -> None:
    (two.folder / "empty").mkdir()
    two.write("archspec.toml", f"{settings}\n")
    for _ in range(2):  # the second time from the cache
        said = two.lint()
        assert (said.code, said.err) == (0, f"warning: {warning}\n")
    assert two.lint("--diff").err.startswith(f"warning: {warning}\n")


@pytest.mark.parametrize(
    "settings",
    [
        "exclude = ['specs/old/', 'old', 'b.yaml']",
        "exclude = ['unrelated']",  # it is there, and may be named
        "per-file-ignores = {'specs/old' = ['AS3'], 'unrelated/' = ['AS3']}",
        "paths = ['./specs/', 'specs/old']",
        "paths = ['specs', 'unrelated']\nexclude = ['unrelated/*']",
    ],
)
def test_what_matches_is_no_warning(settings: str, two: Project) -> None:
    two.write("unrelated/c.yaml", HEAD.format(name="c") + CLEAN)
    two.write("specs/b.yaml", HEAD.format(name="b2") + CLEAN)
    two.write("archspec.toml", f"{settings}\n")
    assert "matches" not in two.lint().err
    assert "no spec" not in two.lint().err


def test_nor_is_what_concerns_other_files_than_those_named(two: Project) -> None:
    two.write("archspec.toml", "exclude = ['specs/odl']\n")
    assert two.lint("specs/a.yaml").err == ""


@pytest.mark.parametrize("paths", ["['specs', 'spec']", "['spec/']", "['specs/../spec']"])
def test_a_path_that_is_missing_is_an_error(paths: str, two: Project) -> None:
    two.write("archspec.toml", f"paths = {paths}\n")
    said = two.lint()
    assert (said.code, said.out) == (2, "")
    assert "error: `paths` in `archspec.toml` names `spec" in said.err
    assert "which does not exist" in said.err


# Standard input -------------------------------------------------------------------------


def piped(project: Project, monkeypatch: pytest.MonkeyPatch, text: bytes, *args: str) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    said = project.lint("-", *args)
    assert (said.code, said.err) == (0, "")
    return said.out


@pytest.mark.parametrize("name", ["specs/old/net.yaml", "./specs/old/net.yaml", "{0}/specs/old/n"])
@pytest.mark.parametrize(
    "text", [HEAD.encode() + BIAS.encode(), b"not: a spec\r\n", b"\xff\xfe", b""]
)
def test_standard_input_under_an_excluded_name_passes_through(
    name: str, text: bytes, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("archspec.toml", "exclude = ['specs/old']\nforce-exclude = true\n")
    named = ["--stdin-filename", name.format(project.folder)]
    assert piped(project, monkeypatch, text, *named) == ""
    assert (
        json.loads(piped(project, monkeypatch, text, *named, "--format", "json"))["findings"] == []
    )
    stdout = io.TextIOWrapper(io.BytesIO())
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        piped(project, patch, text, *named, "--fix")
        stdout.flush()
        assert stdout.buffer.getvalue() == text


def test_without_force_it_is_linted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("archspec.toml", "exclude = ['specs/old']\n")
    text = (HEAD.format(name="net") + BIAS).encode()
    assert "AS304" in piped(project, monkeypatch, text, "--stdin-filename", "specs/old/net.yaml")


def test_the_settings_are_those_of_its_name(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("inner/archspec.toml", "ignore = ['AS304']\n")
    text = (HEAD.format(name="net") + BIAS).encode()
    assert "AS304" in piped(project, monkeypatch, text, "--stdin-filename", "net.yaml")
    assert "AS304" not in piped(project, monkeypatch, text, "--stdin-filename", "inner/net.yaml")


# Byte order marks -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["archspec.toml", "pyproject.toml"])
def test_settings_with_a_byte_order_mark(name: str, two: Project) -> None:
    table = b"[tool.archspec]\n" * (name == "pyproject.toml")
    two.write(name, codecs.BOM_UTF8 + table + b"ignore = ['AS304']\n")
    assert two.lint().out == "2 specs are clean\n"


#: How text is saved elsewhere, and what is said of it.
ENCODINGS = {"utf-16": "UTF-16", "utf-32": "UTF-32", "latin-1": "not UTF-8"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_encoding_is_named(encoding: str, two: Project) -> None:
    two.write("specs/a.yaml", f"# naïve\n{CLEAN}".encode(encoding))
    said = two.lint("specs/a.yaml", "--format", "full")
    assert "[AS107]" in said.out
    assert ENCODINGS[encoding] in said.out
    two.write("archspec.toml", "# naïve\nignore = ['AS304']\n".encode(encoding))
    said = two.lint()
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(
        f"error: could not read `archspec.toml`: it is {ENCODINGS[encoding]}\n"
    )


def test_a_baseline_with_a_byte_order_mark(two: Project) -> None:
    two.lint("--write-baseline", "known.json")
    file = two.folder / "known.json"
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    assert two.lint("--baseline", "known.json", "--strict").code == 0


TEXTS = {
    "mark": "\ufeff" + HEAD.format(name="net") + BIAS,
    "mark and CRLF": "\ufeff" + (HEAD.format(name="net") + BIAS).replace("\n", "\r\n"),
    "CRLF": (HEAD.format(name="net") + BIAS).replace("\n", "\r\n"),
    "no line end": HEAD.format(name="net") + BIAS.rstrip("\n"),
    "line feeds and returns": HEAD.format(name="net") + "# a\r# b\r" + BIAS,
    "returns alone": (HEAD.format(name="net") + BIAS).replace("\n", "\r"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_diff_is_of_the_bytes_of_the_file(kind: str, project: Project) -> None:
    file = project.write("specs/net.yaml", TEXTS[kind])
    before = file.read_bytes()
    said = project.lint("--diff")
    assert said.code == 1
    patch = project.write("p.patch", said.out)
    assert file.read_bytes() == before
    done = subprocess.run(["git", "apply", str(patch)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    patched = file.read_bytes()
    file.write_bytes(before)
    assert project.lint("--fix").code == 0
    assert file.read_bytes() == patched != before


def test_devices_of_windows_are_no_names(project: Project) -> None:
    for name in ("aux", "CON", "nul", "com1", "LPT9"):
        project.write(f"specs/{name}.yaml", HEAD.format(name=name) + CLEAN)
        said = project.lint(f"specs/{name}.yaml")
        assert f"AS117 [bad-name] `{name}.py` is not a valid file name on Windows" in said.out
        assert project.run("build", f"specs/{name}.yaml").code == 1
    project.write("specs/blocks/prn.yaml", "body: [{conv: channels}, norm]\n")
    assert "`prn.yaml` is not a valid file name on Windows" in project.lint("specs/blocks").out
    for name in ("com0", "com10", "auxiliary", "lpt"):
        project.write(f"specs/{name}.yaml", HEAD.format(name=name) + CLEAN)
        assert project.lint(f"specs/{name}.yaml").code == 0


def test_the_path_of_a_pattern_is_relative_to_its_file(tmp_path: Path) -> None:
    assert matches(str(tmp_path / "a" / "b.yaml"), [f"{tmp_path}/a"])
    assert not matches(str(tmp_path / "a" / "b.yaml"), ["a/b.yaml"])
