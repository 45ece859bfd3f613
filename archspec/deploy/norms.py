"""`fold_norms`: a batch norm goes into the weight of the layer ahead of it.

In inference a batch norm is a factor and an offset for each channel (Ioffe & Szegedy, 2015,
algorithm 2), and so is what a convolution or a linear layer leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archspec.deploy.rewrite import C, children_of, edited, in_chains, once, plain
from archspec.ir import Apply, Body, Op
from archspec.ir.tree import Child, OpCall, Term
from archspec.ops.convolutions import Conv, ConvTranspose, Linear
from archspec.ops.norms import BatchNorm, FrozenBatchNorm


def fold_norms(container: C) -> C:
    """The container with each norm in the layer ahead of it, if that is applied nowhere else."""
    children, single = children_of(container), once(container.body)
    folded: dict[str, Child] = {}

    def fold(steps: list[Body]) -> list[Body]:
        left: list[Body] = []
        for step in steps:
            pair = _pair(left[-1:], step, children) if left else None
            if pair and {child.attribute for child in pair} <= single - folded.keys():
                folded[pair[0].attribute] = _folded(*pair)
            else:
                left.append(step)
        return left

    body = in_chains(container.body, fold)
    return edited(container, body, folded.values()) if folded else container


def _pair(
    ahead: list[Body], step: Body, children: Mapping[str, Child]
) -> tuple[Child, Child] | None:
    """A layer and the norm behind it, where the one takes the other in."""
    if not all(map(plain, (*ahead, step))):
        return None
    layer, norm = (children.get(one.layer) for one in (*ahead, step) if isinstance(one, Apply))
    if layer is None or norm is None or any(term.norm for term in layer.trained):
        return None
    return (layer, norm) if takes_norms(op_of(layer)) and folds(op_of(norm)) else None


def op_of(child: Child) -> Op | None:
    """The op of a layer, if it is one."""
    return child.module.op if isinstance(child.module, OpCall) else None


def takes_norms(op: Op | None) -> bool:
    """Whether the weight of an op takes in a factor for each channel."""
    return isinstance(op, (Conv, Linear)) or (isinstance(op, ConvTranspose) and op.groups == 1)


def folds(op: Op | None) -> bool:
    """Whether an op is a batch norm with statistics of its own."""
    return isinstance(op, FrozenBatchNorm) or (isinstance(op, BatchNorm) and op.track_running_stats)


def _folded(layer: Child, norm: Child) -> Child:
    """The layer with what the norm was in training in its own terms."""
    (term,), (behind,) = layer.trained, norm.trained
    made = Term(term.layer, behind.layer, eps_of(norm))
    return replace(layer, module=biased(layer.module), terms=(made,))


def eps_of(norm: Child) -> float:
    """What a norm adds to the variance."""
    op: Any = op_of(norm)
    return float(op.eps)


def biased(module: Any) -> OpCall:
    """A convolution or a linear layer that has a bias."""
    slots = {name: slot for name, slot in module.slots.items() if name != "bias"}
    return OpCall(replace(module.op, bias=True), module.torch, slots)
