"""From uses of blocks to classes: uses with the same layers become one class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from archspec.classes.held import held
from archspec.classes.loops import loops
from archspec.classes.merging import Merged, merged
from archspec.classes.naming import block_name, class_names, without_number
from archspec.classes.own import holders, names_of
from archspec.classes.runs import Run, Shapes, gathered, runs_in
from archspec.expression import Scalar, Value
from archspec.ir.classes import Class
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

MOST_GRAPHS = 32  # per block; any more are classes of their own


@dataclass(eq=False)
class ClassUses:
    """Uses of a block that become one class."""

    instances: list[BlockInstance] = field(default_factory=list)
    loop: bool = False  # stages of one block
    cls: Class | None = None
    numbers: dict[str, dict[BlockInstance, Scalar]] = field(default_factory=dict)
    modules: dict[str, int] = field(default_factory=dict)  # parameter -> number of the slot
    types: dict[str, dict[BlockInstance, str]] = field(default_factory=dict)  # torch's classes
    merged: Merged | None = None
    lists: dict[str, str] = field(default_factory=dict)  # number of a list -> its argument
    # The dependencies of a parameter that is not a name of the block, in each use.
    sources: dict[str, dict[BlockInstance, Any]] = field(default_factory=dict)

    def own(self, use: BlockInstance, name: str) -> str:
        """A size by its name in one use, where an argument may be a number instead of a list."""
        return use.own_name(name if name in use.definitions else self.lists.get(name, name))

    def value(self, call: BlockCall, name: str) -> Value:
        """A parameter of the class in one use, in formulas of its caller."""
        return Value(self.numbers[name][call.instance], call.meaning(self.own(call.instance, name)))

    def grows_evenly(self, calls: Sequence[BlockCall]) -> bool:
        """Whether each number grows by the same in each use after the first; nothing else may."""
        uses = [call.instance for call in calls]
        rows = [[known[use] for use in uses] for known in self.numbers.values()]
        steps = [{b - a for a, b in pairwise(row)} for row in rows]
        kinds: list[set[Any]] = [{known[use] for use in uses} for known in self.types.values()]
        kinds += [{*row} for row in rows if any(isinstance(number, bool) for number in row)]
        return all(len(found) < 2 for found in (*steps, *kinds))


class ClassTable:
    """All classes of a network.

    `taken` are names that none of them may have, `written` are stages that no loop makes.
    """

    def __init__(
        self, network: ExpandedNetwork, taken: Iterable[str], written: frozenset[BlockInstance]
    ) -> None:
        self.written = written
        self.irregular: set[BlockInstance] = set()  # stages that were treated as loops
        self.keys: dict[Any, int] = {}
        self.groups: dict[int, ClassUses] = {}
        self.classes: list[Class] = []
        self.network, self.root = network, network.root
        self.taken = {*taken, network.root.class_name}
        self.first: dict[str, Class] = {}
        self._names: dict[BlockInstance, str] = {}
        self._known: dict[BlockInstance, int] = {}
        self.users: dict[BlockInstance, list[tuple[BlockInstance, BlockCall]]] = {}
        self.of_block: dict[str, list[BlockInstance]] = {}
        self.feeds: dict[Any, Any] = {}  # results of `Feeds`
        self.order: list[BlockInstance] = []  # each after those that it uses
        self.runs = Shapes(self.shape)
        self._rows: dict[BlockInstance, tuple[Child, ...]] = {}
        self._collect(network.root, set())
        self.holders = holders(self.order)
        self.imports = names_of(self.holders.get(network.root, ()), self.taken)
        self.taken.update(self.imports.values())
        self._group()

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
        self.order.append(instance)

    def _group(self) -> None:
        """The uses that become one class, block by block; those used by others first."""
        uses: dict[Any, list[BlockInstance]] = {}
        inside: dict[Any, dict[Any, None]] = {}
        for instance in self.order:
            block = _declared(instance)
            uses.setdefault(block, []).append(instance)
            calls = [call for child in instance.attributes for call in _calls(child.module)]
            inside.setdefault(block, {}).update({_declared(c.instance): None for c in calls})
        try:
            order = [uses[block] for block in TopologicalSorter(inside).static_order()]
        except CycleError:  # a block in one of its own parts
            order = [[instance] for instance in self.order]
        for instances in order:
            self._classes_of(instances)

    def _classes_of(self, instances: list[BlockInstance]) -> None:
        for rows in loops((row for row in instances if row not in self.written), self.key):
            self._add(rows, rows[0]).loop = True
        uses = [use for use in instances if use not in self.written]
        self.runs.learn(run for use in uses for run in runs_in(use.children, self.runs))
        alike: dict[Any, list[BlockInstance]] = {}
        for instance in instances:
            if instance not in self._known:
                alike.setdefault(self._graph(instance), []).append(instance)
        for keys, found in self._merged(alike):
            known = {use for key in keys for use in alike[key]}
            self._add([use for use in instances if use in known], keys[0]).merged = found

    def _add(self, uses: list[BlockInstance], graph: Any) -> ClassUses:
        key = self.keys.setdefault(graph, len(self.keys))
        group = self.groups.setdefault(key, ClassUses())
        group.instances += uses
        for use in uses:
            group.lists |= {name: arg for arg, names in use.lists.items() for name in names}
        self._known |= dict.fromkeys(uses, key)
        return group

    def _merged(
        self, alike: dict[Any, list[BlockInstance]]
    ) -> list[tuple[list[Any], Merged | None]]:
        """Each group with the earlier ones that share a class with it."""
        made: list[tuple[list[Any], Merged | None]] = []
        if len(alike) > MOST_GRAPHS:
            return [([key], None) for key in alike]
        for key in alike:
            for place, (keys, _) in enumerate(made):
                groups = [alike[k] for k in (*keys, key)]
                found = held(groups, self.shape, self.rows)
                found = found or merged(groups, self.shape, self.rows)
                if found is not None:
                    made[place] = ([*keys, key], found)
                    break
            else:
                made.append(([key], None))
        return made

    def rows(self, use: BlockInstance) -> tuple[Child, ...]:
        """The layers of a use; repeated layers are one."""
        if use not in self._rows:
            plain = use in self.written
            self._rows[use] = use.children if plain else tuple(gathered(use.children, self.runs))
        return self._rows[use]

    def key(self, instance: BlockInstance) -> int:
        """Equal for uses that are one class."""
        return self._known[instance]

    def _graph(self, instance: BlockInstance) -> Any:
        """Equal for uses with the same layers, apart from shortcuts."""
        layers = tuple((c.attribute, self.shape(c.module), _drawn(c)) for c in self.rows(instance))
        return (*_declared(instance), layers, instance.body)

    def shape(self, module: ModuleNode | Run) -> Any:
        """Equal for modules that only differ in sizes."""
        if isinstance(module, Run):
            return "run", *self.runs.of(module)
        if isinstance(module, OpCall):
            if module.kind.activation and not module.kind.weighted and not module.slots:
                return "activation"
            slots = tuple((name, _kind(slot, name, module)) for name, slot in module.slots.items())
            return module.op.key, module.torch, slots
        if isinstance(module, SequentialNode):
            return tuple((self.shape(child.module), _drawn(child)) for child in module.children)
        children = [slot.child for slot in module.instance.slots]
        shortcuts = tuple((n, self.shape(c.module)) for n, c in enumerate(children) if c)
        return self.key(module.instance), shortcuts

    def name(self, uses: Sequence[BlockInstance]) -> str:
        """A name for the class of these uses that no other class has."""
        if uses[0] is self.root:
            return uses[0].class_name
        if not self._names:
            groups = [group.instances for group in self.groups.values()]
            self._names = class_names(groups, self.users)
        usual = self._apart(block_name(uses))
        name, number = self._apart(self._names.get(uses[0], f"{usual}2")), 2
        while name in self.taken:
            name, number = f"{usual}{number}", number + 1
        self.taken.add(name)
        return name

    def _apart(self, name: str) -> str:
        """The network keeps its name, even if a block has it too."""
        return f"{name}Block" if name == self.root.class_name else name


def _declared(instance: BlockInstance) -> Any:
    """Equal for uses of one block, and for stages whose names only differ in their last number."""
    if instance.prefix:
        return instance.block, instance.class_name, instance.sequential, instance.init
    return "", without_number(instance.class_name), instance.sequential, instance.init


def block_of(instance: BlockInstance) -> str:
    """The block of a class; None for the network and for a shortcut's list."""
    return instance.block if instance.prefix else ""


def _calls(module: ModuleNode) -> list[BlockCall]:
    if isinstance(module, BlockCall):
        return [module]
    if isinstance(module, SequentialNode):
        return [call for child in module.children for call in _calls(child.module)]
    return []


def _drawn(child: Child) -> Any:
    """Equal for layers with the same initialization, except numbers that may be parameters."""
    return tuple((draw.parameter, draw.function, _free(draw)) for draw in child.draws)


def _free(draw: Draw) -> Any:
    return tuple((n, None if isinstance(v, Value) else v) for n, v in draw.arguments)


def _kind(slot: Slot, name: str, call: OpCall) -> Any:
    """Equal for a number and a list of one per dimension; a shape is not such a list."""
    if name == call.op.ends_in:
        return "activation"
    if not isinstance(slot, tuple):
        return slot if isinstance(slot, str) else None
    shape = name == call.op.leaves or call.op.imported
    return len(slot) if shape or len(slot) != call.op.rank else None
