"""`share`: a layer of the enclosing class, applied again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archspec.diagnostics import did_you_mean
from archspec.expand.builder import Builder, Shareable, applied
from archspec.expand.layers import Steps, combinator
from archspec.expand.rows import Module
from archspec.expand.scope import FoundError, Scope
from archspec.expression import Scalar
from archspec.ir.bodies import sizes_in
from archspec.ir.tree import (
    BlockCall,
    Container,
    ModuleNode,
    OpCall,
    RowSite,
    SequentialNode,
    Site,
    TensorInfo,
    number_of,
)
from archspec.language.sharing import LAYER
from archspec.language.stack import Layer
from archspec.places import At

BEHIND = "the layer must have a `name` and come earlier in the same body"


@combinator("share")
def share(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """The layer with this name, applied to the input."""
    place = at.below("share")
    name = scope.name(layer.given[LAYER], place) or ""
    if layer.init is not None:
        hint = f"set it on `{name}` itself"
        raise scope.error(
            "bad-layer", "`share` has no weight to initialize", at.below("init"), hint
        )
    first = _found(name, place, scope)
    module, site, y = _expanded(name, first, place, scope, x)
    if not _same(_module(first.step.site), module, set()):
        made = (
            f"`{name}` is defined for {first.x.shape} and would be a different layer for {x.shape}"
        )
        hint = "its input must have as many channels as at its definition"
        labels = ((first.at, f"`{name}` is defined here"),)
        raise scope.error("shape-mismatch", made, place, hint, labels)
    scope.settle(first.x.channels)
    return [replace(applied(first.step.layer, site), again=at)], y


def _found(name: str, at: At, scope: Scope) -> Shareable:
    tensors = scope.tensors
    if tensors is None:
        hint = "layers in a `sequence` or given for a part cannot see other layers"
        raise scope.error("bad-layer", "layers cannot be shared here", at, hint)
    if name not in tensors.layers:
        if name in tensors.known:
            message, hint = f"`{name}` is a tensor, not a layer", f"read it with `from: {name}`"
            raise scope.error("unknown-layer", message, at, hint)
        hint = did_you_mean(name, tensors.layers, "available") if tensors.layers else BEHIND
        raise scope.error("unknown-layer", f"no earlier layer is named `{name}`", at, hint)
    first = tensors.layers[name]
    if first.step.inputs or first.step.outputs:
        message = f"`{name}` is a block with {'inputs' if first.step.inputs else 'outputs'}"
        hint = "a shared layer must have one input and one output"
        raise scope.error("bad-layer", message, at, hint, ((first.at, "it is defined here"),))
    return first


def _expanded(name: str, first: Shareable, at: At, scope: Scope, x: TensorInfo) -> Module:
    """The layer for this input, with the names of the scope where it is written."""
    widths = len(scope.budget.widths)
    inside = first.scope.with_(budget=scope.budget, memo=scope.memo, role=scope.role)
    try:
        made = first.expand(inside, x)
    except FoundError as error:
        finding = error.findings[0]
        message = f"`{name}` does not accept {x.shape}: {finding.message}"
        labels = ((first.at, f"`{name}` is defined here, for {first.x.shape}"),)
        raise scope.error(finding.rule, message, at, finding.hint, labels) from None
    del scope.budget.widths[widths:]  # of stages in it, which were counted at its definition
    return made


def _module(site: Site) -> ModuleNode:
    return site.row if isinstance(site, RowSite) else site.call


def _same(one: ModuleNode, other: ModuleNode, seen: set[tuple[int, int]]) -> bool:
    """Whether two modules are constructed alike and can be one; `seen` were compared already."""
    match one, other:
        case OpCall(), OpCall():
            return one.torch == other.torch and _numbers(one) == _numbers(other)
        case BlockCall(), BlockCall():
            return _alike(one.instance, other.instance, seen)
        case SequentialNode(), SequentialNode():
            return _alike(one, other, seen)
    return False


def _alike(one: Container, other: Container, seen: set[tuple[int, int]]) -> bool:
    if one is other or (id(one), id(other)) in seen:
        return True
    mine, theirs = _attributes(one), _attributes(other)
    if mine.keys() != theirs.keys() or one.body != other.body or _sizes(one) != _sizes(other):
        return False
    seen.add((id(one), id(other)))
    return all(_same(mine[name], theirs[name], seen) for name in mine)


def _attributes(container: Container) -> dict[str, ModuleNode]:
    return {child.attribute: child.module for child in container.attributes}


def _sizes(container: Container) -> list[Scalar]:
    return [size.value.number for size in sizes_in(container.body)]


def _numbers(call: OpCall) -> dict[str, Any]:
    """The arguments of a layer, without their formulas."""
    return {name: number_of(slot) for name, slot in call.slots.items()}
