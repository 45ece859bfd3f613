"""Arguments of blocks that are lists: each number has a name of its own in the block."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.expression import Expr, Name, names, substitute
from archspec.language.blocks import Block
from archspec.language.words import SCOPE

Lists = Mapping[str, tuple[str, ...]]  # argument -> the names of its numbers
Written = Expr | tuple[Expr, ...]


def elements(arg: str, count: int, block: Block) -> tuple[str, ...]:
    """Names for the numbers of an argument, which nothing else in the block has."""
    taken, stem = {*SCOPE, *block.args, *block.parts, *block.inputs}, arg
    while not taken.isdisjoint(f"{stem}{n + 1}" for n in range(count)):
        stem += "_"
    return tuple(f"{stem}{n + 1}" for n in range(count))


def spread(written: Written, lists: Lists) -> Written:
    """An expression that names lists, number by number."""
    if isinstance(written, tuple) or not lists:
        return written
    counts = {len(lists[name]) for name in names(written) & lists.keys()}
    if len(counts) != 1:  # none, or lists that do not fit, which is found when one is looked up
        return written
    made = [_number(written, lists, place) for place in range(counts.pop())]
    known = tuple(part for part in made if part is not None)
    return known if len(known) == len(made) else written  # a condition takes no list


def _number(written: Expr, lists: Lists, place: int) -> Expr | None:
    return substitute(
        written, lambda name: Name(lists[name.id][place]) if name.id in lists else name
    )
