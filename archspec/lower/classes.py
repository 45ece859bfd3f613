"""From uses of blocks to classes: uses with the same layers become one class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archspec.expression import Scalar
from archspec.ir import Class
from archspec.lower.build import Build
from archspec.lower.model import Instance, Made, OpUse, Row, Slot, Use
from archspec.lower.naming import NEVER_A_CLASS
from archspec.record import field, record


def classes_of(root: Instance, taken: Iterable[str]) -> tuple[Class, ...]:
    """The classes of a network, each before those that use it; the network itself is last."""
    book = Book(root, taken)
    book.class_of(root)
    return tuple(book.classes)


@record(eq=False, frozen=False)
class Group:
    """Uses of a block that become one class."""

    instances: list[Instance] = field(default_factory=list)
    cls: Class | None = None
    numbers: dict[str, dict[int, Scalar]] = field(default_factory=dict)
    modules: dict[str, int] = field(default_factory=dict)  # parameter -> number of the joint


class Book:
    """All classes of a network."""

    def __init__(self, root: Instance, taken: Iterable[str]) -> None:
        self.keys: dict[Any, int] = {}
        self.groups: dict[int, Group] = {}
        self.classes: list[Class] = []
        self.root = root
        self.taken = {*NEVER_A_CLASS, *taken, root.class_name}
        self.first: dict[str, Class] = {}
        self._collect(root, set())

    # Which uses are one class

    def _collect(self, instance: Instance, seen: set[int]) -> None:
        if id(instance) in seen:
            return
        seen.add(id(instance))
        joined = [joint.item for joint in instance.joints if joint.item]
        for item in [*instance.items, *joined]:
            for inner in _instances(item.made):
                self._collect(inner, seen)
        self.groups.setdefault(self.key(instance), Group()).instances.append(instance)

    def key(self, instance: Instance) -> int:
        """Equal for uses with the same layers, shortcuts aside."""
        if instance.key is None:
            layers = tuple((i.attribute, self.made(i.made), i.zeros) for i in instance.items)
            block = id(instance.block)
            whole = (
                instance.block_name,
                block,
                instance.sequential,
                layers,
                instance.body,
            )
            instance.key = self.keys.setdefault(whole, len(self.keys))
        return int(instance.key)

    def made(self, made: Made) -> Any:
        if isinstance(made, OpUse):
            slots = tuple((name, _kind(slot)) for name, slot in made.slots.items())
            return made.op.key, made.torch, slots
        if isinstance(made, Row):
            return tuple((self.made(child.made), child.zeros) for child in made.children)
        joints = made.instance.joints
        shortcuts = tuple(self.made(j.item.made) if j.item else None for j in joints)
        return self.key(made.instance), shortcuts

    def group(self, instance: Instance) -> Group:
        group = self.groups[self.key(instance)]
        if group.cls is None:
            build = Build(self, group)
            group.cls = build.cls()
            self.classes.append(group.cls)
        return group

    def class_of(self, instance: Instance) -> Class:
        cls = self.group(instance).cls
        assert cls is not None
        return cls

    def name(self, instance: Instance) -> str:
        if instance is self.root:
            return instance.class_name
        name, number = instance.class_name, 1
        while name in self.taken:
            number += 1
            name = f"{instance.class_name}{number}"
        self.taken.add(name)
        return name


def _instances(made: Made) -> list[Instance]:
    if isinstance(made, Use):
        return [made.instance]
    if isinstance(made, Row):
        return [inner for child in made.children for inner in _instances(child.made)]
    return []


def _kind(slot: Slot) -> Any:
    if isinstance(slot, str):
        return slot
    return len(slot) if isinstance(slot, tuple) else None


__all__ = ["classes_of"]
