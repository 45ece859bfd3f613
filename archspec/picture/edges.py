"""The inputs of each layer: layers by their index, and joins of several outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archspec.ir import Apply, Constant, Interpolate, Reader, run
from archspec.ir.tree import ExpandedNetwork, OpSite
from archspec.ir.visitor import visits

Source = int | str | None


class Edges(NamedTuple):
    """The inputs of the layers in `visits(network)`.

    A source is the index of a layer, "input", the name of a join, or None for a layer without
    input, such as a constant. `joins` are sums, products, concatenations, and slices, with their
    own sources. `returns` is the source of the network's output.
    """

    layers: list[Source]
    joins: dict[str, dict[str, Any]]
    returns: Source | list[Source]


def edges_of(network: ExpandedNetwork) -> Edges:
    """All edges of a network, including layers that only run in training."""
    reader = _Sources(network)
    returns = run(network.root.body, "input", reader)
    return Edges(reader.read, reader.joins, returns)


class _Sources(Reader[Source]):
    """Evaluates bodies like torch, on sources instead of tensors."""

    def __init__(self, network: ExpandedNetwork) -> None:
        self.sites = [visit.site for visit in visits(network)]
        self.read = list[Source]()
        self.joins = dict[str, dict[str, Any]]()

    def join(self, kind: str, reads: list[Source], **how: Any) -> Source:
        """Add a join, and return its name."""
        name = f"{kind}.{len(self.joins)}"
        self.joins[name] = {"op": kind, "reads": reads, **how}
        return name

    def apply(self, layer: Apply, x: Source, others: Sequence[Source]) -> Any:
        site = layer.site
        if site is None:
            return x
        if isinstance(site, OpSite):
            return self._op(site, x)
        named = dict(zip(site.container.inputs, others, strict=True)) if others else {}
        return run(site.container.body, x, self, named)

    def _op(self, site: OpSite, x: Source) -> Source:
        """The number of a layer; a stochastic depth that is none has no number."""
        place = len(self.read)
        if place == len(self.sites) or self.sites[place] is not site:
            return x
        self.read.append(x)
        return place

    def constant(self, layer: Constant, x: Source) -> Source:
        return self._op(layer.site, None)

    def add(self, values: list[Source], flag: str) -> Source:
        return self.join("sum", values)

    def multiply(self, values: list[Source]) -> Source:
        return self.join("product", values)

    def concat(self, values: list[Source], dim: int) -> Source:
        return self.join("concat", values, dim=dim)

    def split(self, x: Source, parts: int, sizes: Sequence[Any]) -> list[Source]:
        wide = [int(size.number) for size in sizes]
        return [self.join("split", [x], part=part, parts=wide or parts) for part in range(parts)]

    def slice(self, x: Source, start: Any, stop: Any) -> Source:
        return self.join("slice", [x], channels=[int(start.number), int(stop.number)])

    def interpolate(self, how: Interpolate, x: Source, like: Source) -> Source:
        return self.join("interpolate", [x, like], mode=how.mode)
