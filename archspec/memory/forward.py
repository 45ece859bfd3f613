"""A forward pass; that of a block is a value, which equal uses share."""

import math
from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple

from archspec.ir import Apply, Body, Constant, Op, Shape, run
from archspec.ir.tree import Container, OpSite
from archspec.memo import Memo, remember
from archspec.memory.tensors import LOW, WIDTH, Node, Setting, Storage, Tensor, Tensors, kept

SHORT = 6  # layers
ALL = ""  # the path of a block in the block itself


class Use(NamedTuple):
    """A use of a block with one input and output, and everything that its memory depends on.

    `size` are the bytes of the input's storage. `kept`: an earlier layer keeps them; `learned`: the
    input has a gradient; `again`: the block was applied before. `frozen` are paths in the block.
    """

    container: Container
    sizes: tuple[int, ...]
    width: int
    size: int
    kept: bool
    learned: bool
    again: bool
    frozen: tuple[str, ...]
    setting: Setting


class Passed(NamedTuple):
    """The forward pass of a block, in bytes added to those before: the peak, and what is kept.

    `size` is that of the output's storage, None if it is the input's. `keeps`: whether the block
    keeps the storages of its input and output. `nodes` are its backward pass, from `end`, the node
    of the output, to `before`, which stands for the node of the input.
    """

    peak: int
    kept: int
    sizes: tuple[int, ...]
    width: int
    size: int | None
    keeps: tuple[bool, bool]
    nodes: tuple[Node, ...]
    end: Node | None
    before: Node


