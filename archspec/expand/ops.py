"""An op in its context: its arguments, its output shape, and its location."""

from __future__ import annotations

from archspec.expand.arguments import Given, arguments_of, slots_of
from archspec.expand.budget import OPEN
from archspec.expand.rows import Module
from archspec.expand.scope import Scope
from archspec.ir import Op, Shape, ShapeError
from archspec.ir.tree import OpCall, OpSite, TensorInfo, number_of
from archspec.language.stack import Layer
from archspec.memo import Memo, remember
from archspec.ops.dropouts import StochasticDepth
from archspec.places import At

LARGEST_MAP = 2**40


def expand_op(op: type[Op], layer: Layer, at: At, scope: Scope, x: TensorInfo) -> Module:
    """An op with its arguments, and its output shape."""
    scope.budget.used.add(op.key)
    scope.budget.grow(1)
    scope.budget.spend(OPEN)
    try:
        module, y = call_of_op(op, arguments_of(op, layer, at, scope), x, memo=scope.memo)
    except ShapeError as error:
        cause, place = _CAUSES.get(error.rule, ""), at
        if cause in layer.given:
            place = at.below(layer.head, cause)
        given = scope.given_by(layer.given.get(cause))
        raise scope.error(error.rule, error.message, place, error.hint, given=given) from None
    shape, made = y.shape, module.op
    if _vanishes(shape) or shape.elements > LARGEST_MAP:
        message = f"`{op.key}` outputs {shape} for {x.shape}"
        raise scope.error("feature-map-vanishes", message, at)
    if isinstance(made, StochasticDepth) and made.p:
        scope.budget.drops.add(scope.block)
    named = scope.named or at
    where = OpSite(module, x.shape, shape, layer.given, at, named, scope.uses, scope.role)
    return module, where, y


@remember
def call_of_op(
    op: type[Op], given: Given, x: TensorInfo, *, memo: Memo | None
) -> tuple[OpCall, TensorInfo]:
    """An op with all its arguments, and its output; raises `ShapeError`."""
    slots = slots_of(op, given, x)
    made = op(**{name: number_of(slot) for name, slot in slots.items()}, rank=x.shape.rank)
    shape, module = made.output(x.shape), OpCall(made, op.torch_name(x.shape), slots)
    # An output that vanishes is a finding; it has no formulas.
    y = x._replace(shape=shape) if _vanishes(shape) else x.through(made, shape, slots)
    return module, y


def _vanishes(shape: Shape) -> bool:
    return min(shape.sizes) < 1


_CAUSES = {"groups-do-not-divide": "groups", "feature-map-vanishes": "kernel"}
