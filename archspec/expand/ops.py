"""An op in its context: its arguments, its output shape, and its location."""

from __future__ import annotations

from archspec.expand.arguments import Arguments
from archspec.expand.budget import OPEN
from archspec.expand.rows import Module
from archspec.expand.scope import Scope
from archspec.ir import Op, ShapeError
from archspec.ir.tree import OpCall, OpSite, TensorInfo, number_of
from archspec.language.stack import Layer
from archspec.ops.dropouts import StochasticDepth
from archspec.places import At

LARGEST_MAP = 2**40


def expand_op(op: type[Op], layer: Layer, at: At, scope: Scope, x: TensorInfo) -> Module:
    """An op with its arguments, and its output shape."""
    scope.budget.used.add(op.key)
    scope.budget.grow(1)
    scope.budget.spend(OPEN)
    try:
        slots = Arguments(op, layer, at, scope, x).all()
        made = op(**{name: number_of(slot) for name, slot in slots.items()}, rank=x.shape.rank)
        shape = made.output(x.shape)
    except ShapeError as error:
        cause, place = _CAUSES.get(error.rule, ""), at
        if cause in layer.given:
            place = at.below(layer.head, cause)
        given = scope.given_by(layer.given.get(cause))
        raise scope.error(error.rule, error.message, place, error.hint, given=given) from None
    if min(shape.sizes) < 1 or shape.elements > LARGEST_MAP:
        message = f"`{op.key}` outputs {shape} for {x.shape}"
        raise scope.error("feature-map-vanishes", message, at)
    if isinstance(made, StochasticDepth) and made.p:
        scope.budget.drops.add(scope.block)
    module = OpCall(made, op.torch_name(x.shape), slots)
    named = scope.named or at
    where = OpSite(module, x.shape, shape, layer.given, at, named, scope.uses, scope.role)
    return module, where, x.through(made, shape, slots)


_CAUSES = {"groups-do-not-divide": "groups", "feature-map-vanishes": "kernel"}
