"""The memory of a training step and of inference, calculated without torch and before a run.

A body is evaluated as in torch, on tensors with a size but without values. A tensor is live as long
as something refers to it, as in torch. Layers add what autograd keeps of them, and the backward
pass frees it again. Only tensors are counted, not the rounding of an allocator, the workspaces of
kernels, or the CUDA context (some hundred MB).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from archspec.ir import Apply, Attend, Body, Constant, Interpolate, Method, Op, Shape, run
from archspec.ir.tree import BlockCall, Container, ExpandedNetwork, OpCall, OpSite

Precision = Literal["fp32", "bf16", "fp16"]
# : The values that an optimizer holds per weight.
STATES = {"sgd": 1, "adamw": 2, "lamb": 2}
# : The number of temporary tensors with the size of a weight in its step.
MADE = {"sgd": 0, "adamw": 2, "lamb": 2}
WIDTH, LOW = 4, 2  # bytes of a value, and of one in `bf16` and `fp16`


class Memory(NamedTuple):
    """Bytes. `training` and `inference` are peaks, including everything that is live at that time.

    `kept` is what the forward pass keeps for the backward pass. `weights` are the weights and
    buffers of the network, and `states` the optimizer's. Gradients have the size of the weights.
    """

    weights: int
    states: int
    kept: int
    training: int
    inference: int


def memory_of(
    network: ExpandedNetwork,
    batch: int,
    precision: Precision = "fp32",
    optimizer: str = "sgd",
    ema: bool = False,
    frozen: Collection[str] = (),
) -> Memory:
    """Calculate the memory for `batch` samples on one device, in bytes.

    With `bf16` or `fp16`, autocast runs layers that multiply by weights, but the weights stay in
    float32. `ema` includes a copy of the weights. The layers at the paths in `frozen` have no
    gradients and no state in the optimizer.
    """
    weights, buffers, trained = _saved(network.root, frozen)
    states = STATES[optimizer] * trained
    base = weights + buffers + states + ema * (weights + buffers)
    low = precision != "fp32"
    step = _Step(batch, low, frozen=frozen)
    loss = step.forward(network.root.body, network.input)
    kept = step.meter.live
    step.backward(loss)
    evaluation = _Step(batch, low, training=False, frozen=frozen)
    evaluation.forward(network.evaluated, network.input)
    inference = weights + buffers + evaluation.meter.peak
    training = base + max(step.meter.peak, step.meter.live + MADE[optimizer] * step.largest)
    return Memory(weights + buffers, states, kept, training, inference)


def _saved(
    container: Container, frozen: Collection[str], path: tuple[str, ...] = ()
) -> tuple[int, int, int]:
    """Bytes of weights, of buffers, and of weights that are trained, each layer once."""
    weights, buffers, trained = 0, 0, 0
    for child in container.attributes:
        module, place = child.module, (*path, child.attribute)
        if isinstance(module, OpCall):
            own = WIDTH * module.op.parameters()
            other = WIDTH * sum(map(math.prod, module.op.buffers().values()))
            inner = own, other, 0 if _is_in(place, frozen) else own
        else:
            called = module.instance if isinstance(module, BlockCall) else module
            inner = _saved(called, frozen, place)
        weights, buffers, trained = map(sum, zip((weights, buffers, trained), inner, strict=True))
    return weights, buffers, trained


def _is_in(path: tuple[str, ...], frozen: Collection[str]) -> bool:
    """Whether a path is one of these, or inside it."""
    return any(f"{'.'.join(path)}.".startswith(f"{name}.") for name in frozen)


@dataclass
class _Meter:
    """Bytes that are live, and their maximum."""

    live: int = 0
    peak: int = 0


class _Storage:
    """The memory of a tensor, live as long as this object."""

    __slots__ = ("meter", "size")

    def __init__(self, meter: _Meter, size: int) -> None:
        self.meter, self.size = meter, size
        meter.live += size
        meter.peak = max(meter.peak, meter.live)

    def __del__(self) -> None:
        self.meter.live -= self.size


class _Tensor(NamedTuple):
    """A tensor: its sizes without the batch, its memory, the bytes of a value, its node."""

    sizes: tuple[int, ...]
    storage: _Storage | None
    width: int
    node: _Node | None


@dataclass(eq=False)
class _Node:
    """A step of the backward pass: the nodes it passes gradients to, their bytes, its needs.

    A node that `passes` returns the gradient that it gets. `weights` are the bytes of its weights'
    gradients.
    """

    edges: list[tuple[_Node, int]]
    kept: list[_Storage] = field(default_factory=list)
    passes: bool = False
    weights: int = 0
    layer: tuple[str, ...] = ()


class _Step:
    """A reader of bodies (`ir.fold.Reader`) whose tensors are sizes; then a backward pass."""

    def __init__(
        self, batch: int, low: bool, training: bool = True, frozen: Collection[str] = ()
    ) -> None:
        self.batch, self.low, self.training, self.frozen = batch, low, training, frozen
        self.meter = _Meter()
        self.nodes: list[_Node] = []
        self.path: tuple[str, ...] = ()  # of the block that is evaluated
        self.cast: dict[tuple[str, ...], _Storage] = {}  # weights in low precision, by layer
        self.gradients: dict[tuple[str, ...], _Storage] = {}
        self.largest = 0

    def forward(self, body: Body, x: Shape) -> _Node | None:
        """The passes up to the loss, a cross entropy of each output in float32."""
        image = _Tensor(x.sizes, self._take(x.elements, WIDTH), WIDTH, None)
        outputs = run(body, image, self)
        given: list[_Tensor] = outputs if isinstance(outputs, list) else [outputs]
        self.cast.clear()
        if not self.training:
            return None
        losses = [self._loss(y) for y in given]
        return self._node(_Node([(node, WIDTH) for node in losses], passes=True))

    def _loss(self, y: _Tensor) -> _Node:
        kept = [self._take(math.prod(y.sizes), WIDTH)]  # the log probabilities
        return self._node(_Node(self._edges([y]), kept))

    def _take(self, elements: int, width: int) -> _Storage:
        return _Storage(self.meter, elements * self.batch * width)

    def _bytes(self, x: _Tensor) -> int:
        return math.prod(x.sizes) * self.batch * x.width

    def _edges(self, values: Sequence[_Tensor]) -> list[tuple[_Node, int]]:
        return [(x.node, self._bytes(x)) for x in values if x.node is not None]

    def _node(self, node: _Node) -> _Node:
        self.nodes.append(node)
        return node

    def _made(
        self, sizes: tuple[int, ...], width: int, values: Sequence[_Tensor], passes: bool = False
    ) -> _Tensor:
        """A new tensor computed from others, with the node that leads back to them."""
        node = None
        if self.training and any(x.node for x in values):
            node = self._node(_Node(self._edges(values), passes=passes))
        return _Tensor(sizes, self._take(math.prod(sizes), width), width, node)

    def _same(self, x: _Tensor, sizes: tuple[int, ...]) -> _Tensor:
        """Another view of the same memory."""
        return x._replace(sizes=sizes)

    # Layers

    def apply(self, layer: Apply, x: Any, others: Sequence[Any]) -> Any:
        site = layer.site
        if site is None:
            return x
        outside, self.path = self.path, (*self.path, layer.layer)
        if isinstance(site, OpSite):
            y = self._op(site, x)
        else:
            named = dict(zip(site.container.inputs, others, strict=True)) if others else {}
            y = run(site.container.body, x, self, named)
        self.path = outside
        return y

    def _op(self, site: OpSite, x: _Tensor) -> _Tensor:
        op, sizes = site.op, site.y.sizes
        learns = self.training and not _is_in(self.path, self.frozen)
        if op.view or (op.drops and not (learns and getattr(op, "p", False))):
            return self._same(x, sizes)
        x = self._arriving(op, x)
        width = self._width(op, x)
        y = _Tensor(sizes, self._take(math.prod(sizes), width), width, None)
        more = op.kept(site.x, site.y, width)
        kept = [_Storage(self.meter, more * self.batch)] if more else []
        learned = learns and (op.weighted or bool(op.imported))
        if not self.training or not (learned or x.node):
            return y
        kept += [
            tensor for name in op.keeping(site.x) if (tensor := (x if name == "x" else y).storage)
        ]
        if self.path in self.cast:
            kept.append(self.cast[self.path])
        weights = WIDTH * op.parameters() if learned else 0
        node = _Node(self._edges([x]), kept, weights=weights, layer=self.path)
        return _Tensor(sizes, y.storage, width, self._node(node))

    def _arriving(self, op: Op, x: _Tensor) -> _Tensor:
        """The input as autocast passes it on; it casts the weights too, once."""
        if not self.low or op.autocast not in ("low", "full"):
            return x
        width = self._width(op, x)
        if width == LOW and op.weighted and self.path not in self.cast:
            cast = _Storage(self.meter, LOW * op.parameters())
            if x.node or not _is_in(self.path, self.frozen):  # others are cast in each use
                self.cast[self.path] = cast
        return x if x.width == width else self._made(x.sizes, width, [x])

    def _width(self, op: Op, x: _Tensor) -> int:
        if not self.low or not op.autocast:
            return x.width
        return LOW if op.autocast == "low" else WIDTH

    def constant(self, layer: Constant, x: _Tensor) -> _Tensor:
        site = layer.site
        path = (*self.path, layer.layer)
        if not self.training or _is_in(path, self.frozen):
            return _Tensor(site.y.sizes, None, WIDTH, None)
        node = self._node(_Node([], weights=WIDTH * site.op.parameters(), layer=path))
        return _Tensor(site.y.sizes, None, WIDTH, node)

    def unpack(self, x: Any, names: tuple[str, ...]) -> list[Any]:
        return x if isinstance(x, list) else [x] * len(names)

    # Sums, products, parts

    def add(self, values: list[_Tensor], flag: str) -> _Tensor:
        total = values[0]
        for value in values[1:]:
            total = self._of_both(total, value, passes=True)
        return total

    def multiply(self, values: list[_Tensor]) -> _Tensor:
        total = values[0]
        for value in values[1:]:
            before, total = total, self._of_both(total, value)
            if total.node is not None:
                kept = (before.storage, value.storage)
                total.node.kept += [storage for storage in kept if storage is not None]
        return total

    def _of_both(self, one: _Tensor, other: _Tensor, passes: bool = False) -> _Tensor:
        """One value per element of the larger one; the smaller one is broadcast."""
        sizes = max(one.sizes, other.sizes, key=math.prod)
        return self._made(sizes, max(one.width, other.width), [one, other], passes)

    def concat(self, values: list[_Tensor], dim: int) -> _Tensor:
        if len(values) == 1:
            return values[0]
        longest = max(x.sizes for x in values)
        axis = dim - 1 if dim > 0 else len(longest) + dim
        sizes = list(longest)
        sizes[axis] = sum(x.sizes[axis] for x in values)
        return self._made(tuple(sizes), max(x.width for x in values), values, passes=True)

    def split(self, x: _Tensor, parts: int, sizes: Sequence[Any]) -> list[_Tensor]:
        wide = [int(size.number) for size in sizes] or [x.sizes[0] // parts] * parts
        whole = x._replace(node=self._node(_Node(self._edges([x])))) if x.node else x
        return [self._same(whole, (width, *x.sizes[1:])) for width in wide]

    def slice(self, x: _Tensor, start: Any, stop: Any) -> _Tensor:
        node = self._node(_Node(self._edges([x]))) if x.node else None
        return x._replace(sizes=(int(stop.number - start.number), *x.sizes[1:]), node=node)

    def interpolate(self, how: Interpolate, x: _Tensor, like: _Tensor) -> _Tensor:
        sizes = (*x.sizes[: len(x.sizes) - how.rank], *like.sizes[len(like.sizes) - how.rank :])
        return self._made(sizes, x.width, [x])

    def attend(self, layer: Attend, x: _Tensor) -> _Tensor:
        made: _Tensor = self.apply(layer, x, ())
        return made

    def method(self, how: Method, x: _Tensor) -> _Tensor:
        raise TypeError(how)  # in an expanded network it is still a layer

    def unsqueeze(self, x: _Tensor, count: int) -> _Tensor:
        return self._same(x, (*x.sizes, *[1] * count))

    def share(self, x: _Tensor, alone: bool) -> _Tensor:
        return x

    def hold(self, x: _Tensor) -> _Tensor:
        return x

    def save(self, x: _Tensor, name: str) -> _Tensor:
        return x

    def give(self, values: list[_Tensor]) -> Any:
        return values if len(values) > 1 else values[0]

    # Backward

    def backward(self, loss: _Node | None) -> None:
        """The nodes, last first, as autograd runs them; each frees its kept memory."""
        arrived: dict[_Node, _Storage] = {}
        if loss is not None:
            arrived[loss] = self._take(1, WIDTH)
        while self.nodes:
            node = self.nodes.pop()
            gradient = arrived.pop(node, None)
            if gradient is not None:
                self._run(node, gradient, arrived)

    def _run(self, node: _Node, gradient: _Storage, arrived: dict[_Node, _Storage]) -> None:
        lower = _Storage(self.meter, node.weights // 2 if self.low else node.weights)
        made = [
            (edge, gradient if node.passes else _Storage(self.meter, size))
            for edge, size in node.edges
        ]
        node.kept.clear()
        if node.weights and node.layer not in self.gradients:
            widened = _Storage(self.meter, node.weights) if self.low else lower
            self.gradients[node.layer] = widened
        self.largest = max(self.largest, node.weights)
        del gradient, lower
        for edge, given in made:
            arrived.setdefault(edge, given)  # a second one is added in place
