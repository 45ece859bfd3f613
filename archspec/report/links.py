"""Lines of the generated source, and the places of the spec that made them.

The source is parsed: a class, its constructor's statements and those of `forward` are the lines of
layers, by class and attribute. The network knows where each layer is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archspec.ir import Network
from archspec.ir.visitor import Frame, place_of, visits
from archspec.places import At, Path


class Lines(NamedTuple):
    """A stretch of the source: the first and the last line."""

    first: int
    last: int


class Part(NamedTuple):
    """Lines that construct or apply a layer: a pattern of its attribute, and the classes called.

    The first of these is its own, the others are those of its arguments.
    """

    attribute: str
    lines: Lines
    called: tuple[str, ...] = ()


class Origin(NamedTuple):
    """Where a layer is: in the document of its class, and where else that is decided."""

    entry: At
    more: tuple[At, ...] = ()


Made = dict[str, dict[str, list[Origin]]]  # class -> path in it -> origins
Links = dict[int, list[At]]  # line of the source -> places, the nearest first


def links(text: str, network: Network, data: Mapping[str, Any]) -> Links:
    """Line of the source -> the places of the spec that made it."""
    made, found = _origins(network), Links()
    blocks = {name: use.block for use, name in network.uses.items() if use.prefix}
    body = ast.parse(text).body
    if docstring := _docstring(body[0]):
        found |= _linked(docstring, [At(("doc",))])
    calls: dict[str, list[Origin]] = {}  # class that no block has -> where it is first constructed
    for node in reversed([node for node in body if isinstance(node, ast.ClassDef)]):
        layers = _Layers(made.get(node.name, {}))
        if node.name == network.root.name:
            head = [At(("class" if "class" in data else "name",)), At(("input",)), At(("args",))]
        elif node.name in blocks:
            block = blocks[node.name]
            head = [At((), block), At(("doc",), block), At(("args",), block)]
        else:
            head = [origin.entry for origin in calls.get(node.name, ())[:1]] * 3
        found |= _of_class(node, layers, head)
        for part in _constructors(node):
            for called in part.called:
                calls.setdefault(called, [Origin(at) for at in layers.at(part.attribute)])
            if part.called:
                made.setdefault(part.called[0], layers.inside(part.attribute))
    return found


def _origins(network: Network) -> Made:
    """The locations of the layers of each class, in the order in which they run."""
    made: Made = {}
    for visit in visits(network.tree):
        frame, site = visit.frame, visit.site
        _note(made, network, frame, visit.path, (*_uses(site, frame), visit.at, visit.written))
        while frame is not None:
            at = place_of(frame.site.use.at, frame.outer)
            places = (*_uses(frame.site, frame.outer), _stage(at))
            _note(made, network, frame.outer, frame.path, places)
            frame = frame.outer
    return made


def _stage(at: At | None) -> At | None:
    """The stage that uses a block, not its key `block`, which may be a list."""
    for end in (-1, -2):
        if at is not None and at.path[end:][:1] == ("block",):
            return at._replace(path=at.path[:end])
    return at


def _uses(site: Any, frame: Frame | None) -> Iterator[At | None]:
    """The uses of the blocks without a class around a layer, the outermost first."""
    return (place_of(at, frame) for at, _ in reversed(site.uses))


def _note(
    made: Made, network: Network, frame: Frame | None, path: str, places: tuple[At | None, ...]
) -> None:
    owner = network.uses.get(frame.site.container, "") if frame else network.root.name
    inside = path[len(frame.path) + 1 :] if frame else path
    entry, *more = dict.fromkeys(at for at in places if at is not None)
    origin = Origin(entry, tuple(more))
    known = made.setdefault(owner, {}).setdefault(inside, [])
    if origin not in known:
        known.append(origin)


def _of_class(node: ast.ClassDef, layers: _Layers, head: list[At]) -> Links:
    """The lines of one class; of a part of a statement it is that part's."""
    found = Links()
    if head:
        cls, doc, args = head
        found[node.lineno] = [cls]
        if docstring := _docstring(node.body[0]):
            found |= _linked(docstring, [doc])
    for function in (one for one in node.body if isinstance(one, ast.FunctionDef)):
        if function.name != "__init__":
            for part in _applied(function):
                found.setdefault(part.lines.first, []).extend(layers.at(part.attribute))
            continue
        if head:
            found |= _linked(_signature(function), [args])
            found |= {line: [at] for line, at in _sizes(function, args)}
        for part in _constructed(function):
            if places := layers.at(part.attribute):
                found |= _linked(part.lines, places)
    return found


def _constructors(node: ast.ClassDef) -> Iterator[Part]:
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            yield from _constructed(function)


