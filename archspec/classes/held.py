"""Uses of a block that are one class although a layer is an `nn.Identity()` in some of them.

The `nn.Identity()` keeps the names of all other layers the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.classes.merging import GAP, ChildrenOf, Merged, conditions
from archspec.ir.tree import BlockInstance, Child, OpCall
from archspec.ops.others import Identity


def held(
    groups: Sequence[Sequence[BlockInstance]], shape: Any, children: ChildrenOf
) -> Merged | None:
    """The uses as one class, or None; `shape` returns what is equal for layers that are alike."""
    leads = [group[0] for group in groups]
    if any(_frame(lead) != _frame(leads[0]) or _unfit(lead) for lead in leads):
        return None
    uses = [use for group in groups for use in group]
    rows = {use: children(use) for use in uses}
    columns = [*zip(*(rows[lead] for lead in leads), strict=True)]
    optional = [any(map(_is_identity, column)) for column in columns]
    for column in columns:
        if len({shape(child.module) for child in column if not _is_identity(child)}) != 1:
            return None
    for use, row in rows.items():
        rows[use] = tuple(
            GAP if gap and _is_identity(child) else child
            for gap, child in zip(optional, row, strict=True)
        )
    made = Merged(rows, leads[0])
    return made if any(optional) and conditions(made, uses) else None


def _frame(use: BlockInstance) -> Any:
    """What all uses share: the names of their layers and the computation."""
    names = tuple(child.attribute for child in use.children)
    return use.sequential, names, use.body, use.inputs, len(use.gives)


def _unfit(use: BlockInstance) -> bool:
    """What has no condition: initializations of layers, and shortcuts that are passed in."""
    return any(slot.child for slot in use.slots) or any(child.draws for child in use.children)


def _is_identity(child: Child) -> bool:
    return isinstance(child.module, OpCall) and child.module.kind is Identity
