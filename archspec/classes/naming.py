"""The names of the classes of a block.

The class with the most uses has the block's name. The others are named after their difference:
`DownUnit` has a stride, `FirstUnit` is the first in its stage, `WideUnit` changes the channels,
and `PlainUnit` adds nothing, or has no stride where others do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from archspec.ir import Add, Body
from archspec.ir.bodies import parts_of
from archspec.ir.tree import BlockCall, BlockInstance, Child, SequentialNode

Uses = Sequence[BlockInstance]
Users = Mapping[BlockInstance, Sequence[tuple[BlockInstance, BlockCall]]]


def class_names(groups: Iterable[Uses], users: Users) -> dict[BlockInstance, str]:
    """By the first use of each class; without an entry if no name is found."""
    alike: dict[str, list[Uses]] = {}
    for uses in groups:
        alike.setdefault(block_name(uses), []).append(uses)
    return {
        use: name for block, found in alike.items() for use, name in _named(block, found, users)
    }


def block_name(uses: Uses) -> str:
    """The name that uses share; that of stages is without their number."""
    names = {use.class_name for use in uses}
    return names.pop() if len(names) == 1 else without_number(uses[0].class_name)


def without_number(name: str) -> str:
    return name.rstrip("0123456789") or name


def _named(block: str, groups: Sequence[Uses], users: Users) -> Iterable[tuple[BlockInstance, str]]:
    found = [_words(groups, usual, users) for usual in range(len(groups))]
    counts = [sum(len(users.get(use, ())) for use in uses) for uses in groups]
    usual = max(range(len(groups)), key=lambda place: (counts[place], len(found[place])))
    yield groups[usual][0], block
    for place, word in found[usual].items():
        yield groups[place][0], word + block


def _words(groups: Sequence[Uses], usual: int, users: Users) -> dict[int, str]:
    """By the index of a class: what is true of it, but not of the most common one."""
    tests: list[tuple[str, Callable[[Uses], bool]]] = [
        ("Down", lambda uses: all(_stride(use) > 1 for use in uses)),
        ("First", lambda uses: all(_leads(use, users) for use in uses)),
        ("Wide", lambda uses: all(map(_widens, uses))),
        ("Plain", lambda uses: not any(_adds(use.body) for use in uses)),
        ("Plain", lambda uses: any(_stride(use) == 1 for use in uses)),
    ]
    words: dict[int, str] = {}
    for word, holds in tests:
        for place in range(len(groups)):
            free = place not in words and word not in words.values()
            if free and holds(groups[place]) and not holds(groups[usual]):
                words[place] = word
    return words


def _stride(use: BlockInstance) -> float:
    stride = use.definitions.get("stride")
    return float(stride.number) if stride else 1


def _widens(use: BlockInstance) -> bool:
    arrives, leaves = (use.definitions.get(name) for name in ("in_channels", "channels"))
    return bool(arrives and leaves and arrives.number != leaves.number)


def _leads(use: BlockInstance, users: Users) -> bool:
    """Whether each use is the first of a stage."""
    places = users.get(use, ())
    return bool(places) and all(_first(user, call) for user, call in places)


def _first(user: BlockInstance, call: BlockCall) -> bool:
    rows = [*_rows(user.attributes), *([user.children] if user.sequential else [])]
    return any(row and row[0].module is call for row in rows)


def _rows(children: Iterable[Child]) -> Iterable[Sequence[Child]]:
    """The modules in the sequences among these, including nested sequences."""
    for module in (child.module for child in children):
        if isinstance(module, SequentialNode):
            yield module.children
            yield from _rows(module.children)


def _adds(body: Body) -> bool:
    return isinstance(body, Add) or any(map(_adds, parts_of(body)))
