"""The user's own modules in a network: the classes that hold them, and their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from archspec.expand.naming import camel
from archspec.ir.tree import BlockCall, BlockInstance, Child, OpCall, SequentialNode


def holders(instances: Iterable[BlockInstance]) -> dict[BlockInstance, set[str]]:
    """Instance -> the paths of the classes it imports, at any depth.

    Each instance comes after those that it uses.
    """
    found: dict[BlockInstance, set[str]] = {}
    for instance in instances:
        if paths := set(_imported(instance.attributes, found)):
            found[instance] = paths
    return found


def _imported(children: Iterable[Child], known: dict[BlockInstance, set[str]]) -> Iterator[str]:
    for child in children:
        match child.module:
            case OpCall(op=op) if op.imported:
                yield op.imported
            case SequentialNode() as inside:
                yield from _imported(inside.children, known)
            case BlockCall(instance=inner):
                yield from known.get(inner, ())


def names_of(paths: Iterable[str], taken: Set[str]) -> dict[str, str]:
    """Path -> the name in generated source: the class's own name, if nothing else has it."""
    names: dict[str, str] = {}
    for path in sorted(paths):
        *_, module, usual = path.split(".")
        name, number = usual, 1
        while name in taken or name in names.values():
            name = f"{camel(module)}{usual}{'' if number == 1 else number}"
            number += 1
        names[path] = name
    return names
