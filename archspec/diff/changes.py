"""The differences between two trees of modules, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Literal

from archspec.analysis import Analysis
from archspec.diff.align import align, alike
from archspec.diff.tree import FOLLOW, Kinds, Node, tree_of
from archspec.ir import Body, renamed
from archspec.ir.bodies import in_chains
from archspec.records import Record

Kind = Literal["changed", "replaced", "added", "removed", "joined"]


class Change(Record, eq=False):
    """One module that differs. `inside` are the enclosing modules, before and after.

    `arguments` are those of a changed layer, by torch's names; `joined` is a block with the same
    layers but a different `forward`.
    """

    kind: Kind
    before: Node | None
    after: Node | None
    inside: tuple[Node, Node]
    arguments: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def node(self) -> Node:
        """The module after the change, or before it if it was removed."""
        node = self.after or self.before
        assert node is not None
        return node

    @property
    def macs(self) -> int:
        """The multiply-adds that it adds."""
        return (self.after.macs if self.after else 0) - (self.before.macs if self.before else 0)

    @cached_property
    def own(self) -> dict[str, tuple[Any, Any]]:
        """The arguments without those that follow from the input, or from other arguments."""
        derived = self.node.derived if self.node.op else frozenset()
        return {
            name: values
            for name, values in self.arguments.items()
            if name not in derived and not set(FOLLOW.get(name, ())) & self.arguments.keys()
        }


class Facts:
    """Two networks, the pairs of corresponding modules, and the differences."""

    def __init__(self, before: Analysis, after: Analysis) -> None:
        kinds = Kinds()
        self.before, self.after = before, after
        self.old, self.new = tree_of(before, kinds), tree_of(after, kinds)
        self.pairs: list[tuple[Node, Node]] = []
        self.changes = list(self._compared(self.old, self.new, (self.old, self.new)))

    @property
    def equal(self) -> bool:
        """Whether the architectures are equal: names, layers, connections, and input."""
        return self.old.same == self.new.same and self.before.input == self.after.input

    def _compared(self, a: Node, b: Node, inside: tuple[Node, Node]) -> Iterator[Change]:
        if a.same == b.same:
            self.pairs += zip(a.nodes, b.nodes, strict=True)
            return
        if (a.op is None) != (b.op is None) or (
            a.op is None and a is not self.old and not alike(a, b)
        ):
            yield Change("replaced", a, b, inside)
            return
        self.pairs.append((a, b))
        if a.op is not None:
            yield from _of_layers(a, b, inside)
            return
        names: dict[str, str | None] = {}
        pairs = align(a, b)
        for old, new in pairs:
            if old is None or new is None:
                yield Change("added" if new else "removed", old, new, (a, b))
            else:
                names[old.name] = new.name
                yield from self._compared(old, new, (a, b))
        if 2 * len(names) >= len(pairs) and _joined(a, b, names):
            yield Change("joined", a, b, inside)


def _of_layers(a: Node, b: Node, inside: tuple[Node, Node]) -> Iterator[Change]:
    if a.label != b.label:
        yield Change("replaced", a, b, inside)
        return
    found = {
        name: (a.arguments.get(name), b.arguments.get(name))
        for name in dict.fromkeys([*a.arguments, *b.arguments])
        if a.arguments.get(name) != b.arguments.get(name)
    }
    if not found:
        return
    whole = Change("changed", a, b, inside, found)
    leaves = b.op.leaves if b.op else None
    if leaves in whole.own and len(whole.own) > 1:  # its width is a separate change
        width = {leaves, *b.derived}
        rest = {name: values for name, values in found.items() if name not in width}
        yield Change("changed", a, b, inside, rest)
        whole = Change("changed", a, b, inside, {k: found[k] for k in found if k in width})
    yield whole


def _joined(a: Node, b: Node, names: Mapping[str, str | None]) -> bool:
    """Whether the two compute something different with the same layers."""
    if a.forward is None or b.forward is None:
        return False
    kept = set(names.values())
    mine = {name: names.get(name) for name in a.children if names.get(name) != name}
    theirs = {name: None for name in b.children if name not in kept}
    return _left(a.forward, mine) != _left(b.forward, theirs)


def _left(body: Body, names: Mapping[str, str | None]) -> Body:
    return in_chains(renamed(body, names)) if names else body
