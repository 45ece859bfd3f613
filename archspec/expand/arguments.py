"""The arguments of an op: from its input, the spec, `defaults`, and archspec's own defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from functools import partial
from typing import Any

from archspec.expand.lists import slot
from archspec.expand.scope import Scope
from archspec.expression import Name, Number, Value, constant, evaluate, from_python, parse
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
    return f.default is MISSING and f.how.ours is None and f.how.kind not in NEVER_WRITTEN


def slots_of(op: type[Op], given: Given, x: TensorInfo) -> dict[str, Slot]:
    """Every argument that is given, inferred from the input `x`, or has a default in archspec.

    By torch's names; torch's own defaults are not included.
    """
    known, fields = dict(given), fields_of(op)
    absent = [f for f in fields if f.name not in known]
    for f in absent:
        if f.how.ours is None and (slot := _implied(f, x)) is not None:
            known[f.name] = slot
    usual = {f.name: f.default for f in absent}
    for f in absent:
        if f.how.ours is not None:
            known[f.name] = _our_default(f, known, usual)
    return {f.torch: known[f.name] for f in fields if f.name in known}


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


def _our_default(f: OpField, known: Mapping[str, Slot], usual: Mapping[str, Any]) -> Slot:
    """The language's own default, for each dimension if the argument is a list.

    Its formula may name arguments that are not known; they have torch's default.
    """
    formula = parse(f.how.ours or "")
    if isinstance(formula, Number):
        return constant(formula.value)

    def dimension(place: int, name: Name) -> Value:
        slot = known[name.id] if name.id in known else constant(from_python(usual[name.id]))
        if isinstance(slot, tuple):
            slot = slot[min(place, len(slot) - 1)]
        assert isinstance(slot, Value)
        return slot

    lengths = [len(slot) for slot in known.values() if isinstance(slot, tuple)]
    if not lengths or f.how.kind == "flag":
        return evaluate(formula, partial(dimension, 0))
    return tuple(evaluate(formula, partial(dimension, place)) for place in range(max(lengths)))
