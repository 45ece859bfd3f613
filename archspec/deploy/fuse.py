"""`fuse_convolutions`, `fuse_sums`, `fuse_activations`: what one call of oneDNN computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archspec.deploy.norms import op_of
from archspec.deploy.ops import ACTIVATIONS, FusedConv
from archspec.deploy.rewrite import C, alone, children_of, edited, layer_at, named, with_children
from archspec.expression import new_name
from archspec.ir import Add, Apply, Body, Constant, Load, Op, Save, applications
from archspec.ir.bodies import in_chains, is_nothing, steps_of
from archspec.ir.liveness import saved
from archspec.ir.tree import Child
from archspec.ops.convolutions import Conv


def fuse_convolutions(container: C) -> C:
    """The container with each image convolution as one that can be fused."""
    fused = {name: _fused(c) for name, c in named(container).items() if _is_image(op_of(c))}
    return with_children(container, fused) if fused else container


def _is_image(op: Op | None) -> bool:
    return isinstance(op, Conv) and op.rank == 2 and op.padding_mode == "zeros"


def _fused(child: Child) -> Child:
    call: Any = child.module
    given = {f.name: getattr(call.op, f.name) for f in dataclasses.fields(call.op)}
    return replace(child, module=replace(call, op=FusedConv(**given), torch=FusedConv.torch))


def fuse_sums(container: C) -> C:
    """The container with each sum of two branches in the last convolution of one of them."""
    single, taken = alone(container), {*saved(container.body)}

    def fuse(steps: list[Body]) -> list[Body]:
        for place, step in enumerate(steps):
            if isinstance(step, Add) and not step.flag and len(step.branches) == 2:
                for main, other in (step.branches, step.branches[::-1]):
                    *ahead, last = [*steps_of(main)] or [main]
                    conv = op_of(layer_at(last, single))
                    if isinstance(conv, FusedConv) and _is_aside(other):
                        joined = _joined(ahead, last, other, taken)
                        return [*steps[:place], *joined, *fuse(steps[place + 1 :])]
        return steps

    return edited(container, in_chains(container.body, fuse))


def _is_aside(other: Body) -> bool:
    """Whether the other branch can be computed earlier, and has the shape of the output."""
    constants = any(isinstance(step, Constant) for step in applications(other))
    return not constants and not any(saved(other))


def _joined(ahead: list[Body], last: Any, other: Body, taken: set[str]) -> list[Body]:
    """The steps of a sum whose second branch is an input of the last convolution of the first."""
    shortcut = _name("shortcut", taken)
    sums = replace(last, inputs=(shortcut,))
    if is_nothing(other):
        return [Save(shortcut), *ahead, sums]
    arriving, made = _name("arriving", taken), _name("y", taken)
    aside = [Save(made), Load(arriving), *steps_of(other), Save(shortcut), Load(made)]
    return [Save(arriving), *ahead, *aside, sums]


def _name(word: str, taken: set[str]) -> str:
    """A name that no tensor of the body has yet."""
    name = new_name(word, taken)
    taken.add(name)
    return name


def fuse_activations(container: C) -> C:
    """The container with activations in the convolutions before them."""
    children, single = children_of(container), alone(container)
    fused: dict[str, Child] = {}

    def fuse(steps: list[Body]) -> list[Body]:
        left: list[Body] = []
        for step in steps:
            last = left[-1] if left else None
            function = _function(step, children)
            if function and isinstance(last, Apply) and last.layer not in fused:
                conv = single.get(last.layer)
                if conv is not None and _takes(conv, last, function):
                    fused[last.layer] = _activated(conv, function)
                    continue
            left.append(step)
        return left

    body = in_chains(container.body, fuse)
    return edited(container, body, fused.values()) if fused else container


def _function(step: Body, children: Mapping[str, Child]) -> str:
    """oneDNN's name of an activation without parameters, or nothing."""
    return ACTIVATIONS.get(type(op_of(layer_at(step, children))).__name__, "")


def _takes(conv: Child, at: Apply, function: str) -> bool:
    """Whether a convolution ends in this function; after a sum, oneDNN only supports `relu`."""
    op = op_of(conv)
    free = isinstance(op, FusedConv) and not op.act
    return free and (not at.inputs or function == "relu")


def _activated(conv: Child, function: str) -> Child:
    call: Any = conv.module
    op = replace(call.op, act=function)
    slots = {**call.slots, "act": function}
    return replace(conv, module=replace(call, op=op, slots=slots))
