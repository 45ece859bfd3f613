"""Tensors that are only sizes, the storage that they share, and the steps between layers."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from archspec.ir import Interpolate, Reader
from archspec.records import Record

WIDTH, LOW = 4, 2  # bytes of a value, and of one in `bf16` and `fp16`


class Setting(NamedTuple):
    """The number of samples, whether autocast is on, and whether a backward pass follows."""

    batch: int
    low: bool
    training: bool = True


class Meter:
    """Bytes that are live, and their maximum."""

    live = peak = 0

    def add(self, size: int) -> int:
        """These bytes are live until they are subtracted."""
        self.reach(size)
        self.live += size
        return size

    def reach(self, more: int) -> None:
        """`more` bytes are live for a moment."""
        self.peak = max(self.peak, self.live + more)

    def reset(self) -> None:
        """Count from here."""
        self.live = self.peak = 0


class Storage:
    """The memory of a tensor, live as long as this object, or until the node that keeps it runs."""

    __slots__ = ("__weakref__", "kept", "meter", "size")

    def __init__(self, meter: Meter, size: int) -> None:
        self.meter, self.size, self.kept = meter, size, False
        meter.add(size)

    def keep(self) -> int:
        """The bytes that the first node to keep it frees; the backward pass runs that one last."""
        size = 0 if self.kept else self.size
        self.kept = True
        return size

    def __del__(self) -> None:
        if not self.kept:
            self.meter.live -= self.size


class Tensor(NamedTuple):
    """A tensor: its sizes without the batch, its memory, the bytes of a value, its node."""

    sizes: tuple[int, ...]
    storage: Storage | None
    width: int
    node: "Node | None"


class Node(Record, eq=False):
    """A step of the backward pass: which nodes it passes gradients to, and their bytes.

    It frees what the forward pass kept for it. A node that `passes` returns the gradient that it
    gets. `weights` are the bytes of its weights; `block` is the block that it stands for
    (`forward.Use`).
    """

    edges: "list[tuple[Node, int]]"
    frees: int = 0
    passes: bool = False
    weights: int = 0
    layer: tuple[str, ...] = ()
    block: Any = None


def kept(*storages: Storage | None) -> int:
    """The bytes that a node frees if it keeps these."""
    return sum(storage.keep() for storage in storages if storage)


class Tensors(Reader[Tensor]):
    """The part of a reader of bodies (`ir.fold.Reader`) that applies no layer."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.meter = Meter()
        self.nodes: list[Node] = []

    def _take(self, elements: int, width: int) -> Storage:
        return Storage(self.meter, elements * self.setting.batch * width)

    def _bytes(self, x: Tensor) -> int:
        return math.prod(x.sizes) * self.setting.batch * x.width

    def _edges(self, values: Sequence[Tensor]) -> list[tuple[Node, int]]:
        return [(x.node, self._bytes(x)) for x in values if x.node is not None]

    def _node(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def _made(
        self,
        sizes: tuple[int, ...],
        width: int,
        values: Sequence[Tensor],
        passes: bool = False,
        keeps: bool = False,
    ) -> Tensor:
        """A new tensor computed from others, with the node that leads back to them."""
        node = None
        if self.setting.training and any(x.node for x in values):
            frees = kept(*(x.storage for x in values)) if keeps else 0
            node = self._node(Node(self._edges(values), frees, passes))
        return Tensor(sizes, self._take(math.prod(sizes), width), width, node)

    def _same(self, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        """Another view of the same memory."""
        return x._replace(sizes=sizes)

    # Sums, products, parts

    def add(self, values: list[Tensor], flag: str) -> Tensor:
        total = values[0]
        for value in values[1:]:
            total = self._of_both(total, value, passes=True)
        return total

    def multiply(self, values: list[Tensor]) -> Tensor:
        total = values[0]
        for value in values[1:]:
            total = self._of_both(total, value, keeps=True)
        return total

    def _of_both(
        self, one: Tensor, other: Tensor, passes: bool = False, keeps: bool = False
    ) -> Tensor:
        """One value per element of the larger one; the smaller one is broadcast."""
        sizes = max(one.sizes, other.sizes, key=math.prod)
        return self._made(sizes, max(one.width, other.width), [one, other], passes, keeps)

    def concat(self, values: list[Tensor], dim: int) -> Tensor:
        if len(values) == 1:
            return values[0]
        longest = max(x.sizes for x in values)
        axis = dim - 1 if dim > 0 else len(longest) + dim
        sizes = list(longest)
        sizes[axis] = sum(x.sizes[axis] for x in values)
        return self._made(tuple(sizes), max(x.width for x in values), values, passes=True)

    def split(self, x: Tensor, parts: int, sizes: Sequence[Any]) -> list[Tensor]:
        wide = [int(size.number) for size in sizes] or [x.sizes[0] // parts] * parts
        whole = x._replace(node=self._node(Node(self._edges([x])))) if x.node else x
        return [self._same(whole, (width, *x.sizes[1:])) for width in wide]

    def slice(self, x: Tensor, start: Any, stop: Any) -> Tensor:
        node = self._node(Node(self._edges([x]))) if x.node else None
        return x._replace(sizes=(int(stop.number - start.number), *x.sizes[1:]), node=node)

    def interpolate(self, how: Interpolate, x: Tensor, like: Tensor) -> Tensor:
        sizes = (*x.sizes[: len(x.sizes) - how.rank], *like.sizes[len(like.sizes) - how.rank :])
        return self._made(sizes, x.width, [x])

    def unsqueeze(self, x: Tensor, count: int) -> Tensor:
        return self._same(x, (*x.sizes, *[1] * count))
