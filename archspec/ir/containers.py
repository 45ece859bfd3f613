"""The order of layers in containers: those of one container are adjacent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def gathered(items: Iterable[T], path: Callable[[T], str]) -> list[T]:
    """The items in order, except that those of a container follow the first of them."""
    keyed = [(_within(path(item)), item) for item in items]
    first: dict[str, int] = {}
    for place, (prefixes, _) in enumerate(keyed):
        for prefix in prefixes:
            first.setdefault(prefix, place)
    keyed.sort(key=lambda pair: [first[prefix] for prefix in pair[0]])
    return [item for _, item in keyed]


def _within(path: str) -> list[str]:
    """The prefixes of a path, and the path itself."""
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
