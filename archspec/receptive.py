"""The receptive field: the input pixels that one value of the last feature map depends on."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from archspec.ir import Apply, Constant, Interpolate, Reader, run
from archspec.ir.ops import Real, Shape
from archspec.ir.tree import BlockSite, Container, ExpandedNetwork, OpSite, times
from archspec.ops.resizing import TAPS


class ReceptiveField(NamedTuple):
    """Pixels in each dimension, or None if a value depends on the whole input.

    `by` is the path of the first layer that depends on the whole input, such as attention or the
    pool of a gate.
    """

    sizes: tuple[int | None, ...]
    by: str = ""

    def __str__(self) -> str:
        if None not in self.sizes:
            return " x ".join(map(str, self.sizes if len(set(self.sizes)) > 1 else self.sizes[:1]))
        if any(self.sizes):
            return " x ".join("whole" if size is None else str(size) for size in self.sizes)
        return "whole input"


class _Sight(NamedTuple):
    """The pixels that a value depends on, and the distance to those of the next value.

    Both are per dimension. `pooled`: no pixels are left, and `field` is that of the last feature
    map with pixels.
    """

    field: tuple[float, ...]
    jump: tuple[Real, ...]
    whole: str = ""  # the layer that depends on everything
    pooled: bool = False


def receptive_field(network: ExpandedNetwork) -> ReceptiveField | None:
    """The field of the last feature map on the longest path, before a global pool or the head.

    Windows add up as in "Computing Receptive Fields of Convolutional Neural Networks" (Araujo et
    al., 2019). Norm statistics and the user's own modules do not count. None for a network whose
    input has no pixels.
    """
    rank = network.input.rank
    if not rank:
        return None
    seen = run(network.evaluated, _Sight((1,) * rank, (1,) * rank), _Walk(network.root))
    sizes = (None if size == math.inf else math.ceil(size) for size in seen.field)
    return ReceptiveField(tuple(sizes), seen.whole if math.inf in seen.field else "")


class _Walk(Reader[_Sight]):
    """Evaluates the field of each body (`ir.Reader`)."""

    def __init__(self, container: Container, path: str = "") -> None:
        self.names, self.path = container.shortcuts, path

    def apply(self, layer: Apply, x: _Sight, others: Sequence[_Sight]) -> _Sight:
        site = layer.site
        if site is None:
            return x
        path = self.path + self.names.get(layer.layer, layer.layer)
        if isinstance(site, OpSite):
            return _through(site, _merged([x, *others]), path)
        inputs = site.container.inputs if isinstance(site, BlockSite) else ()
        named = dict(zip(inputs, others, strict=True))
        seen: _Sight = run(site.container.body, x, _Walk(site.container, f"{path}."), named)
        return seen

    def constant(self, layer: Constant, x: _Sight) -> _Sight:
        return _Sight((), (), pooled=True)

    def add(self, values: list[_Sight], flag: str) -> _Sight:
        return _merged(values)

    def multiply(self, values: list[_Sight]) -> _Sight:
        return _merged(values)

    def concat(self, values: list[_Sight], dim: int) -> _Sight:
        return _merged(values)

    def split(self, x: _Sight, parts: int, sizes: Any) -> list[_Sight]:
        return [x] * parts

    def slice(self, x: _Sight, start: Any, stop: Any) -> _Sight:
        return x

    def interpolate(self, how: Interpolate, x: _Sight, like: _Sight) -> _Sight:
        return _seen(x, (TAPS.get(how.mode, 1),), like.jump)

    def give(self, values: list[_Sight]) -> _Sight:
        return _merged(values)


def _through(site: OpSite, seen: _Sight, path: str) -> _Sight:
    """The field after an op."""
    x, y = site.x, site.y
    if seen.pooled:
        return seen if _is_pooled(y) else _all(seen, path, y.rank)
    reach = site.op.reach(x)
    if _is_pooled(y) and (not y.rank or math.inf in reach):
        return seen._replace(pooled=True, whole=seen.whole or path)
    if x.rank != y.rank:  # pixels in a row, a sequence in two dimensions
        seen = seen._replace(field=(max(seen.field),) * y.rank, jump=(max(seen.jump),) * y.rank)
    jump = _jump(site, seen.jump)
    return _seen(seen, reach, jump, path) if reach or jump is not seen.jump else seen


def _is_pooled(y: Shape) -> bool:
    return max(y.spatial, default=1) == 1


def _all(seen: _Sight, path: str, rank: int) -> _Sight:
    """A field that is the whole input."""
    return _Sight((math.inf,) * rank, (1,) * rank, seen.whole or path)


def _seen(seen: _Sight, reach: tuple[float, ...], jump: tuple[Real, ...], path: str = "") -> _Sight:
    """The field after a window of these sizes, and the new distance."""
    rank = len(seen.field)
    windows = reach * rank if len(reach) == 1 else reach or (1,) * rank
    columns = zip(seen.field, windows, seen.jump, strict=True)
    field = tuple([size + (window - 1) * float(step) for size, window, step in columns])
    whole = seen.whole or (path if math.inf in windows else "")
    return _Sight(field, jump, whole, seen.pooled)


def _jump(site: OpSite, jump: tuple[Real, ...]) -> tuple[Real, ...]:
    x, y, steps = site.x, site.y, site.op.strides()
    if steps is None and x.rank == y.rank:
        steps = tuple(Fraction(*pair) for pair in zip(x.spatial, y.spatial, strict=True))
    return times(jump, steps * len(jump) if len(steps or ()) == 1 else steps) if steps else jump


def _merged(values: list[_Sight]) -> _Sight:
    """Parallel branches: the largest field, and the whole input if a gate pools it."""
    here = [value for value in values if not value.pooled]
    lead = (here or values)[0]
    whole = next((value.whole for value in values if value.whole), "")
    if here and any(value.whole for value in values if value.pooled):
        return _all(lead._replace(whole=whole), "", len(lead.field))
    alike = [value.field for value in here or values if len(value.field) == len(lead.field)]
    field = tuple(map(max, zip(*alike, strict=True)))
    return _Sight(field, lead.jump, whole, lead.pooled)
