"""From uses of blocks to classes: uses with the same layers become one class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from archspec.expression import Scalar, Value
from archspec.ir import Class
from archspec.ir.draws import Draw
from archspec.ir.tree import (
    BlockCall,
    BlockInstance,
    Child,
    ExpandedNetwork,
    ModuleNode,
    OpCall,
    SequentialNode,
    Slot,
)


@dataclass(eq=False)
class ClassUses:
    """Uses of a block that become one class."""

    instances: list[BlockInstance] = field(default_factory=list)
    cls: Class | None = None
    numbers: dict[str, dict[BlockInstance, Scalar]] = field(default_factory=dict)
    modules: dict[str, int] = field(default_factory=dict)  # parameter -> number of the slot
    # What a parameter that is no name of the block depends on, in each use.
    sources: dict[str, dict[BlockInstance, Any]] = field(default_factory=dict)


class ClassTable:
    """All classes of a network; `taken` are names that none of them may have."""

    def __init__(self, network: ExpandedNetwork, taken: Iterable[str]) -> None:
        self.keys: dict[Any, int] = {}
        self.groups: dict[int, ClassUses] = {}
        self.classes: list[Class] = []
        self.network, self.root = network, network.root
        self.taken = {*taken, network.root.class_name}
        self.first: dict[str, Class] = {}
        self._known: dict[BlockInstance, int] = {}
        self.users: dict[BlockInstance, list[tuple[BlockInstance, BlockCall]]] = {}
        self.of_block: dict[str, list[BlockInstance]] = {}
        self.feeds: dict[Any, Any] = {}  # what `Feeds` found out
        self._collect(network.root, set())

    # Which uses are one class

    def _collect(self, instance: BlockInstance, seen: set[BlockInstance]) -> None:
        if instance in seen:
            return
        seen.add(instance)
        for child in instance.attributes:
            for call in _calls(child.module):
                self.users.setdefault(call.instance, []).append((instance, call))
                self.of_block.setdefault(block_of(call.instance), []).append(call.instance)
                self._collect(call.instance, seen)
        self.groups.setdefault(self.key(instance), ClassUses()).instances.append(instance)

    def key(self, instance: BlockInstance) -> int:
        """Equal for uses with the same layers, shortcuts aside."""
        if instance not in self._known:
            layers = tuple(
                (c.attribute, self.shape(c.module), _drawn(c)) for c in instance.children
            )
            declared = instance.block, instance.class_name, instance.sequential, instance.init
            whole = (*declared, layers, instance.body)
            self._known[instance] = self.keys.setdefault(whole, len(self.keys))
        return self._known[instance]

    def shape(self, module: ModuleNode) -> Any:
        """Equal for modules that differ in sizes alone."""
        if isinstance(module, OpCall):
            slots = tuple((name, _kind(slot)) for name, slot in module.slots.items())
            return module.op.key, module.torch, slots
        if isinstance(module, SequentialNode):
            return tuple((self.shape(child.module), _drawn(child)) for child in module.children)
        children = [slot.child for slot in module.instance.slots]
        shortcuts = tuple(self.shape(c.module) if c else None for c in children)
        return self.key(module.instance), shortcuts

    def name(self, instance: BlockInstance) -> str:
        """A name for the class of a block that no other has."""
        if instance is self.root:
            return instance.class_name
        name, number = instance.class_name, 1
        while name in self.taken:
            number += 1
            name = f"{instance.class_name}{number}"
        self.taken.add(name)
        return name


def block_of(instance: BlockInstance) -> str:
    """The block that a class is of; the network and the list of a shortcut are of none."""
    return instance.block if instance.prefix else ""


def _calls(module: ModuleNode) -> list[BlockCall]:
    if isinstance(module, BlockCall):
        return [module]
    if isinstance(module, SequentialNode):
        return [call for child in module.children for call in _calls(child.module)]
    return []


def _drawn(child: Child) -> Any:
    """Equal for layers that start alike, but for numbers that may become parameters."""
    return tuple((draw.parameter, draw.function, _free(draw)) for draw in child.draws)


def _free(draw: Draw) -> Any:
    return tuple((n, None if isinstance(v, Value) else v) for n, v in draw.arguments)


def _kind(slot: Slot) -> Any:
    if isinstance(slot, str):
        return slot
    return len(slot) if isinstance(slot, tuple) else None