def inside(path: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
    """Those of these paths that are inside `path`, from there, or `ALL` if it is inside one."""
    if not paths:
        return ()
    place = "".join(f"{name}." for name in path)
    if any(name == ALL or place.startswith(f"{name}.") for name in paths):
        return (ALL,)
    return tuple(name.removeprefix(place) for name in paths if name.startswith(place))


class Forward(Tensors):
    """A reader of bodies (`ir.fold.Reader`) whose tensors are sizes.

    `again`: the weights are in low precision already. The layers at the paths in `frozen` are not
    trained.
    """

    def __init__(
        self,
        setting: Setting,
        memo: Memo | None,
        again: bool = False,
        frozen: tuple[str, ...] = (),
    ) -> None:
        super().__init__(setting)
        self.memo, self.again, self.frozen = memo, again, frozen
        self.path: tuple[str, ...] = ()  # of the layer that is evaluated
        self.cast: dict[tuple[str, ...], Storage] = {}  # weights in low precision, by layer

    def run(self, body: Body, x: Shape) -> None:
        """A network; in training up to the loss, which is a cross entropy of each output."""
        image = Tensor(x.sizes, self._take(x.elements, WIDTH), WIDTH, None)
        outputs = run(body, image, self)
        given: list[Tensor] = outputs if isinstance(outputs, list) else [outputs]
        self.cast.clear()
        if self.setting.training:
            losses = [self._loss(y) for y in given]
            self._node(Node([(node, WIDTH) for node in losses], passes=True))

    def _loss(self, y: Tensor) -> Node:
        size = self._take(math.prod(y.sizes), WIDTH).keep()  # the log probabilities
        return self._node(Node(self._edges([y]), size))

    # Layers

    def apply(self, layer: Apply, x: Any, others: Sequence[Any]) -> Any:
        site = layer.site
        if site is None:
            return x
        outside, self.path = self.path, (*self.path, layer.layer)
        if isinstance(site, OpSite):
            y = self._op(site, x)
        elif others or layer.outputs or _is_short(site.container):
            named = dict(zip(site.container.inputs, others, strict=True)) if others else {}
            y = run(site.container.body, x, self, named)
        else:
            y = self._block(site.container, x)
        self.path = outside
        return y

    def _op(self, site: OpSite, x: Tensor) -> Tensor:
        op, sizes, training = site.op, site.y.sizes, self.setting.training
        trained = training and not self._is_frozen(self.path)
        if op.view or (op.drops and not (trained and getattr(op, "p", False))):
            return self._same(x, sizes)
        x = self._arriving(op, x)
        width = self._width(op, x)
        y = Tensor(sizes, self._take(math.prod(sizes), width), width, None)
        size = self.setting.batch * op.kept(site.x, site.y, width)
        self.meter.reach(size)
        learned = trained and (op.weighted or bool(op.imported))
        if not training or not (learned or x.node):
            return y
        storages = [(x if name == "x" else y).storage for name in op.keeping(site.x)]
        frees = self.meter.add(size) + kept(*storages, self.cast.get(self.path))
        weights = WIDTH * site.call.params if learned else 0
        node = Node(self._edges([x]), frees, weights=weights, layer=self.path)
        return Tensor(sizes, y.storage, width, self._node(node))

    def _arriving(self, op: Op, x: Tensor) -> Tensor:
        """The input as autocast passes it on; it casts the weights too, once."""
        if not self.setting.low or op.autocast not in ("low", "full"):
            return x
        width = self._width(op, x)
        if width == LOW and op.weighted and not self._is_cast:
            cast = Storage(self.meter, LOW * op.parameters())
            if x.node or not self._is_frozen(self.path):  # others are cast in each use
                self.cast[self.path] = cast
        return x if x.width == width else self._made(x.sizes, width, [x])

    def _is_frozen(self, path: tuple[str, ...]) -> bool:
        return bool(self.frozen) and ALL in inside(path, self.frozen)

    @property
    def _is_cast(self) -> bool:
        return self.again or self.path in self.cast

    def _width(self, op: Op, x: Tensor) -> int:
        if not self.setting.low or not op.autocast:
            return x.width
        return LOW if op.autocast == "low" else WIDTH

    def constant(self, layer: Constant, x: Tensor) -> Tensor:
        site = layer.site
        path = (*self.path, layer.layer)
        node = Node([], weights=WIDTH * site.op.parameters(), layer=path)
        trained = self.setting.training and not self._is_frozen(path)
        return Tensor(site.y.sizes, None, WIDTH, self._node(node) if trained else None)

    # Blocks

    def _block(self, container: Container, x: Tensor) -> Tensor:
        """The output of a block, with one node for all of its layers."""
        given = x.storage or Storage(self.meter, 0)
        learned, again, frozen = x.node is not None, self._is_cast, inside(self.path, self.frozen)
        own = given.size, given.kept, learned, again, frozen
        use = Use(container, x.sizes, x.width, *own, self.setting)
        found: Passed = passed(use, memo=self.memo)
        self.meter.reach(found.peak)
        inner = Storage(self.meter, found.kept)  # without training, weights in low precision
        if found.kept:
            self.cast.setdefault(self.path, inner)
        made = given if found.size is None else Storage(self.meter, found.size)
        node = x.node
        if self.setting.training:
            frees = kept(inner, *compress((given, made), found.keeps))
            block = self._node(Node(self._edges([x]), frees, layer=self.path, block=use))
            node = node if found.end in (None, found.before) else block
        return Tensor(found.sizes, made, found.width, node)


def _is_short(container: Container) -> bool:
    """Whether its layers take no longer than the value of a block."""
    sites = container.sites
    return len(sites) <= SHORT and all(isinstance(site, OpSite) for _, site in sites)


@remember
def passed(use: Use, *, memo: Memo | None) -> Passed:
    """The forward pass of a block."""
    forward = Forward(use.setting, memo, use.again, use.frozen)
    given, before = Storage(forward.meter, use.size), Node([])
    given.kept = use.kept
    forward.meter.reset()
    x = Tensor(use.sizes, given, use.width, before if use.learned else None)
    y = run(use.container.body, x, forward)
    made = y.storage or Storage(forward.meter, 0)
    size = None if made is given else made.size
    keeps = given.kept and not use.kept, made.kept
    meter, nodes = forward.meter, tuple(forward.nodes)
    live = meter.live - (size or 0)
    return Passed(meter.peak, live, y.sizes, y.width, size, keeps, nodes, y.node, before)
