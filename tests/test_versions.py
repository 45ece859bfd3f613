"""What another version has written is recognised, and what is promised of versions is tried."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import archspec.training
from archspec.api import render_training
from archspec.lint import cache as caches
from support import ROOT
from support.linting import Project

CLEAN = "stem: [{conv: 8}]\n"
RECIPE = {"data": "fashion_mnist", "epochs": 2, "batch_size": 8, "lr": 0.1}
NET = {
    "name": "net",
    "input": [1, 28, 28],
    "stem": [{"conv": 8}, "global_avg_pool", "flatten"],
    "head": [{"linear": 10}],
    "train": RECIPE,
}


def test_the_lowest_versions_of_pyproject_are_those_that_continuous_integration_tries() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    exact = re.compile(r"[a-z0-9]+>=\d+(\.\d+)+")
    assert [d for d in project["dependencies"] if not exact.fullmatch(d)] == []
    assert re.fullmatch(r">=\d+\.\d+", project["requires-python"])
    assert (ROOT / ".ci/run").read_text("utf-8").endswith("\n.ci/lowest\n")
    script = (ROOT / ".ci/lowest").read_text("utf-8")
    listed = re.search(r"^core=\((.*?)\)", script, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert [n for n in listed[1].split() if not (ROOT / f"tests/test_{n}.py").is_file()] == []


@pytest.mark.parametrize("folder", ["archspec", "templates", "generated"])
def test_docstrings_are_text(folder: str) -> None:
    """Python 3.13 compiles no docstring with half a surrogate, which UTF-8 cannot write."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, documented):
                (ast.get_docstring(node) or "").encode()  # raises UnicodeEncodeError


# The cache ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", caches.LIBRARIES)
def test_a_cache_is_void_with_another_library(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = caches.stamp()
    found = caches.find_spec(name)
    assert found is not None
    other = tmp_path / "__init__.py"
    other.write_text("", "utf-8")

    class Other:
        origin = str(other)

    real = caches.find_spec
    monkeypatch.setattr(caches, "find_spec", lambda n: Other if n == name else real(n))
    assert caches.stamp() != before


@pytest.mark.parametrize("origin", [None, "built-in", "/nowhere/__init__.py"])
def test_a_library_without_a_file_does_no_harm(
    origin: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other:
        pass

    Other.origin = origin  # type: ignore[attr-defined]
    monkeypatch.setattr(caches, "find_spec", lambda _: Other)
    assert caches.stamp()


@pytest.mark.parametrize("head", ['{"version": 0, ', '{"version": 2, ', '{"stamp": "a", ', "[1, "])
def test_a_cache_of_another_format_is_none(project: Project, head: str) -> None:
    project.spec("stem: [{conv: 8, kernel: 3}]\n")
    said = project.lint()
    for shard in Path(".archspec_cache").glob("*.json"):
        text = shard.read_text("utf-8")
        shard.write_text(head + text.partition(", ")[2].replace("AS", "XX"), "utf-8")
    assert project.lint() == said


# A baseline ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2", "0", '"1"', "true", "null", "[1]", '"\\u001b[1m"', "1.5"])
def test_a_baseline_of_another_version_is_named(project: Project, version: str) -> None:
    project.spec(CLEAN)
    project.write("known.json", f'{{"version": {version}, "findings": []}}')
    said = project.lint("--baseline", "known.json")
    assert said.code == 2
    assert "its format is version" in said.err
    assert "--write-baseline known.json" in said.err
    assert "\x1b" not in said.err


# A checkpoint -------------------------------------------------------------------------


def spec_of(script: str) -> str:
    """The hash that a script compares with that of a checkpoint."""
    (found,) = re.findall(r'^SPEC = "([0-9a-f]{16})"', script, re.MULTILINE)
    return str(found)


def test_a_script_of_another_version_does_not_go_on_with_a_checkpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = spec_of(render_training(NET))
    assert spec_of(render_training(NET, single_file=True)) == before
    real = archspec.training.assemble
    monkeypatch.setattr(
        archspec.training, "assemble", lambda *given: real(*given).replace("momentum", "momentum ")
    )
    assert spec_of(render_training(NET)) != before


@pytest.mark.parametrize("key", ["epochs", "batch_size", "lr"])
def test_nor_does_one_of_another_recipe(key: str) -> None:
    other = {**NET, "train": {**RECIPE, key: 4}}
    assert spec_of(render_training(other)) != spec_of(render_training(NET))
