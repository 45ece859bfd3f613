"""The floors of the house: imports go one way, and torch lives on three floors only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

import pytest

from support import ROOT

PACKAGE = ROOT / "archspec"


def _floors() -> dict[str, set[str]]:
    """Package -> the packages it may import: the table in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[a-z`, ]+) \| .* \| ?([a-z, ]*) ?\|$", text, re.MULTILINE)
    return {
        package: set(re.findall(r"[a-z]+", imports))
        for packages, imports in rows
        for package in re.findall(r"[a-z]+", packages)
    }


FLOORS = _floors()
#: Doors to the house: they import what they like.
DOORS = {"__init__", "__main__", "api", "cli"}
TORCH = {"torch", "torchvision", "timm", "safetensors", "onnx", "onnxruntime", "openvino"}


def unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path: Path, typing: bool = True) -> list[str]:
    """The modules that a file imports anywhere; those for type checkers alone if `typing`."""
    return list(_imports(path, typing))


def _imports(path: Path, typing: bool) -> Iterator[str]:
    for node in _nodes(tree(path), typing):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _nodes(node: ast.AST, typing: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if typing or not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from _nodes(child, typing)


FILES = sorted(PACKAGE.rglob("*.py"))


def test_each_package_has_a_row() -> None:
    missing = {unit(path) for path in FILES} - DOORS - FLOORS.keys()
    assert not missing, f"give {missing} a row in CONTRIBUTING.md"


def test_imports_go_one_way() -> None:
    units = ({unit(path) for path in FILES} | DOORS) - {"__init__"}
    wrong = {}
    for path in FILES:
        if (own := unit(path)) not in DOORS:
            used = {name.split(".")[1] for name in imports(path) if name.startswith("archspec.")}
            wrong[str(path)] = used & units - FLOORS[own] - {own}
    assert not {path: names for path, names in wrong.items() if names}


def test_floors_have_no_circle() -> None:
    above: set[str] = set()
    waiting = dict(FLOORS)
    while waiting:
        free = {name for name, below in waiting.items() if below <= above}
        assert free, f"a circle among {sorted(waiting)}"
        above |= free
        waiting = {name: below for name, below in waiting.items() if name not in free}


def test_modules_have_no_circle() -> None:
    """Imports inside functions and for typing count; a package's `__init__` is what it imports."""
    paths = {_module(path): path for path in FILES}
    left = {name: _modules(path, paths.keys()) - {name} for name, path in paths.items()}
    while free := [name for name, used in left.items() if not used & left.keys()]:
        for name in free:
            del left[name]
    assert not left


def _modules(path: Path, known: Set[str]) -> set[str]:
    """What a file imports: of `from a import b` it is `a.b`, if that is a module, and else `a`."""
    found = {name for name in imports(path) if name in known}
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize(
    ("modules", "floors"),
    [(TORCH, {"runtime", "verify", "export"}), ({"matplotlib"}, {"plot"})],
    ids=["torch", "matplotlib"],
)
def test_a_heavy_library_lives_on_its_floors(modules: set[str], floors: set[str]) -> None:
    for path in FILES:
        if unit(path) not in floors:
            used = {name.partition(".")[0] for name in imports(path, typing=False)}
            assert not used & modules, path


REPORT = """from archspec.api import load
from archspec.report import Subject, page
page([Subject("unet", load("unet"))], "")"""


@pytest.mark.parametrize(
    ("code", "unloaded"),
    [
        ("import archspec", ["torch", "pydantic", "jinja2", "yaml", "archspec.language"]),
        ("import archspec; archspec.analyze('resnet18')", ["torch", "jinja2", "archspec.rules"]),
        ("import archspec; archspec.render('resnet18')", ["torch"]),
        ("import archspec.cli.diff", ["torch", "jinja2", "matplotlib"]),
        ("import archspec.plot", ["matplotlib"]),
        (REPORT, ["torch", "matplotlib"]),
    ],
)
def test_what_is_not_used_is_not_imported(code: str, unloaded: list[str]) -> None:
    check = f"{code}\nimport sys\nprint([name for name in {unloaded} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("wrong", ["input: 3", "stem: [conv2d]", "stem: [{conv: 0}]"])
def test_an_error_has_its_code_though_rules_are_imported_late(wrong: str) -> None:
    code = f"import archspec, yaml\narchspec.load(yaml.safe_load('{{name: n, {wrong}}}'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert re.search(r"error \[AS1\d\d [a-z-]+\]", done.stderr), done.stderr


#: What may be imported where it is used: it brings torch, jinja2, matplotlib, Pillow or a process
#: pool.
HEAVY = TORCH | {"jinja2", "matplotlib", "PIL", "concurrent.futures", "archspec.cli.passes.listing"}
HEAVY |= {
    f"archspec.{floor}"
    for floor in ("codegen", "training", "runtime", "plot", "infer", "report", "verify", "export")
}
#: The public names, and what a run that the cache answers does without.
LATE = {"__main__.py", "__init__.py", "api.py", "lint/deferred.py"}


def test_imports_stand_at_the_top() -> None:
    late = {
        path: inside(path) for path in FILES if path.relative_to(PACKAGE).as_posix() not in LATE
    }
    assert not {str(path): names for path, names in late.items() if names}


def inside(path: Path) -> set[str]:
    """What functions of a file import that is not heavy."""
    functions = [n for n in ast.walk(tree(path)) if is_function(n)]
    names = set()
    for node in {node for function in functions for node in ast.walk(function)}:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names} - HEAVY
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if not any(f"{module}.".startswith(f"{heavy}.") for heavy in HEAVY):
                names.add(module)
    return names


def is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
