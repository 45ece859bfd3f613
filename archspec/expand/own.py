"""Modules of the user's own: leaves, of which a block says all that is known."""

from __future__ import annotations

from archspec.expand.calls import Call
from archspec.expand.lists import slot
from archspec.expand.rows import Module
from archspec.expand.scope import Scope
from archspec.ir.own import own
from archspec.ir.tree import OpCall, OpSite, TensorInfo
from archspec.language.arguments import ANY
from archspec.language.own import COUNT
from archspec.places import At


def own_module(call: Call, scope: Scope, x: TensorInfo, y: TensorInfo) -> Module:
    """The module of a block that imports its class, where `x` arrives and `y` leaves."""
    block = call.block
    slots = {n: slot(v, ANY, At(("call", n), call.name), n, scope) for n, v in block.call.items()}
    learns = scope.count(block.params, COUNT, At(("params",), call.name))
    multiplies = scope.count(block.macs, COUNT, At(("macs",), call.name))
    attribute = scope.name(block.name, At(("name",), call.name)) or call.name
    kind = own(call.name, attribute, str(block.imported), tuple(block.call))
    op = kind(rank=x.shape.rank, learns=learns, multiplies=multiplies)
    made = OpCall(op, kind.torch, slots)
    return made, OpSite(made, x.shape, y.shape, {}, call.at, call.at, scope.uses, scope.role), y
