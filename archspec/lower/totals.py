"""What a network comes to, from its opened layers: no classes are made for it, as lint needs none.

A use of a block is counted once, however often it is met.
"""

from __future__ import annotations

from archspec.ir import Add, Apply, Body, Chain, Concat, Multiply, Shape, Split, applied
from archspec.lower.model import Instance, Item, Made, OpUse, Row, Use
from archspec.record import record


@record
class Cost:
    """Parameters, multiply-adds, and weighted layers on the longest way through."""

    params: int = 0
    macs: int = 0
    depth: int = 0


@record
class Totals:
    """As in `Analysis`, without the layers one by one."""

    params: int
    macs: int
    depth: int
    output: tuple[int, ...]


def totals(root: Instance, shape: Shape, stages: frozenset[str]) -> Totals:
    """The same numbers as `analyze_network` gives for the classes."""
    whole, layers = _of_instance(root), _layers(root)
    names = [name for name in applied(root.body or Chain()) if name in layers]
    depths = [(name, _of(layers[name].made).depth) for name in names]
    first = next((n for n, (name, _) in enumerate(depths) if name in stages), 0)
    stem = sum(depth for _, depth in depths[:first])
    depth = min(stem, 1) + sum(depth for _, depth in depths[first:])
    return Totals(whole.params, whole.macs, depth, shape.sizes)


def _of_instance(instance: Instance) -> Cost:
    if instance.cost is None:
        layers = _layers(instance)
        params = sum(_of(item.made).params for item in layers.values())
        body = instance.body
        if body is None:
            body = Chain(tuple(Apply(name) for name in layers))
        macs, depth = _through(body, layers, 0)
        instance.cost = Cost(params, macs, depth)
    return instance.cost


def _layers(instance: Instance) -> dict[str, Item]:
    layers = {item.attribute: item for item in instance.items}
    return layers | {joint.mark: joint.item for joint in instance.joints if joint.item}


def _of(made: Made) -> Cost:
    if isinstance(made, OpUse):
        return Cost(made.params, made.macs, int(made.macs > 0))
    if isinstance(made, Use):
        return _of_instance(made.instance)
    if made.cost is None:
        costs = [_of(child.made) for child in made.children]
        sums = (sum(getattr(c, name) for c in costs) for name in ("params", "macs", "depth"))
        made.cost = Cost(*sums)
    return made.cost


def _through(body: Body, layers: dict[str, Item], depth: int) -> tuple[int, int]:
    """Multiply-adds of a body, and the weighted layers passed at its end."""
    match body:
        case Apply(layer=name):
            cost = _of(layers[name].made) if name in layers else Cost()
            return cost.macs, depth + cost.depth
        case Chain(steps=steps):
            total = 0
            for step in steps:
                macs, depth = _through(step, layers, depth)
                total += macs
            return total, depth
        case Add() | Concat() | Split() | Multiply():
            ways = [_through(branch, layers, depth) for branch in body.branches]
            longest = ways[0][1] if isinstance(body, Multiply) else max(d for _, d in ways)
            return sum(macs for macs, _ in ways), longest
    return 0, depth


def leaving(made: Made) -> Shape | None:
    """What leaves a layer; None of a row without layers."""
    if isinstance(made, OpUse):
        return made.shape
    if isinstance(made, Row):
        shapes = (leaving(child.made) for child in reversed(made.children))
        return next((shape for shape in shapes if shape is not None), None)
    assert made.instance.leaving is not None
    return made.instance.leaving.shape
