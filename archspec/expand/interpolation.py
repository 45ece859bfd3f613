"""`interpolate`: resize to the size of another tensor."""

from __future__ import annotations

from archspec.diagnostics import plural
from archspec.expand.builder import Builder
from archspec.expand.layers import Steps, combinator
from archspec.expand.ops import LARGEST_MAP
from archspec.expand.scope import Scope
from archspec.expand.tensors import read
from archspec.ir import Interpolate, Shape, ShapeError
from archspec.ir.tree import TensorInfo
from archspec.language.interpolation import LIKE
from archspec.language.stack import Layer
from archspec.ops.resizing import check_mode
from archspec.places import At


@combinator("interpolate")
def interpolate(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """The input, resized to the spatial size of a named tensor."""
    given, place = layer.given, at.below(layer.head)
    like = read(given[LIKE], place.below(LIKE), scope)
    mode = given.get("mode", "nearest")
    align = given.get("align_corners")
    if align is not None:
        align = scope.decide(align, place, "align_corners")
    try:
        shape = _resized(x.shape, like.info.shape, given[LIKE])
        check_mode(mode, align, x.shape)
    except ShapeError as error:
        raise scope.error(error.rule, error.message, at, error.hint) from None
    if shape.elements > LARGEST_MAP:
        raise scope.error("too-large", f"`interpolate` outputs {shape}", at)
    step = Interpolate(like.mark, x.shape.rank, mode, align)
    return [step], TensorInfo(shape, x.channels, like.info.stride)


def _resized(x: Shape, like: Shape, name: str) -> Shape:
    if not x.rank:
        message = (
            "`interpolate` expects spatial dimensions, but its input is a vector of "
            f"{plural(x.channels, 'feature')}"
        )
        raise ShapeError(message, "move it before `flatten`")
    if x.last or like.last:
        message = f"`interpolate` expects channels first ({x} like {like})"
        raise ShapeError(message, "add `channels_first` before it")
    if x.rank != like.rank:
        message = f"`{name}` is {like}, but the input is {x}"
        raise ShapeError(message, "both must have the same number of spatial dimensions")
    return x._replace(spatial=like.spatial)
