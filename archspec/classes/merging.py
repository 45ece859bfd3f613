"""Which uses of a block can be one class although only some of them have a layer.

Uses with the same graph, except for at most two children of a sequence (an expansion, a gate) and a
last sum with the input, are one class: each of these has a condition, and an activation that
differs is passed in as a class. A condition is one in the block, a size that only those uses have,
or a flag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

from archspec.classes.runs import Run
from archspec.classes.wholes import drops, full_of, union, within, without_sum
from archspec.expression import (
    Binary,
    Expr,
    ExpressionError,
    Logic,
    Name,
    Number,
    Scalar,
    Unary,
    Value,
    constant,
    evaluate,
    names,
    parse,
    walk,
)
from archspec.ir.bodies import sizes_in
from archspec.ir.tree import BlockCall, BlockInstance, Child, OpCall, SequentialNode
from archspec.language.words import FLOW
from archspec.records import Record

MOST = 2  # optional children of a class
WHOLE = -1  # the location of an attribute itself
KEPT = Logic(
    "and",
    (
        Binary("==", Name("stride"), Number(1)),
        Binary("==", Name("in_channels"), Name("channels")),
    ),
)
PRINTED = (Binary, Logic, Name, Number, Unary)  # the parts of a condition in source
GIVEN = frozenset(FLOW)
ChildrenOf = Callable[[BlockInstance], tuple[Child, ...]]


class Gap(Record, eq=False):
    """A child that a use does not have but others do."""


GAP = Child("", Gap())  # type: ignore[arg-type]


@dataclass(eq=False)
class Merged:
    """Uses side by side: their aligned children, the one that has most, and the conditions."""

    rows: dict[BlockInstance, tuple[Child, ...]]
    full: BlockInstance
    adds: Expr | None = None
    gates: dict[str, str] = field(default_factory=dict)  # size or flag that gates -> its kind
    flagged: dict[str, frozenset[BlockInstance]] = field(default_factory=dict)
    when: dict[tuple[str, int], Expr] = field(default_factory=dict)  # by attribute and location


def merged(
    groups: Sequence[Sequence[BlockInstance]], shape: Any, children: ChildrenOf
) -> Merged | None:
    """The uses of several groups as one class, or None; `shape` is equal for equal layers."""
    leads = [group[0] for group in groups]
    shortcuts = any(slot.child for group in groups for use in group for slot in use.slots)
    if any(map(_unfit, leads)) or (shortcuts and len({len(lead.slots) for lead in leads}) > 1):
        return None
    plain = [without_sum(lead) for lead in leads]
    full = full_of(leads, plain)
    whole = without_sum(full)
    if not all(within(*one, full, whole) for one in zip(leads, plain, strict=True)):
        return None
    uses = [use for group in groups for use in group]
    rows = _rows(groups, full, shape, children)
    if rows is None:
        return None
    made = Merged(rows, full)
    summed = {use: one.added for group, one in zip(groups, plain, strict=True) for use in group}
    if len(set(summed.values())) > 1:
        made.adds = None if shortcuts else _kept(uses, summed)
        if made.adds is None:
            return None
    return made if conditions(made, uses) else None


def _unfit(use: BlockInstance) -> bool:
    """What conditions cannot handle: initializations, outputs, shortcuts, containers."""
    return bool(
        use.sequential
        or any(sizes_in(use.body))
        or use.inputs
        or use.gives
        or any(child.draws for child in use.children)
        or any(inner.draws for c in use.children for inner in _children(c.module))
    )


def _children(module: Any) -> tuple[Child, ...]:
    return module.children if isinstance(module, SequentialNode) else ()


# Aligned children -------------------------------------------------------------------------


def _rows(
    groups: Sequence[Sequence[BlockInstance]],
    full: BlockInstance,
    shape: Any,
    children: ChildrenOf,
) -> dict[BlockInstance, tuple[Child, ...]] | None:
    made: dict[BlockInstance, list[Child]] = {use: [] for group in groups for use in group}
    for child in children(full):
        columns = [_named(group, child.attribute, children) for group in groups]
        if any(c is None for c in columns) and _must_be_there(child):
            return None
        aligned = _aligned(columns, shape)
        if aligned is None:
            return None
        for group, column in zip(groups, aligned, strict=True):
            for use, one in zip(group, column or [GAP] * len(group), strict=True):
                made[use].append(one)
    known = {child.attribute for child in full.children}
    if any({c.attribute for c in group[0].children} - known for group in groups):
        return None
    return {use: tuple(row) for use, row in made.items()}


def _must_be_there(child: Child) -> bool:
    """Whether `nn.Identity()` cannot replace a layer: for a parameter, or one in a container."""
    constant = isinstance(child.module, OpCall) and child.module.op.constant
    return constant or not child.attribute.isidentifier()


def _named(
    group: Sequence[BlockInstance], attribute: str, children: ChildrenOf
) -> list[Child] | None:
    place = [c.attribute for c in group[0].children]
    if attribute not in place:
        return None
    return [children(use)[place.index(attribute)] for use in group]


def _aligned(columns: list[list[Child] | None], shape: Any) -> list[list[Child]] | None:
    """Equal layers as they are, sequences with gaps; None if they differ more than that."""
    there = [column for column in columns if column is not None]
    if not all(isinstance(column[0].module, SequentialNode) for column in there):
        if len({shape(column[0].module) for column in there}) > 1:
            return None
        return [column or [] for column in columns]
    leads = [
        [(shape(c.module), _grouped(c.module)) for c in _children(column[0].module)]
        for column in there
    ]
    places = _places(leads)
    if places is None:
        return None
    own = iter(places)
    return [
        [_padded(child, row) for child in column] if column and (row := next(own)) else []
        for column in columns
    ]


def _grouped(module: Any) -> Any:
    """Which convolutions are depthwise: a kind of their own."""
    module = _first(module)
    if isinstance(module, SequentialNode):
        return tuple(_grouped(child.module) for child in module.children)
    return isinstance(module, OpCall) and getattr(module.op, "groups", 1) > 1


def _places(leads: list[list[Any]]) -> list[list[int | None]] | None:
    """For each of several sequences, which of its items is at each position of their union."""
    whole: list[Any] | None = max(leads, key=len)
    for lead in leads:
        whole = whole and union(whole, lead)
    if not whole or len(whole) > max(map(len, leads)) + 1:
        return None
    made = [_matched(whole, lead) for lead in leads]
    return made if all(row is not None for row in made) else None  # type: ignore[return-value]


def _matched(whole: list[Any], own: list[Any]) -> list[int | None] | None:
    made: list[int | None] = []
    blocks = SequenceMatcher(None, whole, own, autojunk=False).get_matching_blocks()
    found = {block.a + n: block.b + n for block in blocks for n in range(block.size)}
    made = [found.get(place) for place in range(len(whole))]
    return made if len(found) == len(own) else None


def _first(module: Any) -> Any:
    """The first layer of a run."""
    return module.end(0) if isinstance(module, Run) else module


def _padded(child: Child, places: list[int | None]) -> Child:
    row = child.module
    assert isinstance(row, SequentialNode)
    children = tuple(GAP if p is None else row.children[p] for p in places)
    return replace(child, module=replace(row, children=children))


# Conditions ---------------------------------------------------------------------------


def _kept(uses: Sequence[BlockInstance], summed: Mapping[BlockInstance, bool]) -> Expr | None:
    """The usual condition of a sum with the input, or the half of it that differs."""
    halves = [half for half in KEPT.operands if len({_holds(half, use) for use in uses}) > 1]
    usual = [KEPT, *halves] if len(halves) > 1 else halves
    return next((condition for condition in usual if _decides(condition, uses, summed)), None)


def _decides(
    condition: Expr, uses: Sequence[BlockInstance], there: Mapping[BlockInstance, bool]
) -> bool:
    """Whether a condition is true in the uses that have something, and in no others."""
    return all(_holds(condition, use) is there[use] for use in uses)


def _holds(condition: Expr, use: BlockInstance) -> bool | None:
    found = evaluated(condition, use)
    return None if found is None else bool(found)


def evaluated(
    expr: Expr, use: BlockInstance, others: Sequence[BlockInstance] = ()
) -> Scalar | None:
    """The number of a formula in one use; None if the use does not have a name.

    A name that nothing in the use reads has its formula from `others`.
    """

    def meaning(name: Name) -> Value:
        if name.id in use.definitions:
            return constant(use.definitions[name.id].number)
        found = {o.definitions[name.id].inner for o in others if name.id in o.definitions}
        inner = found.pop() if len(found) == 1 else None
        if inner is None:
            raise ExpressionError(f"no {name.id}")
        return evaluate(inner, meaning)

    try:
        return evaluate(expr, meaning).number
    except ExpressionError:
        return None


def conditions(made: Merged, uses: Sequence[BlockInstance]) -> bool:
    """Find a condition for each child with gaps; whether there are few of them, and no choices."""
    lead = uses[0]
    stated = [*_stated(lead.raw, GIVEN | lead.args.keys())]
    whole: list[Set[BlockInstance]] = []
    for attribute, place, column in _gaps(made.rows):
        there = {use: child is not GAP for use, child in column.items()}
        if "." in attribute:  # it is in a container
            return False
        if place == WHOLE:
            whole.append({use for use, t in there.items() if t})
        usual = next((c for c in stated if _decides(c, [*there], there)), None)
        made.when[attribute, place] = usual or _gate(made, column, there)
    chosen = any({*uses} - some in whole for some in whole)
    return len(made.when) <= MOST and not chosen


def _gaps(
    rows: Mapping[BlockInstance, tuple[Child, ...]],
) -> Iterator[tuple[str, int, dict[BlockInstance, Child]]]:
    """The children that some uses do not have, by their attribute and their position in it."""
    for number in range(len(next(iter(rows.values())))):
        whole = {use: row[number] for use, row in rows.items()}
        there = {use: child for use, child in whole.items() if child is not GAP}
        lead = next(iter(there.values()))
        if len(there) < len(whole) and not drops(lead.module):
            yield lead.attribute, WHOLE, whole
        for place in range(len(_children(lead.module))):
            column = {use: _children(child.module)[place] for use, child in there.items()}
            if any(one is GAP for one in column.values()):
                yield lead.attribute, place, column


def _gate(
    made: Merged, column: Mapping[BlockInstance, Child], there: Mapping[BlockInstance, bool]
) -> Expr:
    """A size that only the uses with the child have, or a flag."""
    names = [name for use, child in column.items() if there[use] for name in _sizes(child)]
    if size := next((name for name in names if _is_size(name, there)), None):
        made.gates[size] = "size"
        return Name(size)
    child = next(child for use, child in column.items() if there[use])
    module = _first(child.module)
    word = module.instance.prefix if isinstance(module, BlockCall) else ""
    name = word or (module.op.key if isinstance(module, OpCall) else "") or "extra"
    flagged = frozenset(use for use, t in there.items() if t)
    while any(name in u.definitions for u in there) or made.flagged.get(name, flagged) != flagged:
        name = f"has_{name}"
    made.gates[name] = "flag"
    made.flagged[name] = flagged
    return Name(name)


def _is_size(name: str, there: Mapping[BlockInstance, bool]) -> bool:
    """Whether the uses with a child have this size, a positive integer, and the others do not."""
    if name in GIVEN or any((name in use.definitions) is not t for use, t in there.items()):
        return False
    numbers = [use.definitions[name].number for use, t in there.items() if t]
    return all(type(number) is int and number > 0 for number in numbers)


def _sizes(child: Child) -> Iterator[str]:
    """The names that are an argument of a layer as they are."""
    module = _first(child.module)
    if isinstance(module, BlockCall):
        yield from (e.id for e in module.outside.values() if isinstance(e, Name))
    elif isinstance(module, OpCall):
        values = [v for v in module.slots.values() if isinstance(v, Value)]
        yield from (v.expr.id for v in values if isinstance(v.expr, Name))


def _stated(written: Any, known: frozenset[str]) -> Iterator[Expr]:
    """The conditions in a block, on its own numbers."""
    if isinstance(written, dict):
        if isinstance(condition := written.get("when"), str):
            try:
                expr = parse(condition)
            except ExpressionError:
                return
            if names(expr) <= known and all(isinstance(part, PRINTED) for part in walk(expr)):
                yield expr
        for part in written.values():
            yield from _stated(part, known)
    elif isinstance(written, list):
        for part in written:
            yield from _stated(part, known)
