"""Stages of one block with numbered names, which a loop makes: `layer1`, `layer2`, and so on.

Stages of one block whose names only differ in numbers are uses of one class, whatever their length.
Their blocks differ in sizes that grow by the same amount each time, or only the first block differs
from the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from archspec.expression import Number, Value
from archspec.ir.draws import Draw
from archspec.ir.tree import BlockCall, BlockInstance, SequentialNode
from archspec.records import Record

NUMBER = re.compile(r"(0|[1-9][0-9]*)")
FEWEST = 3  # consecutive blocks for which a loop is shorter


class Names(Record):
    """Names that count up in their last number: `first`, one more, and so on.

    `texts` are the parts around the numbers, `others` the numbers before the last.
    """

    texts: tuple[str, ...]
    others: tuple[int, ...]
    first: int


def names_of(row: BlockInstance) -> Names | None:
    """The pattern of the names of a stage; None if there is none."""
    split = [NUMBER.split(child.attribute) for child in row.children]
    numbers = [[int(number) for number in parts[1::2]] for parts in split]
    if not all(numbers) or len({tuple(p[:-2] + p[-1:]) for p in split}) > 1:
        return None
    if any(after[-1] != before[-1] + 1 for before, after in pairwise(numbers)):
        return None
    return Names(tuple(split[0][::2]), tuple(numbers[0][:-1]), numbers[0][-1])


def loops(
    instances: Iterable[BlockInstance], key_of: Callable[[BlockInstance], int]
) -> list[list[BlockInstance]]:
    """The instances that are stages of one block, by pattern and block."""
    found: dict[Any, list[BlockInstance]] = {}
    for row in instances:
        if _plain(row) and (names := names_of(row)) is not None:
            blocks = {key_of(call.instance) for call in calls_of(row)}
            if len(blocks) == 1:
                found.setdefault((names.texts, names.first, *blocks), []).append(row)
    return [rows for rows in found.values() if _worth(rows)]


def calls_of(row: BlockInstance) -> list[BlockCall]:
    """The blocks of a stage."""
    return [child.module for child in row.children if isinstance(child.module, BlockCall)]


def _plain(row: BlockInstance) -> bool:
    return (
        row.sequential
        and not (row.slots or row.inputs or row.gives or row.init)
        and all(isinstance(child.module, BlockCall) for child in row.children)
        and not _draws(row)
    )


def _draws(module: Any) -> bool:
    """Whether a layer in a module is initialized with numbers that may differ between blocks."""
    if isinstance(module, BlockCall):
        return _draws(module.instance)
    if not isinstance(module, (BlockInstance, SequentialNode)):
        return False
    return any(any(map(_varies, child.draws)) or _draws(child.module) for child in module.children)


def _varies(draw: Draw) -> bool:
    values = [value for _, value in draw.arguments if isinstance(value, Value)]
    return any(not isinstance(value.expr, Number) for value in values)


def _worth(rows: Sequence[BlockInstance]) -> bool:
    longest = max(len(row.children) for row in rows)
    return longest >= FEWEST or (len(rows) > 1 and longest > 1)
