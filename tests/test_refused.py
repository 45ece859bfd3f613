"""Inputs that archspec cannot use: a message, a hint, and an exit code, in every command."""

from __future__ import annotations

import ast
import importlib
import pickle
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import archspec
from archspec.diagnostics import ArchspecError, SpecError
from support.linting import HEAD, Project

ROOT = Path(archspec.__file__).parent


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def exceptions() -> list[type[Exception]]:
    """Those that archspec defines."""
    for module in pkgutil.walk_packages([str(ROOT)], "archspec."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = (kind for kind in below(Exception) if kind.__module__.startswith("archspec."))
    return sorted(set(ours), key=lambda kind: kind.__name__)


def caught() -> set[str]:
    """The names after `except` and in `suppress(...)` in the package."""
    nodes = (
        node for file in ROOT.rglob("*.py") for node in ast.walk(ast.parse(file.read_text("utf-8")))
    )
    return {
        one.id
        for node in nodes
        for kind in _caught_at(node)
        for one in ast.walk(kind)
        if isinstance(one, ast.Name)
    }


def _caught_at(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.ExceptHandler(type=ast.expr() as kind):
            return [kind]
        case ast.Call(func=ast.Name("suppress"), args=kinds):
            return kinds
    return []


def test_every_exception_is_caught_or_has_a_message_for_people() -> None:
    inside = caught()
    for kind in exceptions():
        ours = issubclass(kind, ArchspecError | ImportError)
        assert ours or kind.__name__ in inside, f"{kind} would end a command as a bug"


def test_a_command_prints_what_it_refuses(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [kind for kind in exceptions() if issubclass(kind, ArchspecError)]
    for kind in (kind for kind in kinds if not issubclass(kind, SpecError)):
        error = kind("the \x1b fault")
        error.hint, error.more = "the remedy", ("the details",)

        def refuse(args: Any, error: Exception = error) -> int:
            raise error

        monkeypatch.setattr("archspec.cli.listing.run", refuse)
        said = project.run("list")
        assert said.code == kind.exit_code
        assert said.err == "error: the \\x1b fault\nthe details\nhelp: the remedy\n"
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_errors_of_a_spec_reach_another_process() -> None:
    with pytest.raises(SpecError) as caught:
        archspec.load({"name": "net", "input": [3, 8, 8], "stem": [{"cnov": 8}], "heda": []})
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.diagnostics == caught.value.diagnostics
    assert [finding.message for finding in error.diagnostics] == ["unknown key `heda`"]


def test_settings_with_a_fault_are_shown_by_build(project: Project) -> None:
    own = "blocks: {mine: {import: torch.nn.Identity, like: identity}}\nstem: [mine, {conv: 8}]\n"
    project.write("net.yaml", HEAD.format(name="net") + own)
    project.write("archspec.toml", 'ignroe = ["AS3"]\n')
    said = project.run("build", "net.yaml")
    assert said.code == 2
    assert said.err == (
        "error: unknown key `ignroe`\n --> archspec.toml:1:1\n  |\n"
        '1 | ignroe = ["AS3"]\n  | ^^^^^^\nhelp: did you mean `ignore`?\n'
    )
    assert said.err == project.run("lint", "net.yaml").err


def test_weights_that_do_not_fit_end_an_export(project: Project) -> None:
    project.write("net.yaml", HEAD.format(name="net") + "stem: [{conv: 8}]\n")
    torch.save({"other": torch.zeros(1)}, "weights.pt")
    said = project.run("export", "net.yaml", "--weights", "weights.pt", "--pt2", "net.pt2")
    assert said.code == 2
    first, *more = said.err.splitlines()
    assert first == "error: `weights.pt` does not match Net; nothing was loaded"
    assert "    other" in more
    assert not Path("net.pt2").exists()
