"""One class from the uses of a block that have the same layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from archspec.classes.containers import contained
from archspec.classes.differing import differs
from archspec.classes.expressions import expressed
from archspec.classes.loops import calls_of
from archspec.classes.merging import GAP, WHOLE
from archspec.classes.printed import repeated, replaced
from archspec.classes.repeats import under, written
from archspec.classes.runs import Run
from archspec.classes.sizes import Sizes
from archspec.classes.starts import loop
from archspec.classes.table import ClassTable, ClassUses
from archspec.classes.turns import Turns
from archspec.classes.wholes import drops
from archspec.expression import Expr, Name, Value, folded, names, simplify, with_names
from archspec.ir import Add, Body, Chain, OpField, fields_of, renamed
from archspec.ir.bodies import Size, sized, steps_of
from archspec.ir.classes import (
    Class,
    Layer,
    Local,
    New,
    Parameter,
    Reference,
    Repeat,
    Sequential,
    When,
)
from archspec.ir.draws import Draw, Start
from archspec.ir.tree import (
    BlockCall,
    BlockInstance,
    Child,
    ModuleNode,
    OpCall,
    SequentialNode,
    ShortcutSlot,
    Slot,
)
from archspec.language.identifiers import CONSTRUCTOR_WORDS, MODULE_ATTRIBUTES
from archspec.language.words import SCOPE
from archspec.ops import OPS
from archspec.ops.others import Identity

OF_OPS = frozenset(f.name for op in OPS.values() for f in fields_of(op))


def class_of(table: ClassTable, instance: BlockInstance) -> ClassUses:
    """The uses that become one class, and the class itself."""
    group = table.groups[table.key(instance)]
    if group.cls is None:
        group.cls = ClassBuilder(table, group).cls()
        table.classes.append(group.cls)
    return group


class ClassBuilder:
    """One class from the uses of a group."""

    def __init__(self, table: ClassTable, group: ClassUses) -> None:
        self.table, self.group, self.uses = table, group, group.instances
        self.lead = group.instances[0]
        rows = group.merged.rows if group.merged else {}
        self.rows = [() if group.loop else rows.get(use, table.rows(use)) for use in self.uses]
        self.children = self._fullest()
        self.sizes = Sizes(table, group)

    def cls(self) -> Class:
        layers, attributes = self._layers()
        layers += self._turns() if self.group.loop else ()
        body, flags = self._body()
        body = renamed(body, attributes)
        if not self.lead.sequential:
            layers, body = expressed(layers, body)
        own = [] if self.group.merged else [*self._draws(self.rows, "")]
        layers, local, draws, flags = self.sizes.inline_locals(layers, own, flags)
        parameters = self.sizes.parameters()
        self._remember(parameters)
        cls = Class(
            self.table.name(self.uses),
            self.lead.doc,
            tuple(contained(layers)),
            body,
            tuple(parameters),
            tuple(local),
            sequential=self.lead.sequential,
            draws=tuple(draws),
            loop=loop(self.table, self.uses, self._class),
            inputs=self.lead.inputs,
            flags=tuple(flags),
        )
        first = self.table.first.setdefault(self.lead.class_name, cls)
        return cls if first is cls else replace(cls, differs=differs(first, cls))

    def _fullest(self) -> tuple[Child, ...]:
        """The children of the class, each from a use that has it."""
        columns = zip(*self.rows, strict=True)
        return tuple(next(c for c in column if c is not GAP) for column in columns)

    def _body(self) -> tuple[Body, list[Local]]:
        """What the class computes, and the attributes of itself that it tests."""
        if self.group.loop:
            return Chain(), []
        if self.group.merged is None:
            own: dict[str, str] = {}
            body = sized([use.body for use in self.uses], lambda row: self._size(row, own))
            return body, [Local(attribute, Name(name)) for name, attribute in own.items()]
        adds, full = self.group.merged.adds, self.group.merged.full.body
        if adds is None:
            return full, []
        *steps, last = steps_of(full)
        assert isinstance(last, Add)
        flag = self._attribute("adds", "_input")
        body = Chain((*steps, replace(last, flag=flag)))
        return body, [Local(flag, with_names(adds, self.sizes.meaning))]

    def _size(self, row: Sequence[Size], own: dict[str, str]) -> Size:
        """One size for all uses, in attributes; `own` are the attributes so far, by their
        construction.
        """
        expr = self.sizes.unify([size.value for size in row], "size")
        for name in sorted(names(expr)):
            own.setdefault(name, self._attribute(name, "_size"))
        return Size(replaced(expr, {name: Name(attribute) for name, attribute in own.items()}))

    def _attribute(self, name: str, more: str) -> str:
        """A name that neither a layer nor `nn.Module` has."""
        taken = {child.attribute for child in self.children} | MODULE_ATTRIBUTES
        while name in taken:
            name += more
        return name

    def _class(self, instance: BlockInstance) -> Class:
        made = class_of(self.table, instance).cls
        assert made is not None
        return made

    def _draws(self, rows: Sequence[Sequence[Child]], path: str) -> Iterator[Start]:
        """The initialization of layers that set their own."""
        for children in zip(*rows, strict=True):
            lead, here = children[0], f"{path}{children[0].attribute}"
            if lead.draws:
                columns = zip(*[child.draws for child in children], strict=True)
                made = isinstance(lead.module, OpCall) and lead.module.op.constant
                yield Start(here, tuple(self._draw(column) for column in columns), made)
            elif isinstance(lead.module, SequentialNode):
                inner = [
                    c.module.children for c in children if isinstance(c.module, SequentialNode)
                ]
                yield from self._draws(inner, f"{here}.")

    def _draw(self, draws: Sequence[Draw]) -> Draw:
        columns = zip(*[draw.arguments for draw in draws], strict=True)
        arguments = tuple((column[0][0], self._start([v for _, v in column])) for column in columns)
        return draws[0]._replace(arguments=arguments)

    def _start(self, values: Sequence[Any]) -> Any:
        """One number in all uses, or a parameter; other values are the same."""
        if not isinstance(values[0], Value):
            return values[0]
        return self.sizes.as_real(self.sizes.unify(values, "start"))

    def _remember(self, parameters: Sequence[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name in self.sizes.numbers:
                values = zip(self.uses, self.sizes.numbers[parameter.name], strict=True)
                self.group.numbers[parameter.name] = dict(values)
            if parameter.name in self.sizes.types:
                kinds = self.sizes.types[parameter.name]
                first = next(kind for kind in kinds if kind)
                pairs = zip(self.uses, kinds, strict=True)
                self.group.types[parameter.name] = {use: kind or first for use, kind in pairs}

    # Layers

    def _layers(self) -> tuple[list[Layer], dict[str, str | None]]:
        layers: list[Layer] = []
        names: dict[str, str | None] = {}
        slots: dict[int, list[tuple[int, ShortcutSlot]]] = {}
        full = self.group.merged.full if self.group.merged else self.lead
        for number, slot in enumerate(full.slots):
            slots.setdefault(slot.after, []).append((number, slot))
        self._find_types(self.rows)
        for place in range(len(self.children) + 1):
            for number, slot in slots.get(place, ()):
                self._slot_layer(number, slot, layers, names)
            if place < len(self.children):
                self._child(place, layers, names)
        return layers, names

    def _turns(self) -> Iterator[Layer]:
        """The blocks of a stage that a loop makes."""
        inner = class_of(self.table, calls_of(self.lead)[0].instance)
        return Turns(self.table, inner, self.sizes, self._call).layers()

    def _child(self, place: int, layers: list[Layer], names: dict[str, str | None]) -> None:
        children = [row[place] for row in self.rows]
        attribute = self.children[place].attribute
        there = [child.module for child in children if child is not GAP]
        drops = self.lead.block in self.table.network.drops
        if not drops and all(map(_never_drops, there)):
            names[attribute] = None
            return
        new = self.make([_module(child) for child in children], attribute)
        when = self._condition(attribute, WHOLE)
        layers.append(Layer(attribute, When(new, when) if when else new))

    def _slot_layer(
        self,
        number: int,
        slot: ShortcutSlot,
        layers: list[Layer],
        names: dict[str, str | None],
    ) -> None:
        """The shortcut: built here if all uses have the same, passed in if only some have it."""
        found = [use.slots[number : number + 1] for use in self.uses]  # some have no sum
        children = [slots[0].child if slots else None for slots in found]
        there = [child for child in children if child is not None]
        if not there:
            names[slot.mark] = None
            return
        name = there[0].attribute
        names[slot.mark] = name
        keys = {self.table.shape(child.module) for child in there}
        if len(there) == len(children) and len(keys) == 1:
            layers.append(Layer(name, self.make([child.module for child in there])))
        else:
            parameter = self._module_name(name)
            self.group.modules[parameter] = number
            layers.append(Layer(name, Name(parameter)))

    def _module_name(self, attribute: str) -> str:
        """The parameter for a shortcut that is passed in: a short name that nothing else has."""
        name = attribute if attribute[0].islower() else attribute[0].lower() + attribute[1:]
        taken = {*CONSTRUCTOR_WORDS, *self.lead.definitions, *self.group.modules, *SCOPE}
        taken |= self.lead.args.keys()
        while name in taken:
            name += "_layer"
        return name

    def _find_types(self, rows: Sequence[Sequence[Child]]) -> None:
        """The activations that differ between uses."""
        for column in zip(*rows, strict=True):
            modules = [_module(child) for child in column]
            there = [m for m in modules if m is not None]
            if all(isinstance(m, SequentialNode) for m in there) and len(there) == len(modules):
                self._find_types([m.children for m in modules if isinstance(m, SequentialNode)])
            elif isinstance(there[0], OpCall):
                kinds = [m.torch if isinstance(m, OpCall) else None for m in modules]
                if len({*kinds} - {None}) > 1:
                    self.sizes.typed(kinds)

    def make(self, modules: Sequence[ModuleNode | None], attribute: str = "") -> New | Sequential:
        """The construction that works for all uses that have the layer."""
        lead = next(module for module in modules if module is not None)
        if isinstance(lead, OpCall):
            return self._op([m if isinstance(m, OpCall) else None for m in modules])
        if isinstance(lead, BlockCall):
            return self._call([m if isinstance(m, BlockCall) else None for m in modules])
        gap = tuple(GAP for _ in lead.children)
        rows = [m.children if isinstance(m, SequentialNode) else gap for m in modules]
        made: list[New | Sequential | Repeat | When] = []
        for place, column in enumerate(zip(*rows, strict=True)):
            modules = [_module(child) for child in column]
            run = any(isinstance(module, Run) for module in modules)
            new = [*self._written(modules)] if run else [self.make(modules)]
            when = self._condition(attribute, place)
            made += [under(when, one) for one in new] if when else new
        return Sequential(repeated(made), lead.block, lead.doc)

    def _written(self, runs: Sequence[Any]) -> Iterator[Any]:
        grow = any(self.table.runs.grows(run) for run in runs if run)
        return written(runs, self.make, self._grown if grow else None, self.sizes)

    def _grown(self, runs: Sequence[Run | None]) -> dict[str, Expr]:
        """What each block of a run adds to the parameters of the one before it.

        If a parameter does not grow evenly, the table records the uses, which are then written out.
        """
        rows = [run.calls if run else [] for run in runs]
        group = class_of(self.table, next(row[0] for row in rows if row).instance)
        if not all(group.grows_evenly(row) for row in rows):
            self.table.irregular |= {*self.uses}
        steps: dict[str, Expr] = {}
        for name in group.numbers:
            grown = [_step([group.value(call, name) for call in row[:2]]) for row in rows]
            if any(step and step.number for step in grown):
                steps[name] = self.sizes.unify(grown, name)
        return steps

    def _condition(self, attribute: str, place: int) -> Expr | None:
        """The condition of an attribute, or of a child of it, that only some uses have."""
        when = self.group.merged and self.group.merged.when.get((attribute, place))
        return folded(with_names(when, self.sizes.meaning)) if when else None

    def _op(self, calls: Sequence[OpCall | None]) -> New:
        lead = next(call for call in calls if call)
        arguments: dict[str, Any] = {}
        if self.table.shape(lead) == "activation":
            name = self.sizes.typed([call.torch if call else None for call in calls])
            if name is not None:
                return New(name)
        if drops(lead):
            rates = [call.slots["p"] if call else None for call in calls]
            return New(lead.kind, {"p": self.sizes.rate(rates)}, lead.torch)
        for f in fields_of(lead.kind):
            if f.torch in lead.slots:
                slots = [call.slots[f.torch] if call else None for call in calls]
                arguments[f.torch] = self._slot(slots, f)
        return New(lead.kind, arguments, self.table.imports.get(lead.op.imported, lead.torch))

    def _slot(self, slots: Sequence[Slot | None], f: OpField) -> Any:
        lead = next(slot for slot in slots if slot is not None)
        if isinstance(lead, str):
            words = [slot if isinstance(slot, str) else None for slot in slots]
            return self.sizes.worded(words, f.torch) or lead
        if count := max(len(slot) if isinstance(slot, tuple) else 0 for slot in slots):
            rows = [slot if isinstance(slot, tuple) else (slot,) * count for slot in slots]
            columns = zip(*rows, strict=True)
            return tuple(self.sizes.of_argument(list(column), f) for column in columns)
        return self.sizes.of_argument([s if isinstance(s, Value) else None for s in slots], f)

    def _call(self, gapped: Sequence[BlockCall | None]) -> New:
        calls = [call for call in gapped if call]
        group = class_of(self.table, calls[0].instance)
        assert group.cls is not None
        arguments: dict[str, Any] = {}
        for parameter in group.cls.parameters:
            name = parameter.name
            if name in group.modules:
                arguments[name] = self._shortcut(calls, group.modules[name])
                continue
            if name in group.types:
                kinds = [group.types[name][c.instance] if c else None for c in gapped]
                arguments[name] = self._activation(kinds, parameter)
                continue
            values = [group.value(c, name) if c else None for c in gapped]
            sources = [self.sizes.feeds.sources(c, name) if c else None for c in gapped]
            expr = self.sizes.unify(values, self._word(calls[0], name), sources)
            arguments[name] = self.sizes.as_real(expr) if parameter.annotation == "float" else expr
        return New(group.cls, arguments)

    def _activation(self, kinds: Sequence[str | None], parameter: Parameter) -> Any:
        """A class of torch or a string: a parameter of this class too, if its uses differ."""
        first = next(kind for kind in kinds if kind)
        if parameter.annotation == "str":
            return self.sizes.worded(kinds, parameter.name) or first
        return self.sizes.typed(kinds) or Reference(first)

    def _word(self, call: BlockCall, name: str) -> str:
        """The outer name of an inner block's parameter: `kernel` of `se` is `se_kernel`."""
        prefix = "" if self.group.loop else call.instance.prefix
        return f"{prefix}_{name}" if prefix and name in OF_OPS else name

    def _shortcut(self, calls: Sequence[BlockCall], number: int) -> New | Sequential:
        children = [call.instance.slots[number].child for call in calls]
        if children[0] is None:
            assert not any(children)
            return New(Identity, {}, "Identity")
        pairs = zip(children, calls, strict=True)
        return self.make([call.moved(child.module) for child, call in pairs if child])


def _module(child: Child) -> ModuleNode | None:
    return None if child is GAP else child.module


def _step(values: Sequence[Value]) -> Value | None:
    """The growth of a size from a block to the next; None for a single block."""
    if len(values) < 2:
        return None
    one, other = values
    if one.expr is None or other.expr is None:
        return Value(other.number - one.number, None)
    return Value(other.number - one.number, simplify("-", other.expr, one.expr))


def _never_drops(module: ModuleNode) -> bool:
    rate = module.slots["p"] if drops(module) else None
    return isinstance(rate, Value) and rate.number == 0
