"""The user's own modules: leaves, described only by the block that imports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archspec.expand.calls import Call
from archspec.expand.leaving import connected
from archspec.expand.lists import slot
from archspec.expand.rows import Module
from archspec.expand.scope import Scope
from archspec.ir.own import own
from archspec.ir.tree import OpCall, OpSite, Slot, TensorInfo
from archspec.language.arguments import ANY
from archspec.language.own import COUNT
from archspec.places import At


def own_module(call: Call, scope: Scope, x: TensorInfo, gives: Sequence[TensorInfo]) -> Module:
    """The module of a block that imports its class, for the input `x`; its outputs, in order."""
    block = call.block
    slots = {name: _argument(given, name, call, scope) for name, given in block.call.items()}
    learns = scope.count(block.params, COUNT, At(("params",), call.name))
    multiplies = scope.count(block.macs, COUNT, At(("macs",), call.name))
    attribute = scope.name(block.name, At(("name",), call.name)) or call.name
    kind = own(call.name, attribute, str(block.imported), tuple(block.call))
    op = kind(rank=x.shape.rank, learns=learns, multiplies=multiplies)
    made = OpCall(op, kind.torch, slots)
    at, role, (y, *_) = call.at, scope.role, gives
    inputs, outputs = connected(call, gives if block.outputs else ())
    where = OpSite(made, x.shape, y.shape, {}, at, at, scope.uses, role, inputs, outputs)
    return made, where, y


def _argument(given: Any, name: str, call: Call, scope: Scope) -> Slot:
    """An argument of the constructor; a string stays as it is."""
    if isinstance(given, str):
        return given
    return slot(given, ANY, At(("call", name), call.name), name, scope)
