"""The arguments of an op: from its input, the spec, `defaults`, and archspec's own defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.expand.lists import slot
from archspec.expand.scope import Scope
from archspec.expression import Number, Value, constant, evaluate, from_python, parse
from archspec.ir import Op, OpField, fields_of
from archspec.ir.tree import Slot, TensorInfo
from archspec.language.arguments import NEVER_WRITTEN
from archspec.language.stack import Layer
from archspec.places import At

Given = tuple[tuple[str, Slot], ...]  # by their names in the language


def arguments_of(op: type[Op], layer: Layer, at: At, scope: Scope) -> Given:
    """The arguments that a layer or `defaults` sets; `at` is the location of the layer."""
    defaults, fields = scope.context.defaults.ops.get(op.key, {}), fields_of(op)
    known: list[tuple[str, Slot]] = []
    for f in fields:
        if f.name in layer.given:
            written, place = layer.given[f.name], at.below(layer.head, f.name)
        elif f.name in defaults:
            written, place = defaults[f.name], At(("defaults", op.key, f.name))
        else:
            continue
        known.append((f.name, _evaluated(written, f, place, scope)))
    _check_required(op, fields, dict(known), at, scope)
    return tuple(known)


def _evaluated(written: Any, f: OpField, at: At, scope: Scope) -> Slot:
    if isinstance(written, str):
        return written
    if isinstance(written, Number):  # its bounds were checked as it was read
        scope.budget.read(written)
        return constant(written.value)
    return slot(written, f.how, at, f.name, scope)


def _check_required(
    op: type[Op], fields: tuple[OpField, ...], known: Mapping[str, Slot], at: At, scope: Scope
) -> None:
    for f in fields:
        if f.name not in known and _is_required(f):
            message = f"missing argument `{f.name}` for `{op.key}`"
            raise scope.error("missing-key", message, at, f"use `{op.key}: {{{f.name}: ...}}`")


def _is_required(f: OpField) -> bool:
    if f.how.kind in NEVER_WRITTEN or f.how.ours is not None:
        return False
    return not (f.default is None or isinstance(f.default, str) or _is_number(f.default))


def slots_of(op: type[Op], given: Given, x: TensorInfo) -> dict[str, Slot]:
    """Every argument that is given, inferred from the input `x`, or has a default in archspec.

    By torch's names; torch's own defaults are not included.
    """
    known, usual, ours = dict(given), dict[str, Slot](), list[OpField]()
    for f in fields_of(op):
        if f.name in known:
            continue
        if f.how.ours is not None:
            ours.append(f)
        elif (slot := _implied(f, x)) is not None:
            known[f.name] = slot
        elif _is_number(f.default):
            usual[f.name] = constant(from_python(f.default))
    for f in ours:
        known[f.name] = _our_default(f, usual | known)
    return {f.torch: known[f.name] for f in fields_of(op) if f.name in known}


def _implied(f: OpField, x: TensorInfo) -> Slot | None:
    """What the input implies."""
    match f.how.kind:
        case "arrives":
            return x.value
        case "dims":
            return constant(0 if x.shape.last else x.shape.rank)
        case "axis":
            return constant(-1 if x.shape.last else 1)
        case "fixed":
            return constant(f.default)
    return None


def _is_number(default: Any) -> bool:
    return isinstance(default, (bool, int, float))


def _our_default(f: OpField, known: Mapping[str, Slot]) -> Slot:
    """The language's own default, for each dimension if the argument is a list."""
    formula = parse(f.how.ours or "")
    lengths = [len(slot) for slot in known.values() if isinstance(slot, tuple)]
    if not lengths or isinstance(formula, Number) or f.how.kind == "flag":
        return evaluate(formula, lambda name: _dimension(known[name.id], 0))
    return tuple(
        evaluate(formula, lambda name, at=place: _dimension(known[name.id], at))  # type: ignore[misc]
        for place in range(max(lengths))
    )


def _dimension(slot: Slot, place: int) -> Value:
    if isinstance(slot, tuple):
        slot = slot[min(place, len(slot) - 1)]
    assert isinstance(slot, Value)
    return slot
