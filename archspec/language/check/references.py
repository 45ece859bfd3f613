"""What layers refer to: names in expressions, and blocks or parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from archspec.expression import Expr, names
from archspec.language.layers import Layer, Stack
from archspec.language.words import COMBINATORS, SLICE, TENSOR
from archspec.ops import OPS
from archspec.places import At


class Tree(NamedTuple):
    """An expression, where it stands, and the names in it."""

    at: At
    tree: Expr
    names: frozenset[str]


class Call(NamedTuple):
    """A layer that names a block or a part, and where it stands."""

    at: At
    layer: Layer


class References(NamedTuple):
    """All of a stack, as paths below it; `nested` are combinators inside a `sequence`."""

    trees: list[Tree]
    calls: list[Call]
    nested: list[Call]


def references(stack: Stack) -> References:
    """What the layers of a stack refer to."""
    trees, calls, nested = list[Tree](), list[Call](), list[Call]()
    for layer, at in stack.all:
        trees += _own_trees(layer, at)
        if layer.head not in COMBINATORS and layer.head not in OPS and layer.head != TENSOR:
            calls.append(Call(at, layer))
        if layer.head == "sequence":
            inner = layer.branches[0].stack.each(layer.branch_at(0, at))
            nested += [Call(place, one) for one, place in inner if one.head in COMBINATORS]
    return References(trees, calls, nested)


def _own_trees(layer: Layer, at: At) -> Iterator[Tree]:
    for key in ("when", "project", "drop_path"):
        yield from trees_in(getattr(layer, key), at.below(key))
    if layer.sizes is not None:
        yield from trees_in(layer.sizes, at.below("sizes"))
    if layer.head in OPS or layer.head == SLICE:
        for arg, value in layer.given.items():
            yield from trees_in(value, at.below(layer.head, arg))


def trees_in(value: Any, at: At) -> Iterator[Tree]:
    """A value that is an expression with names, or a list of values."""
    if isinstance(value, tuple):
        for place, tree in enumerate(value):
            yield from trees_in(tree, at.below(place))
    elif isinstance(value, Expr) and (known := names(value)):
        yield Tree(at, value, frozenset(known))
