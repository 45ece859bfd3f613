"""Links from lines of the generated source to the locations in the spec that they come from.

The source is parsed: the statements of a constructor and of `forward` are the lines of layers, by
class and attribute. The network has the location of each layer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archspec.ir.classes import Network
from archspec.ir.visitor import Frame, place_of, visits
from archspec.places import At, Path
from archspec.report.parts import Lines, Part, applied, constructed, whole


class Origin(NamedTuple):
    """The location of a layer in the document of its class, and others that determine it."""

    entry: At
    more: tuple[At, ...] = ()


Made = dict[str, dict[str, list[Origin]]]  # class -> path in it -> origins
Links = dict[int, list[At]]  # line of the source -> places, the nearest first


def links(text: str, network: Network, data: Mapping[str, Any]) -> Links:
    """Line of the source -> the locations in the spec that it comes from."""
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
    """The locations of the layers of each class, in execution order."""
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
    """The stage that uses a block, instead of its key `block`, which may be a list."""
    for end in (-1, -2):
        if at is not None and at.path[end:][:1] == ("block",):
            return at._replace(path=at.path[:end])
    return at


def _uses(site: Any, frame: Frame | None) -> Iterator[At | None]:
    """The uses of the inline blocks around a layer, the outermost first."""
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
    """The links of one class; a part of a statement has the links of its own layer."""
    found = Links()
    if head:
        cls, doc, args = head
        found[node.lineno] = [cls]
        if docstring := _docstring(node.body[0]):
            found |= _linked(docstring, [doc])
    for function in (one for one in node.body if isinstance(one, ast.FunctionDef)):
        if function.name != "__init__":
            for part in applied(function):
                found.setdefault(part.lines.first, []).extend(layers.at(part.attribute))
            continue
        if head:
            found |= _linked(_signature(function), [args])
            found |= {line: [at] for line, at in _sizes(function, args)}
        for part in constructed(function):
            if places := layers.at(part.attribute):
                found |= _linked(part.lines, places)
    return found


def _constructors(node: ast.ClassDef) -> Iterator[Part]:
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            yield from constructed(function)


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
        """The locations of a layer; for a container, the common part of its layers' paths."""
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
    """The paths of an attribute; an attribute that a loop creates is a pattern."""
    if "\\" in attribute:
        return [path for path in paths if re.fullmatch(attribute, path)]
    return [attribute] if attribute in paths else []


def _common(paths: list[Path]) -> Path:
    """The common start of several paths."""
    first, last = min(paths, key=str), max(paths, key=str)
    ends = (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(ends, min(len(first), len(last)))]


def _sizes(function: ast.FunctionDef, args: At) -> Iterator[tuple[int, At]]:
    """The sizes that a constructor calculates first, which are arguments of the block."""
    for node in function.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.lineno, args.below(node.targets[0].id)


def _docstring(node: ast.stmt) -> Lines | None:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return whole(node) if is_text else None


def _linked(lines: Lines, places: list[At]) -> Links:
    return dict.fromkeys(range(lines.first, lines.last + 1), places)


def _signature(function: ast.FunctionDef) -> Lines:
    return Lines(function.lineno, max(function.lineno, function.body[0].lineno - 1))