class _Layers:
    """The layers of a class by path, and those inside each path."""

    def __init__(self, origins: Mapping[str, list[Origin]]) -> None:
        self.origins = origins
        self.inner: dict[str, dict[str, list[Origin]]] = {}
        for path, found in origins.items():
            steps = path.split(".")
            for end in range(1, len(steps)):
                inside = self.inner.setdefault(".".join(steps[:end]), {})
                inside[".".join(steps[end:])] = found

    def at(self, attribute: str) -> list[At]:
        """The places of a layer; for a container, the part of the path that its layers share."""
        if exact := [
            one for path in _matching(attribute, self.origins) for one in self.origins[path]
        ]:
            return [*(one.entry for one in exact), *(at for one in exact for at in one.more)]
        inner = [one for found in self.inside(attribute).values() for one in found]
        entries = list(dict.fromkeys(one.entry for one in inner))
        own = [at.path for at in entries if at.block == entries[0].block]
        shared = _common(own) if own else ()
        if not shared:
            return entries
        more = dict.fromkeys(at for one in inner for at in one.more)
        return [entries[0]._replace(path=shared), *(more if len(entries) == 1 else ())]

    def inside(self, attribute: str) -> dict[str, list[Origin]]:
        """The layers in an attribute, by their paths in it."""
        found: dict[str, list[Origin]] = {}
        for path in _matching(attribute, self.inner):
            for rest, origins in self.inner[path].items():
                found.setdefault(rest, []).extend(origins)
        return found


def _matching(attribute: str, paths: Mapping[str, Any]) -> list[str]:
    """The paths that an attribute means; one that a loop makes is a pattern."""
    if "\\" in attribute:
        return [path for path in paths if re.fullmatch(attribute, path)]
    return [attribute] if attribute in paths else []


def _common(paths: list[Path]) -> Path:
    """What paths begin with."""
    first, last = min(paths, key=str), max(paths, key=str)
    ends = (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(ends, min(len(first), len(last)))]


def _sizes(function: ast.FunctionDef, args: At) -> Iterator[tuple[int, At]]:
    """Sizes that are computed first: arguments of the block."""
    for node in function.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.lineno, args.below(node.targets[0].id)


def _constructed(function: ast.FunctionDef) -> Iterator[Part]:
    """What a constructor makes: attributes, and the children of a sequential class."""
    waiting: dict[str, Lines] = {}  # lists of layers, which one statement then takes
    for node in function.body:
        lines = _whole(node)
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
    """The list that a statement begins or makes longer."""
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
    """A name; with numbers of a loop in it, a pattern."""
    if isinstance(name, ast.Constant):
        return str(name.value)
    parts = name.values if isinstance(name, ast.JoinedStr) else ()
    texts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"\d+" for p in parts)
    return "".join(texts)


def _children(name: str, value: ast.expr | None) -> Iterator[Part]:
    """The children of a container of torch, as far as their numbers are known."""
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
                yield Part(f"{start}{place}", _whole(item))
            return
        yield from _child(f"{start}{place}", item)


def _child(name: str, item: ast.expr) -> Iterator[Part]:
    yield Part(name, _whole(item), _called(item))
    yield from _children(name, item)


def _applied(function: ast.FunctionDef) -> Iterator[Part]:
    """What a `forward` applies."""
    inner = {
        id(n.value) for n in ast.walk(function) if isinstance(n, (ast.Attribute, ast.Subscript))
    }
    for node in ast.walk(function):
        if id(node) not in inner and (steps := [*_steps(node)]):
            assert isinstance(node, ast.expr)
            yield Part(".".join(steps), _whole(node))


def _steps(node: ast.AST) -> Iterator[str]:
    """`self.convs[0]` as the names on the way."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            yield name
        case ast.Subscript(value=value, slice=ast.Constant(value=key)):
            if steps := [*_steps(value)]:
                yield from (*steps, str(key))


def _docstring(node: ast.stmt) -> Lines | None:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return _whole(node) if is_text else None


def _whole(node: ast.stmt | ast.expr) -> Lines:
    return Lines(node.lineno, node.end_lineno or node.lineno)


def _linked(lines: Lines, places: list[At]) -> Links:
    return dict.fromkeys(range(lines.first, lines.last + 1), places)


def _called(value: ast.expr | None) -> tuple[str, ...]:
    """The classes of this file that a call constructs, its own first."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return ()
    functions = (n.func for n in ast.walk(value) if isinstance(n, ast.Call))
    return tuple(function.id for function in functions if isinstance(function, ast.Name))


def _signature(function: ast.FunctionDef) -> Lines:
    return Lines(function.lineno, max(function.lineno, function.body[0].lineno - 1))
