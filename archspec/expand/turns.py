"""Layers that are repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archspec.expand.scope import Scope
from archspec.expression import constant
from archspec.language.layers import REPEAT
from archspec.language.stack import Layer
from archspec.memo import Memo, remember
from archspec.places import At


def turns(layer: Layer, at: At, scope: Scope) -> Iterator[tuple[Layer, Scope]]:
    """A layer as often as it is repeated, and what it sees each time."""
    if layer.repeat is None:
        yield layer, scope
        return
    count = scope.count(layer.repeat, REPEAT, at.below("repeat"))
    series = None if at.block or at.parts else scope.series.get(at.path)
    for index in range(count):
        turn = {"index": index, "repeat": count}
        if series is not None:
            turn |= series.indices | {"block_index": series.block_index + index}
        one, seen = _in_turn(layer, index, count, memo=scope.memo), dict(scope.values)
        yield one, scope.with_(values=seen | {name: constant(n) for name, n in turn.items()})


@remember
def _in_turn(layer: Layer, index: int, count: int, *, memo: Memo | None) -> Layer:
    return replace(layer, repeat=None, turn=(index, count))
