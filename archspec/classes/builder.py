"""One class from the uses of a block that have the same layers.

A size is settled in this order: the formula that all uses share, the number that all uses
share, a parameter of the constructor. A number that the class's parameters have a part in is
not shared, however equal it is: neither one that a formula of channels stands behind, in the
block or at its use, nor that of an argument which the block has no number for (`required`, or
a formula by default) and which other uses of the block give otherwise, or give like the
channels. Where a condition of the block compared two arguments and found them equal, one
stands for both. So a class is right for every value of its parameters, as far as the
choices that its uses share still hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archspec.classes.differing import differs
from archspec.classes.feeds import FLOW, Feeds, Sources, compared, equal
from archspec.classes.printed import count_names, repeated, replaced, with_formulas
from archspec.classes.table import ClassTable, ClassUses
from archspec.expression import (
    Binary,
    Expr,
    Name,
    Number,
    Scalar,
    Value,
    simplify,
    source,
    substitute,
    walk,
    weight,
)
from archspec.ir import Class, Layer, Local, New, OpField, Parameter, Sequential, fields_of, renamed
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
from archspec.language.identifiers import CONSTRUCTOR_WORDS
from archspec.language.words import SCOPE
from archspec.ops import OPS
from archspec.ops.others import Identity, StochasticDepth

LINE = 80  # a line in a constructor, without its indentation
READABLE = 2  # a formula with more operations is a parameter instead
OF_OPS = frozenset(f.name for op in OPS.values() for f in fields_of(op))


def class_of(table: ClassTable, instance: BlockInstance) -> ClassUses:
    """The uses that one is among, with the class that they become."""
    group = table.groups[table.key(instance)]
    if group.cls is None:
        group.cls = ClassBuilder(table, group).cls()
        table.classes.append(group.cls)
    return group


class ClassBuilder:
    """One class from the uses of a group."""

    def __init__(self, table: ClassTable, group: ClassUses) -> None:
        self.table, self.group, self.uses = table, group, group.instances
        self.feeds = Feeds(table)
        self.lead = group.instances[0]
        self.meanings: dict[str, Expr] = {}
        self.locals: dict[str, Expr] = {}
        self.numbers: dict[str, list[Scalar]] = {}
        self.real: set[str] = set()
        self.defaults: dict[str, Number] = {}  # torch's, of sizes without a name in the block
        self.compared = compared(self.lead.raw)

    def cls(self) -> Class:
        layers, names = self._layers()
        body = renamed(self.lead.body, names)
        layers, local = self._inline_locals(layers)
        parameters = self._parameters()
        self._remember(parameters)
        cls = Class(
            self.table.name(self.lead),
            self.lead.doc,
            tuple(layers),
            body,
            tuple(parameters),
            tuple(local),
            sequential=self.lead.sequential,
            zeros=tuple(path for child in self.lead.children for path in _zeros(child)),
        )
        first = self.table.first.setdefault(self.lead.class_name, cls)
        return cls if first is cls else replace(cls, differs=differs(first, cls))

    def _remember(self, parameters: Sequence[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name in self.numbers:
                values = zip(self.uses, self.numbers[parameter.name], strict=True)
                self.group.numbers[parameter.name] = dict(values)

    # Layers

    def _layers(self) -> tuple[list[Layer], dict[str, str | None]]:
        layers: list[Layer] = []
        names: dict[str, str | None] = {}
        slots: dict[int, list[tuple[int, ShortcutSlot]]] = {}
        for number, slot in enumerate(self.lead.slots):
            slots.setdefault(slot.after, []).append((number, slot))
        for place in range(len(self.lead.children) + 1):
            for number, slot in slots.get(place, ()):
                self._slot_layer(number, slot, layers, names)
            if place < len(self.lead.children):
                self._child(place, layers, names)
        return layers, names

    def _child(self, place: int, layers: list[Layer], names: dict[str, str | None]) -> None:
        children = [use.children[place] for use in self.uses]
        drops = self.lead.block in self.table.network.drops
        if not drops and all(_never_drops(child.module) for child in children):
            names[children[0].attribute] = None
            return
        new = self.make([child.module for child in children])
        layers.append(Layer(children[0].attribute, new))

    def _slot_layer(
        self,
        number: int,
        slot: ShortcutSlot,
        layers: list[Layer],
        names: dict[str, str | None],
    ) -> None:
        """The shortcut: built here if all uses have the same, passed in if only some do."""
        children = [use.slots[number].child for use in self.uses]
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
        """The parameter that a shortcut is passed in by: small, and no other's name."""
        name = attribute if attribute[0].islower() else attribute[0].lower() + attribute[1:]
        taken = {*CONSTRUCTOR_WORDS, *self.lead.definitions, *self.group.modules, *SCOPE}
        taken |= self.lead.args.keys()
        while name in taken:
            name += "_layer"
        return name

    def make(self, modules: Sequence[ModuleNode]) -> New | Sequential:
        """The construction that serves all uses."""
        lead = modules[0]
        if isinstance(lead, OpCall):
            return self._op([m for m in modules if isinstance(m, OpCall)])
        if isinstance(lead, BlockCall):
            return self._call([m for m in modules if isinstance(m, BlockCall)])
        rows = [m.children for m in modules if isinstance(m, SequentialNode)]
        columns = zip(*rows, strict=True)
        return Sequential(repeated([self.make([c.module for c in col]) for col in columns]))

    def _op(self, calls: Sequence[OpCall]) -> New:
        lead, arguments = calls[0], {}
        for f in fields_of(lead.kind):
            if f.torch in lead.slots:
                slots = [call.slots[f.torch] for call in calls]
                arguments[f.torch] = self._slot(slots, f)
        return New(lead.kind, arguments, lead.torch)

    def _slot(self, slots: Sequence[Slot], f: OpField) -> Any:
        lead = slots[0]
        if isinstance(lead, str):
            return lead
        if isinstance(lead, tuple):
            columns = zip(*[s for s in slots if isinstance(s, tuple)], strict=True)
            return tuple(self._settled(list(column), f) for column in columns)
        return self._settled([s for s in slots if isinstance(s, Value)], f)

    def _settled(self, values: Sequence[Value], f: OpField) -> Expr:
        exprs = [v.expr for v in values]
        expr = self.unify([v.number for v in values], exprs, [[e] for e in exprs], f.name)
        if isinstance(expr, Name) and expr.id in self.group.sources and type(f.default) is int:
            self.defaults.setdefault(expr.id, Number(f.default))
        if f.how.kind != "real":
            return expr
        if isinstance(expr, Name):
            self.real.add(expr.id)
        return Number(float(expr.value)) if isinstance(expr, Number) else expr  # type: ignore[arg-type]

    def _call(self, calls: Sequence[BlockCall]) -> New:
        group = class_of(self.table, calls[0].instance)
        assert group.cls is not None
        arguments: dict[str, Any] = {}
        for parameter in group.cls.parameters:
            name = parameter.name
            if name in group.modules:
                arguments[name] = self._shortcut(calls, group.modules[name])
                continue
            numbers = [group.numbers[name][call.instance] for call in calls]
            meanings = [call.meaning(name) for call in calls]
            sources = [self.feeds.sources(call, name) for call in calls]
            expr = self.unify(numbers, meanings, sources, _word(calls[0], name))
            if parameter.annotation == "float":
                if isinstance(expr, Name):
                    self.real.add(expr.id)
                if isinstance(expr, Number):
                    expr = Number(float(expr.value))  # type: ignore[arg-type]
            arguments[name] = expr
        return New(group.cls, arguments)

    def _shortcut(self, calls: Sequence[BlockCall], number: int) -> New | Sequential:
        children = [call.instance.slots[number].child for call in calls]
        if children[0] is None:
            return New(Identity, {}, "Identity")
        pairs = zip(children, calls, strict=True)
        return self.make([_moved(child.module, call) for child, call in pairs if child])

    # Names

    def unify(
        self,
        numbers: Sequence[Scalar],
        exprs: Sequence[Expr | None],
        sources: Sequence[Sources],
        word: str,
    ) -> Expr:
        """One formula for a size in all uses; `sources` are what it depends on in each."""
        first = exprs[0]
        if first is not None and all(expr == first for expr in exprs):
            meaning = substitute(first, lambda name: self.meaning(name.id))
            if meaning is not None:
                return meaning
        if equal(numbers) and self._constant(sources):
            return Number(numbers[0])
        name = self._fresh(word, list(numbers))
        known = self.group.sources.setdefault(name, {})
        for use, more in zip(self.uses, sources, strict=True):
            known[use] = [*known.get(use, ()), *more]
        return Name(name)

    def _constant(self, sources: Sequence[Sources]) -> bool:
        """Whether nothing that the class takes can change a size; a network is built as it is."""
        pairs = zip(self.uses, sources, strict=True)
        if self.lead is self.table.root:
            return True
        return all(self.feeds.constant(use, known) for use, known in pairs)

    def _fresh(self, word: str, numbers: list[Scalar]) -> str:
        known = {*self.lead.definitions, *self.locals, *self.group.modules}
        name, count = word, 1
        while name in known or self.numbers.get(name, numbers) != numbers:
            count += 1
            name = f"{word}{count}"
        self.numbers[name] = numbers
        return name

    def meaning(self, name: str) -> Expr:
        """A name of the block: a number, a formula, or a parameter."""
        if name not in self.meanings:
            self.meanings[name] = self._meaning(name)
        return self.meanings[name]

    def _meaning(self, name: str) -> Expr:
        definitions = [use.definitions[name] for use in self.uses]
        numbers = [d.number for d in definitions]
        if name == "in_channels" and self._keeps_channels(numbers):
            return self.meaning("channels")
        if (other := self._found_equal(name)) is not None:
            return self.meaning(other)
        if name in FLOW or self.lead is self.table.root:
            self.numbers[name] = numbers
            return Name(name)
        inner = definitions[0].inner
        if inner is not None and all(d.inner == inner and not d.given for d in definitions):
            formula = self._whole(substitute(inner, lambda n: self.meaning(n.id)))
            if isinstance(formula, (Number, Name)):
                return formula
            if formula is not None and weight(formula) <= READABLE:
                self.locals[name] = formula
                return Name(name)
        if equal(numbers) and self._constant([[Name(name)]] * len(self.uses)):
            return Number(numbers[0])
        self.numbers[name] = numbers
        return Name(name)

    def _found_equal(self, name: str) -> str | None:
        """The name before it that a condition of the block compared it with, and found equal."""
        order = [*FLOW, *self.lead.args]
        if name not in order[len(FLOW) :]:
            return None
        return next((o for o in order[: order.index(name)] if self._same_given(o, name)), None)

    def _same_given(self, one: str, other: str) -> bool:
        pairs = [[use.definitions.get(name) for name in (one, other)] for use in self.uses]
        return frozenset((one, other)) in self.compared and all(
            a is not None and b is not None and a.given and b.given and a.number == b.number
            for a, b in pairs
        )

    def _keeps_channels(self, arriving: list[Scalar]) -> bool:
        """Whether as many channels leave as arrive, in all uses."""
        if any("channels" not in use.definitions for use in self.uses):
            return False
        return arriving == [use.definitions["channels"].number for use in self.uses]

    def _whole(self, formula: Expr | None) -> Expr | None:
        """`x // 64 * 32` as `x // 2`, where 64 divides x in all uses."""
        match formula:
            case Binary(
                op="*",
                left=Binary(op="//", left=Name(id=name) as x, right=Number(value=int(a))),
                right=Number(value=int(b)),
            ) if all(type(n) is int and n % a == 0 for n in self.numbers.get(name, [0.5])):
                if b % a == 0:
                    return simplify("*", x, Number(b // a))
                if a % b == 0:
                    return simplify("//", x, Number(a // b))
        return formula

    def _inline_locals(self, layers: list[Layer]) -> tuple[list[Layer], list[Local]]:
        """A size that is used once, or has no line of its own, is written where it is used."""
        uses: Counter[str] = Counter()
        for layer in layers:
            count_names(layer.new, uses)
        for name, formula in reversed(self.locals.items()):  # a local uses those before it
            if uses[name]:
                uses.update(n.id for n in walk(formula) if isinstance(n, Name))
        once: dict[str, Expr] = {}
        kept: list[Local] = []
        for name, formula in self.locals.items():
            whole = replaced(formula, once)
            if uses[name] == 1 or len(f"{name} = {source(whole)}") > LINE:
                once[name] = whole
            elif uses[name]:
                kept.append(Local(name, whole))
        moved = [replace(layer, new=with_formulas(layer.new, once)) for layer in layers]
        used: Counter[str] = Counter()
        for layer in moved:
            count_names(layer.new, used)
        for local in kept:
            used.update(n.id for n in walk(local.value) if isinstance(n, Name))
        self.used = list(used)
        return moved, kept

    def _parameters(self) -> list[Parameter]:
        """Required ones first: channels, then others as they are used, then shortcuts.

        Those of the network come as they are written in the spec's `args`.
        """
        order = self.lead.definitions if self.lead is self.table.root else self.used
        named = [name for name in order if name in self.numbers and name in self.used]
        known = [self._parameter(name) for name in named]
        required = [p for p in known if p.default is None]
        required.sort(key=lambda p: FLOW.index(p.name) if p.name in FLOW else len(FLOW))
        modules = [Parameter(name, "nn.Module") for name in self.group.modules]
        return [*required, *modules, *(p for p in known if p.default is not None)]

    def _parameter(self, name: str) -> Parameter:
        numbers = self.numbers[name]
        kind = "bool" if all(isinstance(n, bool) for n in numbers) else "int"
        if name in self.real or any(type(n) not in (int, bool) for n in numbers):
            kind = "float"
        default = self._default(name, numbers)
        if default is not None and kind == "float":
            default = Number(float(default.value))  # type: ignore[arg-type]
        return Parameter(name, kind, default)

    def _default(self, name: str, numbers: list[Scalar]) -> Number | None:
        if self.lead is self.table.root:
            return Number(numbers[0])
        if name == "stride":
            return Number(1)
        declared = self.defaults.get(name, self.lead.args.get(name))
        usual = isinstance(declared, Number) and declared.value in numbers
        return declared if usual and isinstance(declared, Number) else None


def _word(call: BlockCall, name: str) -> str:
    """What an inner block's parameter is called outside: `kernel` of `se` is `se_kernel`."""
    prefix = call.instance.prefix
    return f"{prefix}_{name}" if prefix and name in OF_OPS else name


def _never_drops(module: ModuleNode) -> bool:
    if not isinstance(module, OpCall) or module.kind is not StochasticDepth:
        return False
    rate = module.slots["p"]
    return isinstance(rate, Value) and rate.number == 0


def _moved(module: ModuleNode, call: BlockCall) -> ModuleNode:
    """A shortcut in formulas of the caller."""
    if isinstance(module, OpCall):
        slots = {name: _moved_slot(slot, call) for name, slot in module.slots.items()}
        return replace(module, slots=slots)
    if isinstance(module, BlockCall):
        outside = {
            name: None if expr is None else call.formula(expr)
            for name, expr in module.outside.items()
        }
        return BlockCall(module.instance, outside)
    raise TypeError(module)


def _moved_slot(slot: Slot, call: BlockCall) -> Slot:
    if isinstance(slot, str):
        return slot
    if isinstance(slot, tuple):
        return tuple(_moved_value(part, call) for part in slot)
    return _moved_value(slot, call)


def _moved_value(value: Value, call: BlockCall) -> Value:
    return Value(value.number, None if value.expr is None else call.formula(value.expr))


def _zeros(child: Child) -> list[str]:
    if child.zeros:
        return [f"{child.attribute}.weight"]
    if isinstance(child.module, SequentialNode):
        return [f"{child.attribute}.{path}" for c in child.module.children for path in _zeros(c)]
    return []
