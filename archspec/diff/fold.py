"""Many paths as a few patterns: `layer{1-4}.*.conv1`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from archspec.diff.tree import Node

_NUMBERED = re.compile(r"(.*?)(\d+)")
_Rest = tuple[str, ...]  # the rest of a path


def fold(paths: Iterable[str], root: Node) -> list[str]:
    """Patterns for paths of a network, in the order of the network.

    `*` stands for all children of a sequence, `{1-4}` and `{1,3}` for some of several.
    """
    return list(_folded([tuple(path.split(".")) for path in paths], root))


def listed(patterns: Iterable[str]) -> str:
    """Patterns on one line; those in one block share its name: `layer1.0.conv1, conv2`."""
    parts: list[str] = []
    before = ""
    for pattern in patterns:
        start, _, last = pattern.rpartition(".")
        same = parts and start == before and start and not last.startswith(("*", "{"))
        parts.append(last if same else pattern)
        before = start
    return ", ".join(parts)


def _folded(rests: list[_Rest], node: Node | None) -> Iterator[str]:
    below: dict[str, list[_Rest]] = {}
    for head, *rest in rests:
        below.setdefault(head, []).append(tuple(rest))
    groups: dict[tuple[str, ...], list[str]] = {}
    for head, left in below.items():
        child = node.children.get(head) if node else None
        inner = list(_folded([rest for rest in left if rest], child))
        groups.setdefault((*([""] if () in left else []), *inner), []).append(head)
    for ends, heads in groups.items():
        for head in _heads(heads, node, ends == ("",)):
            for end in ends:
                yield f"{head}.{end}" if end else head


def _heads(heads: list[str], node: Node | None, last: bool) -> Iterator[str]:
    """Adjacent names as a few patterns; at the end of a path, only numbers are combined."""
    if all(head.isdecimal() for head in heads):
        whole = node is not None and len(heads) == len(node.children) > 1
        yield "*" if whole else _braces("", heads)
        return
    stems: dict[str, list[str]] = {}
    for head in heads:
        found = _NUMBERED.fullmatch(head)
        stems.setdefault(head if last or not found else found[1], []).append(head)
    for stem, same in stems.items():
        yield _braces(stem, [head[len(stem) :] for head in same]) if len(same) > 1 else same[0]


def _braces(stem: str, numbers: list[str]) -> str:
    if len(numbers) == 1:
        return stem + numbers[0]
    ordered = sorted(map(int, numbers))
    low, high = ordered[0], ordered[-1]
    run = high - low + 1 == len(ordered) > 3
    return f"{stem}{{{f'{low}-{high}' if run else ','.join(map(str, ordered))}}}"
