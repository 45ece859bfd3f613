"""The outputs of a use of a block, for the enclosing class."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.diagnostics import plural
from archspec.expand.calls import Call
from archspec.expression import Number, Value
from archspec.ir.tree import BlockCall, BlockSite, TensorInfo, times
from archspec.language.stack import Layer
from archspec.places import At, Use


def leaving(
    made: BlockCall, call: Call, x: TensorInfo, inner: TensorInfo | None = None
) -> TensorInfo:
    """The output of the block (or a tensor that it outputs), in formulas of the caller."""
    inner = inner or made.instance.leaving
    stride = None
    if x.stride is not None and inner.stride is not None:
        stride = times(x.stride, inner.stride) if inner.shape.rank else ()
    channels = made.formula(inner.channels)
    value = Value(inner.shape.channels, channels)
    if channels is None:
        value = call.scope.printable(value, inner.channels, "channels")
    return TensorInfo(inner.shape, value.expr or Number(inner.shape.channels), stride)


def site(
    made: BlockCall, call: Call, use: Use, y: TensorInfo, given: Sequence[TensorInfo]
) -> BlockSite:
    """The application of a block; `given` are its outputs, if it has several."""
    inputs, outputs = connected(call, given)
    return BlockSite(made, y.shape, use, call.scope.uses, call.scope.role, inputs, outputs)


def connected(call: Call, given: Sequence[TensorInfo]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The additional inputs of a use of a block, and its outputs, by their names in the caller."""
    known = call.scope.tensors
    outputs: list[str] = []
    for place, info in enumerate(given):
        assert known is not None
        if place < len(call.saves):
            outputs.append(known.name(call.saves[place], info))
        else:
            outputs.append(known.out.tensor(call.block.outputs[place]))
    return tuple(call.inputs[name].mark for name in call.block.inputs), tuple(outputs)


def check_kept(layer: Layer, at: At, call: Call, x: TensorInfo, y: TensorInfo) -> None:
    """Raise a finding if the block ignores the channels or stride that a layer sets."""
    place = at.below(layer.head)
    if "channels" in layer.given and y.shape.channels != call.given["channels"].number:
        wanted = f"its use sets `channels: {call.given['channels'].number}`"
        message = f"`{call.name}` outputs {plural(y.shape.channels, 'channel')}, but {wanted}"
        hint = "use `channels` in the block, or remove it here"
        raise call.scope.error("channels-ignored", message, place.below("channels"), hint)
    if "stride" not in call.given or x.stride is None or y.stride is None:
        return
    by = int(call.given["stride"].number)
    if y.stride != tuple(step * by for step in x.stride):
        message = f"`{call.name}` ignores the `stride` it is given"
        hint = "use `stride` in one layer of the block, or remove it here"
        raise call.scope.error("stride-ignored", message, place.below("stride"), hint)
