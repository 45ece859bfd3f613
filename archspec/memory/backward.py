"""A backward pass over the nodes of a forward pass; that of a block is a value, too."""

from collections.abc import Sequence
from typing import NamedTuple
from weakref import ref

from archspec.memo import Memo, remember
from archspec.memory.forward import Use, passed
from archspec.memory.tensors import Meter, Node, Storage


class Returned(NamedTuple):
    """The backward pass of a block: the peak, and the bytes of the gradient for its input, if any.

    `passes`: that gradient is the output's. `weights` are the bytes of the gradients of weights,
    and `largest` those of the largest weight.
    """

    peak: int
    gradient: int | None
    passes: bool
    weights: int
    largest: int


class Backward:
    """A backward pass; `meter` has the bytes that are live after the forward pass.

    `low`: the gradients of weights are in low precision first. `counted`: they exist already.
    """

    def __init__(self, low: bool, memo: Memo | None, meter: Meter, counted: bool = False) -> None:
        self.low, self.memo, self.meter, self.counted = low, memo, meter, counted
        self.gradients: dict[tuple[str, ...], Storage] = {}
        self.largest = 0

    def run(self, nodes: Sequence[Node], arrived: dict[Node, Storage]) -> None:
        """The nodes, last first, as autograd runs them, from the gradients of the last ones."""
        for node in reversed(nodes):
            gradient = arrived.pop(node, None)
            if gradient is None:
                self.meter.live -= node.frees
            elif node.block is None:
                self._layer(node, gradient, arrived)
            else:
                self._block(node, gradient, arrived)

    def _layer(self, node: Node, gradient: Storage, arrived: dict[Node, Storage]) -> None:
        lower = Storage(self.meter, node.weights // 2 if self.low else node.weights)
        made = [
            (edge, gradient if node.passes else Storage(self.meter, size))
            for edge, size in node.edges
        ]
        self.meter.live -= node.frees
        if node.weights and not self._is_counted(node):
            self.gradients[node.layer] = Storage(self.meter, node.weights) if self.low else lower
        self.largest = max(self.largest, node.weights)
        for edge, given in made:
            arrived.setdefault(edge, given)  # a second one is added in place

    def _block(self, node: Node, gradient: Storage, arrived: dict[Node, Storage]) -> None:
        held = any(other is gradient for other in arrived.values())
        there = any(edge in arrived for edge, _ in node.edges)
        counted = self._is_counted(node)
        done: Returned = returned(node.block, gradient.size, held, there, counted, memo=self.memo)
        self.meter.reach(done.peak)
        peak = self.meter.peak
        self.meter.live -= node.frees
        if not counted:
            self.gradients[node.layer] = Storage(self.meter, done.weights)
        self.largest = max(self.largest, done.largest)
        if done.gradient is not None:
            given = gradient if done.passes else Storage(self.meter, done.gradient)
            for edge, _ in node.edges:
                arrived.setdefault(edge, given)
        self.meter.peak = peak  # the block freed `gradient` before it made the others

    def _is_counted(self, node: Node) -> bool:
        return self.counted or node.layer in self.gradients


@remember
def returned(
    use: Use, size: int, held: bool, there: bool, counted: bool, *, memo: Memo | None
) -> Returned:
    """The backward pass of a block from a gradient of `size` bytes.

    `held`: other nodes get it too; `there`: the input has a gradient already.
    """
    forward = passed(use, memo=memo)
    meter = Meter()
    gradient = Storage(meter, size)
    arrived = {forward.end or forward.before: gradient}
    if held:
        arrived[Node([])] = gradient
    if there:
        arrived[forward.before] = Storage(meter, 0)
    own = ref(gradient)
    del gradient
    meter.reset()
    backward = Backward(use.setting.low, memo, meter, counted)
    backward.run(forward.nodes, arrived)
    given = arrived.get(forward.before)
    passes = given is not None and given is own()
    weights = sum(storage.size for storage in backward.gradients.values())
    return Returned(meter.peak, given.size if given else None, passes, weights, backward.largest)
