"""The lines of a generated source that construct or apply each layer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple


class Lines(NamedTuple):
    """A range of lines: the first and the last."""

    first: int
    last: int


class Part(NamedTuple):
    """Lines that construct or apply a layer: a pattern of its attribute, and the classes it calls.

    The first class is that of the layer itself, the others are those of its arguments.
    """

    attribute: str
    lines: Lines
    called: tuple[str, ...] = ()


def constructed(function: ast.FunctionDef) -> Iterator[Part]:
    """What a constructor creates: attributes, and the children of a sequential class."""
    waiting: dict[str, Lines] = {}  # lists of layers, which one statement then takes
    for node in function.body:
        lines = whole(node)
        names = [*_set(node)]
        for name, value in names:
            inner = (n.id for n in ast.walk(node) if isinstance(n, ast.Name))
            taken = [waiting[name] for name in inner if name in waiting]
            first = min([lines.first, *(x.first for x in taken)])
            yield Part(name, Lines(first, lines.last), _called(value))
            yield from _children(name, value)
        if names:
            waiting.clear()
        elif variable := _grown(node):
            first = waiting.get(variable, lines).first
            waiting[variable] = Lines(first, lines.last)
        elif isinstance(node, ast.Expr) and ast.unparse(node).startswith("super().__init__("):
            assert isinstance(node.value, ast.Call)
            yield from _numbered("", node.value.args)


def _grown(node: ast.stmt) -> str:
    """The list that a statement creates or extends."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.AnnAssign, ast.AugAssign)) and isinstance(inner.target, ast.Name):
            return inner.target.id
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.List):
            target = inner.targets[0]
            return target.id if isinstance(target, ast.Name) else ""
        if isinstance(inner, ast.Attribute) and inner.attr == "append":
            return inner.value.id if isinstance(inner.value, ast.Name) else ""
    return ""


def _set(node: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """The attributes that a statement sets, as patterns, and their values."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.Assign, ast.AnnAssign)):
            target = inner.targets[0] if isinstance(inner, ast.Assign) else inner.target
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                yield target.attr, inner.value
        elif isinstance(inner, ast.Call) and ast.unparse(inner.func) == "self.add_module":
            yield _pattern(inner.args[0]), inner.args[1]


def _pattern(name: ast.expr) -> str:
    """A name; if it contains the index of a loop, a pattern."""
    if isinstance(name, ast.Constant):
        return str(name.value)
    parts = name.values if isinstance(name, ast.JoinedStr) else ()
    texts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"\d+" for p in parts)
    return "".join(texts)


def _children(name: str, value: ast.expr | None) -> Iterator[Part]:
    """The children of a torch container, as far as their number is known."""
    if not isinstance(value, ast.Call):
        return
    made = ast.unparse(value.func)
    if made == "nn.Sequential":
        yield from _numbered(name, value.args)
    elif made == "nn.ModuleList" and value.args and isinstance(value.args[0], ast.List):
        yield from _numbered(name, value.args[0].elts)
    elif made == "nn.ModuleDict" and value.args and isinstance(value.args[0], ast.Dict):
        pairs = zip(value.args[0].keys, value.args[0].values, strict=True)
        for key, item in pairs:
            if isinstance(key, ast.Constant):
                yield from _child(f"{name}.{key.value!s}", item)


def _numbered(name: str, values: list[ast.expr]) -> Iterator[Part]:
    start = f"{name}." if name else ""
    for place, item in enumerate(values):
        if isinstance(item, ast.Starred):  # how many these are may be a parameter
            if not isinstance(item.value, ast.Name):
                yield Part(f"{start}{place}", whole(item))
            return
        yield from _child(f"{start}{place}", item)


def _child(name: str, item: ast.expr) -> Iterator[Part]:
    yield Part(name, whole(item), _called(item))
    yield from _children(name, item)


def applied(function: ast.FunctionDef) -> Iterator[Part]:
    """The layers that a `forward` applies."""
    inner = {
        id(n.value) for n in ast.walk(function) if isinstance(n, (ast.Attribute, ast.Subscript))
    }
    for node in ast.walk(function):
        if id(node) not in inner and (steps := [*_steps(node)]):
            assert isinstance(node, ast.expr)
            yield Part(".".join(steps), whole(node))


def _steps(node: ast.AST) -> Iterator[str]:
    """The names in an expression such as `self.convs[0]`, in order."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            yield name
        case ast.Subscript(value=value, slice=ast.Constant(value=key)):
            if steps := [*_steps(value)]:
                yield from (*steps, str(key))


def whole(node: ast.stmt | ast.expr) -> Lines:
    return Lines(node.lineno, node.end_lineno or node.lineno)


def _called(value: ast.expr | None) -> tuple[str, ...]:
    """The classes of this file that a call constructs, the outermost first."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return ()
    functions = (n.func for n in ast.walk(value) if isinstance(n, ast.Call))
    return tuple(function.id for function in functions if isinstance(function, ast.Name))
