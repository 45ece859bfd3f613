"""The order of layers in containers: those of one container are adjacent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def gathered(items: Iterable[T], path: Callable[[T], str]) -> list[T]:
    """The items in order, except that those of a container follow the first of them."""
    root: dict[Any, Any] = {}
    for item in items:
        here = root
        for name in path(item).split("."):
            here = here.setdefault(name, {})
        here.setdefault(None, []).append(item)
    return list(_inside(root))


def _inside(node: dict[Any, Any]) -> Iterator[Any]:
    """The items at a path, before those below it."""
    yield from node.pop(None, ())
    for inner in node.values():
        yield from _inside(inner)
