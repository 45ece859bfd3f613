"""Pairs of corresponding modules of two networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from archspec.diff.tree import Node

Pair = tuple[Node | None, Node | None]
MOST = 400  # children that are aligned; longer lists are matched by name
LEAST, LEAST_OF_BLOCKS = 0.5, 0.8  # of the layers that two modules share


def align(before: Node, after: Node) -> list[Pair]:
    """The children of two modules in pairs, in the order of the second."""
    old, new = list(before.children.values()), list(after.children.values())
    numbered = before.numbered and after.numbered
    if numbered and len(old) <= MOST and len(new) <= MOST:
        return _in_order(old, new)
    return _by_name(old, new)


def alike(a: Node, b: Node) -> bool:
    """Whether two modules correspond: blocks of one kind, or with most layers in common."""
    if a.op is not None and b.op is not None:
        return a.label == b.label or _family(a) == _family(b)
    if a.op is not None or b.op is not None:
        return False
    if a.label == b.label and a.label:
        return True
    if a.stage_of and b.stage_of:
        return alike(*(list(node.children.values())[-1] for node in (a, b)))  # a usual block
    least = LEAST if a.numbered and b.numbered else LEAST_OF_BLOCKS
    return len(a.shape & b.shape) >= least * len(a.shape | b.shape)


def _family(node: Node) -> str:
    """The purpose of a layer; a different layer with the same purpose may replace it."""
    op = node.op
    assert op is not None
    return "norm" if op.norm else "activation" if op.activation else op.key


def _by_name(old: Sequence[Node], new: Sequence[Node]) -> list[Pair]:
    """Pairs with equal names; then pairs of the others, if one can correspond to the other."""
    ahead = {node.name: node for node in old}
    pairs: list[Pair] = [(ahead.pop(node.name, None), node) for node in new]
    for place, (_, node) in enumerate(pairs):
        if pairs[place][0] is None and node is not None:
            found = next((one for one in ahead.values() if _replaces(one, node)), None)
            if found is not None:
                pairs[place] = (ahead.pop(found.name), node)
    return [*pairs, *((node, None) for node in ahead.values())]


def _replaces(a: Node, b: Node) -> bool:
    """Whether a module with a different name corresponds to this one: equal, or of equal use."""
    return a.same == b.same or (a.op is not None and alike(a, b)) or (bool(a.label) and alike(a, b))


def _score(a: Node, b: Node) -> float:
    """How well two children of sequences match; 0 if they do not."""
    if not alike(a, b):
        return 0
    if a.same == b.same:
        fit = 4.0
    elif a.op is None or a.saved == b.saved:
        fit = 3.0
    else:
        fit = 2.0 if a.label == b.label else 1.0
    return fit + (a.name == b.name) / 2


def _in_order(old: Sequence[Node], new: Sequence[Node]) -> list[Pair]:
    """The pairs, in order, that match best in total (Needleman & Wunsch, 1970)."""
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            score = _score(old[i], new[j])
            paired = score + best[i + 1][j + 1] if score else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    return list(_replaced(_read(best, old, new)))


def _replaced(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Between two pairs, a removed and an added module with the same name are a pair, too."""
    for paired, some in groupby(pairs, all):
        if paired:
            yield from some
            continue
        gap = list(some)
        ahead = {node.name: node for node, _ in gap if node and node.op is None}
        for before, after in gap:
            if after is not None:
                yield (ahead.pop(after.name, None) if after.op is None else None, after)
            elif before is not None and before.op is not None:
                yield before, None
        yield from ((node, None) for node in ahead.values())


def _read(best: list[list[float]], old: Sequence[Node], new: Sequence[Node]) -> Iterator[Pair]:
    i = j = 0
    while i < len(old) or j < len(new):
        here = best[i][j]
        both = i < len(old) and j < len(new)
        if both and (score := _score(old[i], new[j])) and here == score + best[i + 1][j + 1]:
            yield old[i], new[j]
            i, j = i + 1, j + 1
        elif j < len(new) and here == best[i][j + 1]:
            yield None, new[j]
            j += 1
        else:
            yield old[i], None
            i += 1
