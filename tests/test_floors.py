"""The floors of the house: imports go one way, and torch lives on one floor only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import ROOT

PACKAGE = ROOT / "archspec"

#: Each floor may import those above it in this list that it names, and nothing else of ours.
FLOORS: dict[str, set[str]] = {
    "record": set(),
    "diagnostics": {"record"},
    "resources": set(),
    "expression": {"diagnostics", "record"},
    "source": {"diagnostics", "record", "resources"},
    "ir": {"diagnostics", "expression", "record"},
    "ops": {"ir"},
    "helpers": {"resources"},
    "language": {"diagnostics", "expression", "ir", "ops", "record", "resources", "source"},
    "lower": {"diagnostics", "expression", "helpers", "ir", "ops", "record", "resources", "source"}
    | {"language"},
    "analysis": {"expression", "ir", "record"},
    "rules": {"analysis", "diagnostics", "expression", "ir", "lower", "ops", "record", "resources"}
    | {"source", "language"},
    "lint": {"diagnostics", "record", "resources", "rules", "source", "language"},
    "codegen": {"analysis", "expression", "helpers", "ir", "resources"},
    "training": {"analysis", "codegen", "diagnostics", "ir", "resources", "language"},
    "plot": {"diagnostics"},
    "runtime": {"diagnostics", "expression", "helpers", "ir", "source"},
    "infer": {
        "analysis",
        "diagnostics",
        "lower",
        "ops",
        "resources",
        "runtime",
        "source",
        "language",
    },
    "reference": {"expression", "helpers", "ir", "ops", "resources", "source", "language"},
    "schema": {"ir", "ops", "reference", "resources", "source", "language"},
}
#: Doors to the house: they import what they like.
DOORS = {"__init__", "__main__", "api", "cli"}
TORCH = {"torch", "torchvision", "timm", "safetensors"}


def unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, but for those that only typing reads."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            module = node.module or ""
            yield module
            if module == "archspec":
                yield from (f"archspec.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child)


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    own = unit(path)
    if own in DOORS:
        return
    assert own in FLOORS, f"`{own}` has no floor yet: give it one in this test"
    used = {name.split(".")[1] for name in imports(path) if name.startswith("archspec.")}
    units = {unit(file) for file in FILES} - DOORS
    assert used & units <= FLOORS[own] | {own}
    assert not used & (DOORS - {"__init__"}) - {own}


def test_floors_have_no_circle() -> None:
    above: set[str] = set()
    waiting = dict(FLOORS)
    while waiting:
        free = {name for name, below in waiting.items() if below <= above}
        assert free, f"a circle among {sorted(waiting)}"
        above |= free
        waiting = {name: below for name, below in waiting.items() if name not in free}


@pytest.mark.parametrize(
    ("modules", "floor"),
    [(TORCH, "runtime"), ({"matplotlib"}, "plot")],
    ids=["torch", "matplotlib"],
)
def test_a_heavy_library_lives_on_one_floor(modules: set[str], floor: str) -> None:
    for path in FILES:
        if unit(path) != floor:
            used = {name.partition(".")[0] for name in imports(path)}
            assert not used & modules, path


@pytest.mark.parametrize(
    ("code", "unloaded"),
    [
        ("import archspec", ["torch", "pydantic", "jinja2", "yaml", "archspec.language"]),
        ("import archspec; archspec.analyze('resnet18')", ["torch", "jinja2"]),
        ("import archspec; archspec.render('resnet18')", ["torch"]),
        ("import archspec.plot", ["matplotlib"]),
    ],
)
def test_what_is_not_used_is_not_imported(code: str, unloaded: list[str]) -> None:
    check = f"{code}\nimport sys\nprint([name for name in {unloaded} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
