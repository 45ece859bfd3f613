"""What layers refer to: names in expressions, and blocks or parts."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from archspec.expression import Expr, names
from archspec.ir.draws import FANS
from archspec.language.stack import Layer, Stack, is_within
from archspec.language.starts import Start
from archspec.language.templates import expressions_of
from archspec.language.words import COMBINATORS, INDICES, TENSOR, TURN, WITH_ARGUMENTS
from archspec.ops import OPS
from archspec.places import At
from archspec.records import Record

NO_CHILDREN = frozenset(COMBINATORS) - {"sequence"}


class Tree(NamedTuple):
    """An expression, its location, and the names in it."""

    at: At
    tree: Expr
    names: frozenset[str]


class Call(NamedTuple):
    """A layer that names a block or part, its location, and the indices in scope."""

    at: At
    layer: Layer
    turn: tuple[str, ...] = ()


class References(Record):
    """Everything a stack refers to, as paths below it; `nested` are combinators inside a
    `sequence`.
    """

    trees: list[Tree]
    calls: list[Call]
    runs: list[Call]
    nested: list[Call]


def references(stack: Stack) -> References:
    """Everything the layers of a stack refer to."""
    found = References([], [], [], [])
    series = {at.path for _, at in stack.series}
    for layer, at in stack.all:
        around: tuple[str, ...] = TURN if is_within(at.path, stack.turned) else ()
        turn = TURN if layer.repeat is not None else around
        turn = INDICES if at.path in series else turn
        found.trees.extend(_turned(trees_in(layer.repeat, at.below("repeat")), around))
        found.trees.extend(_turned(_trees(layer, at), turn))
        if layer.run:
            found.runs.append(Call(at, layer))
        elif layer.head not in COMBINATORS and layer.head not in OPS and layer.head != TENSOR:
            found.calls.append(Call(at, layer, turn))
        if layer.head == "sequence":
            inner = layer.branches[0].stack.each(layer.branch_at(0, at))
            wrong = [Call(place, one) for one, place in inner if one.head in NO_CHILDREN]
            found.nested.extend(wrong)
    return found


def _turned(trees: Iterable[Tree], turn: tuple[str, ...]) -> Iterable[Tree]:
    """The expressions of a repeated layer can use the index of the repeat."""
    if not turn:
        return trees
    return (tree._replace(names=tree.names.difference(turn)) for tree in trees)


def _trees(layer: Layer, at: At) -> Iterator[Tree]:
    for key in ("when", "project", "drop_path"):
        yield from trees_in(getattr(layer, key), at.below(key))
    yield from trees_in(expressions_of(layer.name), at.below("name"))
    yield from trees_of_init((layer.init or {}).values(), at.below("init"))
    if layer.sizes is not None:
        yield from trees_in(layer.sizes, at.below("sizes"))
    if layer.head in OPS or layer.head in WITH_ARGUMENTS:
        for arg, value in layer.given.items():
            yield from trees_in(expressions_of(value) or value, at.below(layer.head, arg))


def trees_of_init(starts: Iterable[Start], at: At) -> Iterator[Tree]:
    """The arguments of initializers, in which `fan_in` and `fan_out` are defined."""
    for start in starts:
        for argument, value in start.given.items():
            if isinstance(value, str):
                continue
            for tree in trees_in(value, at.below(*start.path_of(argument))):
                yield tree._replace(names=tree.names - {*FANS})


def trees_in(value: Any, at: At) -> Iterator[Tree]:
    """A value that is an expression with names, or a list of values."""
    if isinstance(value, tuple):
        for place, tree in enumerate(value):
            yield from trees_in(tree, at.below(place))
    elif isinstance(value, Expr) and (known := names(value)):
        yield Tree(at, value, frozenset(known))
