"""Layers without a module: `forward` computes them with a method of the tensor.

Such a layer has no weights and does what a tensor method does: `x.transpose(1, 2)`. A layer at the
end of a residual's branch stays a module, because training may drop it. Attention is torch's own
layer, called with its input three times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from archspec.expression import Number
from archspec.ir import Attend, Body, Op, residual_ends
from archspec.ir.bodies import replaced_layers
from archspec.ir.classes import Layer, New


def expressed(layers: Iterable[Layer], body: Body) -> tuple[list[Layer], Body]:
    """The remaining layers of a class, and its body."""
    ends, kept = {*residual_ends(body)}, list[Layer]()
    steps: dict[str, Body] = {}
    for layer in layers:
        op = _op(layer)
        if op and op.written and layer.name not in ends:
            steps[layer.name] = op.method(layer.new.arguments)  # type: ignore[union-attr]
        elif op and op.attends:
            steps[layer.name] = Attend(layer.name)
            kept.append(replace(layer, new=_attention(layer.new)))
        else:
            kept.append(layer)
    return kept, replaced_layers(body, steps)


def _op(layer: Layer) -> type[Op] | None:
    """The op of a layer that always exists."""
    what: Any = layer.new.what if isinstance(layer.new, New) and not layer.loop else None
    return what if isinstance(what, type) and issubclass(what, Op) else None


def _attention(new: Any) -> New:
    made: New = replace(new, torch=new.what.extends, more={"batch_first": Number(True)})
    return made
