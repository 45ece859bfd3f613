"""List arguments of blocks: each number has a name of its own in the block."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.expand.scope import Scope
from archspec.expression import Expr, Name, names, substitute
from archspec.ir import Field
from archspec.ir.tree import Slot
from archspec.language.blocks import Block
from archspec.language.words import SCOPE
from archspec.places import At

Lists = Mapping[str, tuple[str, ...]]  # argument -> the names of its numbers
Written = Expr | tuple[Expr, ...]


def elements(arg: str, count: int, block: Block) -> tuple[str, ...]:
    """Names for the numbers of an argument that are unused elsewhere in the block."""
    taken, stem = {*SCOPE, *block.args, *block.parts, *block.inputs}, arg
    while not taken.isdisjoint(f"{stem}{n + 1}" for n in range(count)):
        stem += "_"
    return tuple(f"{stem}{n + 1}" for n in range(count))


def spread(written: Written, lists: Lists) -> Written:
    """An expression that names lists, for each number."""
    if isinstance(written, tuple) or not lists:
        return written
    counts = {len(lists[name]) for name in names(written) & lists.keys()}
    if len(counts) != 1:  # no lists, or lists that do not fit, which is reported on lookup
        return written
    made = [_number(written, lists, place) for place in range(counts.pop())]
    known = tuple(part for part in made if part is not None)
    return known if len(known) == len(made) else written  # a condition cannot use a list


def slot(written: Written, how: Field, at: At, word: str, scope: Scope) -> Slot:
    """An argument of a module, or one per number if it may be a list."""
    if how.many:
        written = spread(written, scope.lists)
    if isinstance(written, tuple):
        return tuple(scope.argument(part, how, at, word) for part in written)
    return scope.argument(written, how, at, word)


def _number(written: Expr, lists: Lists, place: int) -> Expr | None:
    return substitute(
        written, lambda name: Name(lists[name.id][place]) if name.id in lists else name
    )
