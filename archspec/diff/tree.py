"""A network as a tree of its modules by path: the input of `diff`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from archspec.analysis import Analysis, Row
from archspec.ir import Body, Op, renamed
from archspec.ir.bodies import in_chains, sizes_in
from archspec.ir.ops import fields_of
from archspec.ir.tree import Container, ExpandedNetwork, OpCall
from archspec.ir.visitor import Frame, Visit, visits, without_drops

# Arguments that follow from others: they are only reported if those stay the same.
FOLLOW = {"padding": ("kernel_size", "dilation")}


@dataclass(eq=False)
class Node:
    """A module: a layer with its `op`, or a block or sequence with its children.

    `label` is torch's class, the name of the block, or "" for a sequence. `params` and `macs`
    include those of its children. `forward` is the computation of a block, by the names of its
    children.
    """

    name: str = ""
    path: str = ""
    label: str = ""
    doc: str = ""
    op: Op | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    role: str = ""
    params: int = 0
    macs: int = 0
    channels: int = 0  # of the output
    children: dict[str, Node] = field(default_factory=dict)
    forward: Body | None = None
    same: int = -1  # equal numbers are equal modules, apart from their names and shapes

    @cached_property
    def leaves(self) -> tuple[Node, ...]:
        """Its layers, in the order in which they first run."""
        own = (self,) if self.op is not None else ()
        return own + tuple(leaf for child in self.children.values() for leaf in child.leaves)

    @property
    def nodes(self) -> Iterator[Node]:
        """The module itself and everything inside it."""
        yield self
        for child in self.children.values():
            yield from child.nodes

    def holds(self, path: str) -> bool:
        """Whether the module at this path is inside it."""
        here: Node | None = self
        for name in path.split("."):
            here = here.children.get(name) if here else None
        return here is not None

    @property
    def numbered(self) -> bool:
        """Whether its children are numbered, like those of a sequence."""
        return bool(self.children) and all(name.isdecimal() for name in self.children)

    @cached_property
    def shape(self) -> frozenset[tuple[str, str]]:
        """Its layers by their paths in it, without numbers in sequences."""
        start = len(self.path) + 1
        return frozenset((_named(leaf.path[start:]), leaf.label) for leaf in self.leaves)

    @property
    def stage_of(self) -> str:
        """The kind of its blocks, if it is a sequence of only one kind."""
        kinds = {child.label if child.op is None else "" for child in self.children.values()}
        return kinds.pop() if len(kinds) == 1 and not self.label else ""

    @property
    def derived(self) -> frozenset[str]:
        """The arguments that follow from the input."""
        assert self.op is not None
        names = {f.torch for f in fields_of(type(self.op)) if f.how.kind in ("arrives", "axis")}
        if self.op.leaves and not self.op.weighted:
            names.add(self.op.leaves)
        depthwise = self.arguments.get("groups", 1) == self.arguments.get("in_channels")
        return frozenset(names | ({"groups"} if depthwise else set()))

    @property
    def saved(self) -> dict[str, tuple[int, ...]]:
        """The shapes of this layer's tensors in a checkpoint, by the end of their keys."""
        found = self.op.saved(self.path) if self.op else {}
        return {name[len(self.path) :]: shape for name, shape in found.items()}


def _named(path: str) -> str:
    return ".".join(name for name in path.split(".") if not name.isdecimal())


class Kinds:
    """Modules that occur several times, each looked at once; two networks may share it."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.layers: dict[OpCall, tuple[Mapping[str, Any], int]] = {}
        self.forwards: dict[tuple[Container, bool], tuple[Body, int]] = {}

    def number(self, kind: Any) -> int:
        """The number of a kind of module, new or found before."""
        return self.numbers.setdefault(kind, len(self.numbers))

    def layer(self, call: OpCall) -> tuple[Mapping[str, Any], int]:
        """The arguments of a layer, and the number of its kind."""
        if call not in self.layers:
            arguments = call.arguments
            kind = (call.kind, call.torch, *arguments.items())
            self.layers[call] = arguments, self.number(kind)
        return self.layers[call]

    def forward(self, container: Container, body: Body) -> tuple[Body, int]:
        """The computation of a block, by the names of its children, and the number of its kind."""
        key = container, body is container.body
        if key not in self.forwards:
            made = in_chains(renamed(body, dict(container.shortcuts)))
            sizes = tuple(size.value.number for size in sizes_in(made))
            self.forwards[key] = made, self.number((made, sizes))
        return self.forwards[key]


def tree_of(analysis: Analysis, kinds: Kinds) -> Node:
    """The network's modules; those of two networks are comparable if they share `kinds`."""
    network = analysis.network
    assert network is not None
    root = Node()
    root.forward, root.same = kinds.forward(network.root, network.evaluated)
    nodes = {"": root}
    for row, visit in zip(analysis.rows, visits(network), strict=True):
        _add(nodes, row, visit, network, kinds)
    _finish(root, kinds)
    return root


def _add(
    nodes: dict[str, Node], row: Row, visit: Visit, network: ExpandedNetwork, kinds: Kinds
) -> None:
    _open(nodes, visit.frame, network, kinds)
    here = _node(nodes, row.path)
    here.label, here.op, here.role = row.op, row.layer, visit.role
    here.arguments, here.same = kinds.layer(visit.site.call)
    here.channels = visit.site.y.channels
    here.params, here.macs = here.params + row.params, here.macs + row.macs


def _node(nodes: dict[str, Node], path: str) -> Node:
    """The module at this path."""
    if path not in nodes:
        outer, _, name = path.rpartition(".")
        nodes[path] = _node(nodes, outer).children[name] = Node(name, path)
    return nodes[path]


def _open(
    nodes: dict[str, Node], frame: Frame | None, network: ExpandedNetwork, kinds: Kinds
) -> None:
    """The blocks around a layer."""
    if frame is None or frame.path in nodes:
        return
    _open(nodes, frame.outer, network, kinds)
    node, block = _node(nodes, frame.path), frame.site.container
    node.label, node.doc, node.channels = block.block, block.doc, frame.site.y.channels
    body = without_drops(block.body, frame, network.drops)
    node.forward, node.same = kinds.forward(block, body)


def _finish(node: Node, kinds: Kinds) -> None:
    """Add up what is inside the modules."""
    for child in node.children.values():
        _finish(child, kinds)
        node.params, node.macs = node.params + child.params, node.macs + child.macs
    if node.children:
        inner = tuple((name, child.same) for name, child in node.children.items())
        node.same = kinds.number((node.same, inner))
        roles = {child.role for child in node.children.values()}
        node.role = node.role or (roles.pop() if len(roles) == 1 else "")
