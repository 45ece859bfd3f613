"""Repeated layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from archspec.expand.builder import Builder
from archspec.expand.scope import Scope
from archspec.expression import Expr, Number, constant, simplify
from archspec.ir.tree import Repetition, growth, short
from archspec.language.layers import REPEAT
from archspec.language.stack import Layer
from archspec.memo import Memo, remember
from archspec.places import At


def turns(layer: Layer, at: At, scope: Scope, out: Builder) -> Iterable[tuple[Layer, Scope]]:
    """A layer, or each repetition of a repeated layer, with its scope."""
    if layer.repeat is None:
        return ((layer, scope),)
    return _turns(layer, layer.repeat, at, scope, out)


def _turns(
    layer: Layer, repeat: Expr, at: At, scope: Scope, out: Builder
) -> Iterator[tuple[Layer, Scope]]:
    count = scope.counted(repeat, REPEAT, at.below("repeat"))
    series = None if at.block or at.parts else scope.series.get(at.path)
    start, number, single = len(out.items), int(count.number), out.sequential
    for index in range(number):
        turn = {"index": index, "repeat": number}
        if series is not None:
            turn |= series.indices | {"block_index": series.block_index + index}
        one = _in_turn(layer, index, number, memo=scope.memo)
        values = {name: constant(n) for name, n in turn.items()}
        yield one, scope.with_(values=scope.values | values)
        single = single and len(out.items) == start + index + 1
    if single:
        out.runs[:] = [run for run in out.runs if run.start < start]  # those of its repetitions
        out.runs.append(Repetition(start, count, at))


def repeated_width(at: At, widths: Sequence[Expr], out: Builder) -> Expr | None:
    """The output channels of a repeated layer as a formula of the number of repetitions.

    `widths` are those of its input and of each repetition. None if they do not grow evenly.
    """
    run = out.runs[-1] if out.runs else None
    count = run.count.expr if run and run.at == at else None
    step = growth(widths)
    if count is None or isinstance(count, Number) or step is None:
        return None
    more = simplify("*", step, count)
    return more and short(simplify("+", widths[0], more))


@remember
def _in_turn(layer: Layer, index: int, count: int, *, memo: Memo | None) -> Layer:
    return replace(layer, repeat=None, turn=(index, count))
