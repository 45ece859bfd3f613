"""Ops: their arguments, and an op as a layer type."""

from __future__ import annotations

from dataclasses import MISSING

from archspec.ir import Op, OpField, fields_of
from archspec.language.arguments import NEVER_WRITTEN
from archspec.reference.entries import as_yaml
from archspec.schema.pieces import Schema, closed, doc, filled, numbers, ref, when


def arguments(op: type[Op]) -> Schema:
    """The arguments of an op as a mapping."""
    properties = {f.name: {**_described(op, f), **numbers(f.how)} for f in _written(op)}
    return {"description": doc(op.__doc__), **closed(properties)}


def _described(op: type[Op], f: OpField) -> Schema:
    torch = op.torch.format(rank=2)
    default = f.how.ours or ("" if f.default is MISSING else as_yaml(f.default))
    text = f"`{f.torch}` of `{torch}`."
    if f.default is None:
        text += f" By default {f.how.none}."
    elif default:
        text += f" By default `{default}`."
    described: Schema = {"description": text}
    if f.how.ours is None and isinstance(f.default, (bool, int, float, str)):
        described["default"] = f.default
    return described


def use(op: type[Op]) -> Schema:
    """An op as a layer type: its arguments, or only the first of them."""
    full = ref(f"op-{op.key}")
    described = {"description": doc(op.__doc__)}
    first = next((f for f in _written(op) if f.name == op.first), None)
    if first is None:
        return {**described, **full}
    return {**described, **when("object", full, filled(numbers(first.how)))}


def _written(op: type[Op]) -> list[OpField]:
    return [f for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN]
