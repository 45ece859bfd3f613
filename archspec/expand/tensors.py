"""Named tensors: the names of a class under expansion, and layers that read and name tensors.

Names in the body of an inline block are private to each use. Until the class is complete, a mark
represents such a name, so that nested uses do not conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from archspec.expand.builder import Builder, Shareable, Tensor, Tensors
from archspec.expand.rows import Module
from archspec.expand.scope import Scope
from archspec.expression import whole
from archspec.ir import Apply, Body, Load, Real, Save
from archspec.ir.bodies import INPUT
from archspec.ir.tree import TensorInfo
from archspec.language.reading import names_of_tensors
from archspec.language.stack import Layer, Stack
from archspec.language.suggestions.unknown import tensor_hint
from archspec.language.words import COMBINATORS
from archspec.memo import Memo, remember
from archspec.ops import OPS
from archspec.places import At

SEVERAL = "only a block with `outputs` has several"
NOWHERE_KNOWN = "layers in a `sequence` or given for a part cannot read or name tensors"


Steps = tuple[list[Body], TensorInfo]
Expand = Callable[[Layer, At, Scope, TensorInfo, Builder], Steps]


def named(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder, expand: Expand) -> Steps:
    """A layer that reads a tensor by name, or names its output."""
    steps: list[Body] = []
    if layer.source is not None:
        tensor = read(layer.source, at.below("from"), scope)
        steps.append(Load(tensor.mark))
        x = tensor.info
    done, y = expand(layer, at, scope, x, out)
    steps += done
    if layer.save and not gives_several(layer, scope):
        known = of_scope(scope, at)
        if len(layer.save) > 1:
            message = f"`save` has {len(layer.save)} names, but `{layer.head}` has one output"
            raise scope.error("bad-layer", message, at.below("save"), SEVERAL)
        steps.append(Save(known.name(layer.save[0], y)))
    return steps, y


def remembered(
    name: str | None,
    step: Body,
    x: TensorInfo,
    at: At,
    scope: Scope,
    expand: Callable[[Scope, TensorInfo], Module],
    tensors: Tensors | None,
) -> None:
    """Record a layer with a name, which `share` may apply again."""
    if name is not None and tensors is not None and isinstance(step, Apply):
        tensors.layers[name] = Shareable(step, x, at, scope, expand)


def gives_several(layer: Layer, scope: Scope) -> bool:
    """Whether it is a block with `outputs`, whose call names them."""
    if layer.head in OPS or layer.head in COMBINATORS or layer.head in scope.parts:
        return False
    block = scope.context.blocks.get(layer.head)
    return block is not None and bool(block.outputs)


def of_scope(scope: Scope, at: At) -> Tensors:
    """The tensors that are available to layers; a finding if there cannot be any."""
    if scope.tensors is None:
        raise scope.error("bad-layer", "tensors cannot have names here", at, NOWHERE_KNOWN)
    return scope.tensors


def read(name: str, at: At, scope: Scope) -> Tensor:
    """The tensor with this name."""
    tensors = of_scope(scope, at)
    known = tensors.known
    if name not in known:
        message, hint = missing(name, known)
        raise scope.error("unknown-tensor", message, at, hint)
    tensors.out.named = True
    if scope.in_network:
        scope.settle(known[name].info.channels)
    return known[name]


def missing(name: str, known: Iterable[str]) -> tuple[str, str]:
    """The message and the hint for a name that no tensor has here."""
    message = f"the tensor `{name}` is not available here: the layer that saves it is left out"
    return message, tensor_hint(name, [*known])


def relative(info: TensorInfo, x: TensorInfo) -> tuple[Real, ...] | None:
    """The stride of a tensor relative to a block's input `x`."""
    if info.stride is None or x.stride is None or info.shape.rank != x.shape.rank:
        return None
    return tuple(whole(Fraction(a) / b) for a, b in zip(info.stride, x.stride, strict=True))


@remember
def names_read(written: Any, *, memo: Memo | None) -> frozenset[str]:
    """The names of tensors that may be read in a part of a spec."""
    return frozenset(name for name, saved in names_of_tensors(written, memo=memo) if not saved)


def reads_input(stack: Stack, memo: Memo | None) -> bool:
    """Whether layers read their input by name."""
    return INPUT in names_read(stack, memo=memo)
