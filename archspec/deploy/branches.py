"""`merge_branches`: a sum of parallel convolutions becomes one convolution.

Blocks with several branches are re-parametrized for inference in this way (Ding et al., "RepVGG",
2021, section 3.3; Vasu et al., "MobileOne", 2023). A parallel norm is a convolution that keeps each
channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.deploy.norms import biased, eps_of, folds, op_of
from archspec.deploy.rewrite import C, alone, edited, layer_at
from archspec.ir import Add, Apply, Body, each
from archspec.ir.bodies import parts_of, steps_of, with_parts
from archspec.ir.tree import Child, Term
from archspec.ops.convolutions import Conv


def merge_branches(container: C) -> C:
    """The container with each such sum as the largest of its convolutions."""
    single = alone(container)
    merged: dict[str, Child] = {}

    def merge(body: Body) -> Body:
        if isinstance(body, Add) and not body.flag:
            found = [_only(branch, single) for branch in body.branches]
            branches = [child for child in found if child is not None]
            together = len(branches) == len(found) and _merged(branches)
            if together:
                merged[together.attribute] = together
                return next(a for a in _applies(body) if a.layer == together.attribute)
        return with_parts(body, [merge(part) for part in parts_of(body)])

    body = merge(container.body)
    return edited(container, body, merged.values()) if merged else container


def _applies(body: Add) -> list[Apply]:
    return [s for branch in body.branches for s in steps_of(branch) if isinstance(s, Apply)]


def _only(branch: Body, layers: Mapping[str, Child]) -> Child | None:
    """The only layer of a branch."""
    steps = [*steps_of(branch)]
    return layer_at(steps[0], layers) if len(steps) == 1 else None


def _merged(branches: Sequence[Child]) -> Child | None:
    """One layer for all branches, or None."""
    convs = [child for child in branches if isinstance(op_of(child), Conv)]
    if not convs or len(branches) < 2:
        return None
    whole = max(convs, key=lambda child: _window(op_of(child)))
    if not all(_fits(op_of(child), op_of(whole)) for child in branches):
        return None
    terms = [term for child in branches for term in _terms(child)]
    return replace(whole, module=biased(whole.module), terms=tuple(terms))


def _terms(child: Child) -> tuple[Term, ...]:
    """The training layers of a branch; a single norm normalizes the input."""
    if folds(op_of(child)):
        return (Term("", child.trained[0].layer, eps_of(child)),)
    return child.trained


def _window(conv: Any) -> tuple[int, ...]:
    return tuple(each(conv.kernel_size, conv.rank))


def _fits(op: Any, whole: Any) -> bool:
    """Whether an op is such a convolution, with a kernel in the middle of this one's."""
    if folds(op):
        keeps = bool(whole.in_channels == whole.out_channels)
        return keeps and _steps(whole) == (1,) * whole.rank
    if not isinstance(op, Conv):
        return False
    alike = (op.groups, op.in_channels, op.out_channels, _steps(op))
    if alike != (whole.groups, whole.in_channels, whole.out_channels, _steps(whole)):
        return False
    inside = all(a <= b for a, b in zip(_window(op), _window(whole), strict=True))
    return inside and _centered(op) and _centered(whole)


def _steps(conv: Any) -> tuple[int, ...]:
    return tuple(each(conv.stride, conv.rank))


def _centered(conv: Any) -> bool:
    """Whether the kernel is centered on the output pixel, with zero padding."""
    sizes = (each(size, conv.rank) for size in (conv.kernel_size, conv.padding, conv.dilation))
    return conv.padding_mode == "zeros" and all(
        kernel == 2 * padding + 1 and (dilation == 1 or kernel == 1)
        for kernel, padding, dilation in zip(*sizes, strict=True)
    )
