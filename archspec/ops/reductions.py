"""Reductions over one dimension, which stays with size 1."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from archspec.diagnostics import plural
from archspec.ir import Method, Op, Real, Shape, ShapeError, argument
from archspec.ir.ops import DIMENSIONS, SPATIAL
from archspec.ops.arriving import spatial


class Over(Op):
    """A reduction over one dimension, which stays with size 1."""

    over: str = argument("choice", choices=DIMENSIONS)

    first = "over"
    function: ClassVar[str]  # torch's name of it
    written = True

    @classmethod
    def method(cls, words: Mapping[str, Any]) -> Method:
        sizes = ("length", "width", "height", "depth")  # the last ones first, in any rank
        over = words["over"]
        place = 1 if over == "channels" else min(-sizes.index(over), -1)
        return Method(cls.function, (place,), keepdim=True)

    def _place(self, rank: int) -> int:
        """The index of the spatial dimension; -1 for the channels."""
        names = SPATIAL[rank]
        if self.over not in ("channels", *names):
            raise ShapeError(
                f"`{self.key}` is over the {self.over}, but the input has "
                f"{plural(rank, 'spatial dimension')}",
                f"use one of `channels`, {', '.join(f'`{name}`' for name in names)}",
            )
        return ("channels", *names).index(self.over) - 1

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        place = self._place(x.rank)
        if place < 0:
            return Shape(1, x.spatial)
        return Shape(x.channels, (*x.spatial[:place], 1, *x.spatial[place + 1 :]))

    def strides(self) -> tuple[Real, ...] | None:
        return () if self.over == "channels" else None

    def reach(self, x: Shape) -> tuple[float, ...]:
        place = self._place(x.rank)
        return tuple(math.inf if dim == place else 1 for dim in range(x.rank))


class Mean(Over):
    """The mean over the channels or over one spatial dimension, which stays with size 1."""

    key = "mean"
    torch = "Mean"
    function = "mean"
    attribute = "mean"
    example = (
        "- concat: [{mean: channels}, {max: channels}]\n- conv: {channels: 1, kernel: 7}\n- sigmoid"
    )


class Max(Over):
    """The maximum over the channels or over one spatial dimension, which stays with size 1."""

    key = "max"
    torch = "Max"
    function = "amax"
    attribute = "max"
    example = "- max: channels"
    keeps = "xy"
