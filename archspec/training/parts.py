"""The parts of a script: it contains the functions, imports, and constants that it uses."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from copy import copy
from functools import cache
from inspect import getsource
from typing import TYPE_CHECKING, Any

from archspec import resources
from archspec.codegen.layout import STEP
from archspec.codegen.view import wrapped
from archspec.language.train import REGULARISERS
from archspec.python import parse_python
from archspec.training.choices import Choices

if TYPE_CHECKING:
    import jinja2


Definition = ast.FunctionDef | ast.ClassDef
Imported = frozenset[tuple[str | None, str, str | None]]  # module, name, and its name in the script

OF_REGULARISERS = "# The functions of the regularizers are inserted here."
FILLED = ("standard", "torch", "network", "constants", "parts")  # last, as the names in use decide
EARLY = {"signal"}  # imported by the template, before a signal may arrive  # english: ok


def allowed(node: ast.Import | ast.ImportFrom, own: Set[str]) -> bool:
    """Whether a script may import this: what its parts import, or what is in its `own` lines."""
    return ast.unparse(node) in own or _of(node) <= _known()


def _of(node: ast.Import | ast.ImportFrom) -> Imported:
    module = node.module if isinstance(node, ast.ImportFrom) else None
    return frozenset((module, alias.name, alias.asname) for alias in node.names)


@cache
def _known() -> Imported:
    """Everything that the parts of a script import."""
    parts = (node for text in _parts().values() for node in ast.walk(parse_python(text)))
    inside = (node for node in parts if isinstance(node, (ast.Import, ast.ImportFrom)))
    return frozenset[Any]().union(*map(_of, [*_imports(), *inside]))


def assemble(template: jinja2.Template, view: Choices, spec: str) -> str:
    """The script with everything that it uses, and nothing else."""
    bare = template.render(view=view, **dict.fromkeys(FILLED, ("pass",)))
    used = _names(bare)
    wanted = _closure(used)
    used = used.union(*(_reads()[name] for name in wanted))
    parts = [source for name, source in _parts().items() if name in wanted]
    constants = [line for name, line in view.constants(spec) if name in used]
    for line in constants:
        used |= _names(line)
    lines = [*_imported(used - EARLY)]
    text = template.render(
        view=view,
        standard=[line for line in lines if not _is_of_torch(line)],
        torch=[*filter(_is_of_torch, lines)],
        network=_network(view),
        constants=constants,
        parts=parts,
    )
    return "\n".join(line.rstrip() for line in text.split("\n"))


def classes_of(source: str) -> Sequence[str]:
    """The classes of a model file, as lines, with two empty ones before each."""
    lines, found = source.splitlines(), list[str]()
    for node in parse_python(source).body:
        if isinstance(node, ast.ClassDef):
            found += ["", "", *lines[node.lineno - 1 : node.end_lineno]]
    return found


@cache
def _text() -> str:
    return (resources.TEMPLATES / "training.py").read_text(encoding="utf-8")


@cache
def _imports() -> list[ast.Import | ast.ImportFrom]:
    """The imports at the start of the template."""
    body = parse_python(_text()).body
    return [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]


def _imported(used: Set[str]) -> Iterator[str]:
    """The lines of the template that import these names, without other names."""
    for node in _imports():
        one = copy(node)
        one.names = [alias for alias in node.names if (alias.asname or alias.name) in used]
        if one.names:
            yield ast.unparse(one)


def _is_of_torch(line: str) -> bool:
    return re.match(r"(import|from) torch\b", line) is not None


@cache
def _parts() -> dict[str, str]:
    """Function or class that a script may use -> its source, in order."""
    first, last = _text().split(OF_REGULARISERS)
    found = dict(_defined(first, (ast.FunctionDef, ast.ClassDef)))
    for part in REGULARISERS:
        found |= _defined(getsource(sys.modules[part.__module__]), (ast.FunctionDef,))
    return found | dict(_defined(last, (ast.FunctionDef, ast.ClassDef)))


def _defined(text: str, kinds: tuple[type[Definition], ...]) -> Iterator[tuple[str, str]]:
    """The public functions and classes of a module."""
    lines = text.splitlines()
    for node in parse_python(text).body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            yield node.name, "\n".join(lines[first - 1 : node.end_lineno])


@cache
def _reads() -> dict[str, set[str]]:
    """Part -> the names that it uses."""
    return {name: _names(source) for name, source in _parts().items()}


def _closure(used: set[str]) -> set[str]:
    """The parts that are used, and those that they use."""
    reads, wanted, open_ = _reads(), set[str](), used
    while new := (open_ & reads.keys()) - wanted:
        wanted |= new
        open_ = {name for part in new for name in reads[part]}
    return wanted


def _names(source: str) -> set[str]:
    """The names that a module reads, without the variables of its functions."""
    return set[str]().union(*map(_reads_of, parse_python(source).body))


def _reads_of(node: ast.stmt) -> set[str]:
    names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    own = isinstance(node, ast.FunctionDef)
    stored = {name.id for name in names if own and isinstance(name.ctx, ast.Store)}
    return {name.id for name in names} - stored


def _network(view: Choices) -> Iterable[str]:
    return wrapped(f"from {view.name} import {view.class_name}", STEP)
