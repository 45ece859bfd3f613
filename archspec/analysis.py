"""Shapes, parameters and multiply-adds of a network, layer by layer, without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archspec.expression import Name
from archspec.ir import (
    Apply,
    Class,
    Network,
    New,
    Op,
    Sequential,
    Shape,
    children,
    fields_of,
    number,
    numbers,
    run,
)
from archspec.record import field, record, replace

FLOAT_BYTES = 4


@record
class Row:
    """One layer: where it is, what it is, what leaves it, and what it costs.

    `output` is the shape of one sample; `macs` counts a multiply-add of a convolution or
    linear layer once; bias, norm, activation and pooling count nothing.
    """

    path: str
    op: str
    output: tuple[int, ...]
    params: int
    macs: int
    layer: Op


@record
class Analysis:
    """What a network comes to. `depth` counts weighted layers on the main path (see docs)."""

    name: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    params: int
    macs: int
    depth: int
    rows: tuple[Row, ...]
    outputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def state(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the network's `state_dict`, in the order of computation."""
        return state(self.rows)

    @property
    def activations(self) -> int:
        """Numbers that leave all layers together, for one sample."""
        total = 0
        for row in self.rows:
            size = 1
            for extent in row.output:
                size *= extent
            total += size
        return total


def state(rows: Iterable[Row]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of what is saved of these layers."""
    return {
        f"{row.path}.{name}": shape
        for row in rows
        for name, shape in (row.layer.weights() | row.layer.buffers()).items()
    }


@record
class Traced:
    """A shape on its way, with the number of weighted layers passed."""

    shape: Shape
    depth: int = 0


def analyze_network(network: Network) -> Analysis:
    """Follows one sample through every layer."""
    trace = _Trace()
    env = {p.name: p.default.value if p.default else None for p in network.root.parameters}
    root = _Shapes(trace, network.root, env, "")
    start = Traced(network.input)
    end = run(network.root.body, start, root)
    rows = tuple(trace.rows)
    return Analysis(
        network.spec,
        network.input.sizes,
        end.shape.sizes,
        sum(row.params for row in rows),
        sum(row.macs for row in rows),
        _depth(network, root),
        rows,
        {name: shape.sizes for name, shape in trace.tops.items()},
    )


def _depth(network: Network, root: _Shapes) -> int:
    """Weighted layers on the longest way; a stem of several counts as one (He et al., 2015)."""
    depths = [(name, root.depths[name]) for name in root.order]
    stages = [place for place, (name, _) in enumerate(depths) if name in network.stages]
    first = stages[0] if stages else 0
    stem = sum(depth for _, depth in depths[:first])
    return min(stem, 1) + sum(depth for _, depth in depths[first:])


@record
class Passed:
    """A module that is handed to a constructor, with the names it was written in."""

    new: New | Sequential
    env: Mapping[str, Any]


class _Trace:
    """Collects the rows; a layer that is called twice has its parameters counted once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.seen: set[str] = set()
        self.tops: dict[str, Shape] = {}

    def module(self, new: Any, env: Mapping[str, Any], path: str, x: Traced) -> Traced:
        if isinstance(new, Passed):
            return self.module(new.new, new.env, path, x)
        if isinstance(new, Sequential):
            for place, child in enumerate(children(new)):
                x = self.module(child, env, f"{path}.{place}", x)
            return x
        if isinstance(new.what, Class):
            inner = environment(new, env)
            return run(new.what.body, x, _Shapes(self, new.what, inner, path))
        return self._op(new, env, path, x)

    def _op(self, new: New, env: Mapping[str, Any], path: str, x: Traced) -> Traced:
        op = concrete(new, env, x.shape.rank)
        y = op.output(x.shape)
        params = 0 if path in self.seen else op.parameters()
        macs = op.macs(y)
        self.seen.add(path)
        self.rows.append(Row(path, new.torch, y.sizes, params, macs, op))
        return Traced(y, x.depth + (macs > 0))


def concrete(new: New, env: Mapping[str, Any], rank: int) -> Op:
    """An op with its numbers."""
    assert not isinstance(new.what, Class)
    known = {f.torch for f in fields_of(new.what)}
    given = {k: numbers(v, env) for k, v in new.arguments.items() if k in known}
    return new.what(**given, rank=rank)


def environment(new: New, env: Mapping[str, Any]) -> dict[str, Any]:
    """What the names in a class are for one construction of it."""
    assert isinstance(new.what, Class)
    inner: dict[str, Any] = {}
    for parameter in new.what.parameters:
        value = new.arguments.get(parameter.name, parameter.default)
        if isinstance(value, (New, Sequential)):
            inner[parameter.name] = Passed(value, env)
        else:
            inner[parameter.name] = numbers(value, env)
    for local in new.what.locals:
        inner[local.name] = number(local.value, inner)
    return inner


class _Shapes:
    """The reader whose `x` is a shape."""

    def __init__(self, trace: _Trace, cls: Class, env: Mapping[str, Any], path: str) -> None:
        self.trace, self.cls, self.env, self.path = trace, cls, env, path
        self.layers = {layer.name: layer.new for layer in cls.layers}
        self.depths: dict[str, int] = {}
        self.order: list[str] = []
        self.last = Traced(Shape(0))

    def apply(self, layer: Apply, x: Traced) -> Traced:
        new: Any = self.layers[layer.layer]
        if isinstance(new, Name):
            new = self.env[new.id]
        path = f"{self.path}.{layer.layer}" if self.path else layer.layer
        y = self.trace.module(new, self.env, path, x)
        if not self.path:
            self.trace.tops[layer.layer] = y.shape
            self.depths[layer.layer] = self.depths.get(layer.layer, 0) + y.depth - x.depth
            self.order.append(layer.layer)
        return y

    def share(self, x: Traced) -> Traced:
        return x

    def hold(self, x: Traced) -> Traced:
        return x

    def add(self, values: list[Traced]) -> Traced:
        return Traced(values[0].shape, self._longest(values))

    def multiply(self, values: list[Traced]) -> Traced:
        """A gate is beside the way."""
        return values[0]

    def concat(self, values: list[Traced]) -> Traced:
        channels = sum(value.shape.channels for value in values)
        shape = replace(values[0].shape, channels=channels)
        return Traced(shape, self._longest(values))

    def split(self, x: Traced, parts: int) -> list[Traced]:
        part = replace(x.shape, channels=x.shape.channels // parts)
        return [Traced(part, x.depth)] * parts

    def unsqueeze(self, x: Traced, count: int) -> Traced:
        return Traced(replace(x.shape, spatial=(1,) * count), x.depth)

    def tap(self, x: Traced, name: str) -> Traced:
        self.last = x
        return x

    def collect(self, values: list[Traced]) -> Traced:
        """What leaves the last layer; the shapes of all are the trace's `tops`."""
        return self.last

    def _longest(self, values: list[Traced]) -> int:
        return max(value.depth for value in values)
