"""`fold_norms`: fold a batch norm into the weight of the layer before it.

In inference, a batch norm is a factor and an offset per channel (Ioffe & Szegedy, 2015,
algorithm 2), and so is the output of a convolution or linear layer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archspec.deploy.rewrite import C, alone, edited, layer_at, with_children
from archspec.ir import Body, Op
from archspec.ir.bodies import in_chains, steps_of
from archspec.ir.tree import BlockCall, Child, OpCall, Term
from archspec.ops.convolutions import Conv, ConvTranspose, Linear
from archspec.ops.norms import BatchNorm, FrozenBatchNorm


def fold_norms(container: C) -> C:
    """The container with each norm in the layer before it, if that is applied nowhere else."""
    single = alone(container)
    folded: dict[str, Child] = {}

    def fold(steps: list[Body]) -> list[Body]:
        left: list[Body] = []
        for step in steps:
            layer, norm = (layer_at(one, single) for one in (left[-1] if left else None, step))
            taken = _with_norm(layer, norm) if layer and norm else None
            if taken and taken.attribute not in folded:
                folded[taken.attribute] = taken
            else:
                left.append(step)
        return left

    body = in_chains(container.body, fold)
    return edited(container, body, folded.values()) if folded else container


def _with_norm(layer: Child, norm: Child, out: str = "") -> Child | None:
    """A layer with a norm folded in, or None; `out` leads to the norm.

    In a block or sequence, the norm is folded into its last layer.
    """
    if not folds(op_of(norm)):
        return None
    (term,) = layer.trained if len(layer.trained) == 1 else (Term("", "some"),)
    if isinstance(layer.module, OpCall):
        if term.norm or not takes_norms(layer.module.op):
            return None
        made = Term(term.layer, out + norm.trained[0].layer, eps_of(norm))
        return replace(layer, module=biased(layer.module), terms=(made,))
    inner: Any = layer.module.instance if isinstance(layer.module, BlockCall) else layer.module
    *_, step = [None, *steps_of(inner.body)]
    last = layer_at(step, alone(inner))
    taken = _with_norm(last, norm, f".{out}") if last and "." not in layer.attribute else None
    if taken is None:
        return None
    inner = with_children(inner, {taken.attribute: taken})
    whole = isinstance(layer.module, BlockCall)
    return replace(layer, module=replace(layer.module, instance=inner) if whole else inner)


def op_of(child: Child | None) -> Op | None:
    """The op of a layer, if it is one."""
    return child.module.op if child and isinstance(child.module, OpCall) else None


def takes_norms(op: Op | None) -> bool:
    """Whether the weight of an op can contain a factor per channel."""
    return isinstance(op, (Conv, Linear)) or (isinstance(op, ConvTranspose) and op.groups == 1)


def folds(op: Op | None) -> bool:
    """Whether an op is a batch norm with statistics of its own."""
    return isinstance(op, FrozenBatchNorm) or (isinstance(op, BatchNorm) and op.track_running_stats)


def eps_of(norm: Child) -> float:
    """The number that a norm adds to the variance."""
    op: Any = op_of(norm)
    return float(op.eps)


def biased(module: Any) -> OpCall:
    """A convolution or linear layer with a bias."""
    slots = {name: slot for name, slot in module.slots.items() if name != "bias"}
    return OpCall(replace(module.op, bias=True), module.torch, slots)
