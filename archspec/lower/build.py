"""One class from the uses of a block that have the same layers.

A size is settled in this order: the formula that all uses share, the number that all uses
share, a parameter of the constructor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archspec.expression import (
    Binary,
    Expr,
    Name,
    Number,
    Scalar,
    Value,
    simplify,
    substitute,
    walk,
    weight,
)
from archspec.ir import (
    Apply,
    Chain,
    Class,
    Field,
    Layer,
    Local,
    New,
    Parameter,
    Sequential,
    fields_of,
)
from archspec.language.identifiers import CONSTRUCTOR_WORDS
from archspec.language.names import SCOPE
from archspec.lower.model import Item, Joint, Made, OpUse, Row, Slot, Use
from archspec.lower.naming import rename
from archspec.lower.printed import count_names, differs, repeated, replaced, with_formulas
from archspec.ops import OPS
from archspec.ops.others import Identity, StochasticDepth
from archspec.record import replace

if TYPE_CHECKING:
    from archspec.lower.classes import Book, Group

READABLE = 2  # a formula with more operations is a parameter instead
FLOW = ("in_channels", "channels")
OF_OPS = frozenset(f.name for op in OPS.values() for f in fields_of(op))


class Build:
    """One class from the uses of a group."""

    def __init__(self, book: Book, group: Group) -> None:
        self.book, self.group, self.uses = book, group, group.instances
        self.lead = group.instances[0]
        self.meanings: dict[str, Expr] = {}
        self.locals: dict[str, Expr] = {}
        self.numbers: dict[str, list[Scalar]] = {}
        self.real: set[str] = set()

    def cls(self) -> Class:
        layers, names = self._layers()
        body = None
        if self.lead.body is not None:
            body = rename(self.lead.body, names)
        if body is None:
            body = Chain(tuple(Apply(layer.name) for layer in layers))
        layers, local = self._inline_locals(layers)
        parameters = self._parameters()
        self._remember(parameters)
        cls = Class(
            self.book.name(self.lead),
            self.lead.doc,
            tuple(layers),
            body,
            tuple(parameters),
            tuple(local),
            sequential=self.lead.sequential,
            zeros=tuple(path for item in self.lead.items for path in _zeros(item)),
        )
        first = self.book.first.setdefault(self.lead.class_name, cls)
        return cls if first is cls else replace(cls, differs=differs(first, cls))

    def _remember(self, parameters: Sequence[Parameter]) -> None:
        for parameter in parameters:
            if parameter.name in self.numbers:
                values = zip(self.uses, self.numbers[parameter.name], strict=True)
                self.group.numbers[parameter.name] = {id(use): n for use, n in values}

    # Layers

    def _layers(self) -> tuple[list[Layer], dict[str, str | None]]:
        layers: list[Layer] = []
        names: dict[str, str | None] = {}
        joints: dict[int, list[tuple[int, Joint]]] = {}
        for number, joint in enumerate(self.lead.joints):
            joints.setdefault(joint.after, []).append((number, joint))
        for place in range(len(self.lead.items) + 1):
            for number, joint in joints.get(place, ()):
                self._joint(number, joint, layers, names)
            if place < len(self.lead.items):
                self._item(place, layers, names)
        return layers, names

    def _item(self, place: int, layers: list[Layer], names: dict[str, str | None]) -> None:
        items = [use.items[place] for use in self.uses]
        if all(_never_drops(item.made) for item in items):
            names[items[0].attribute] = None
            return
        new = self.make([item.made for item in items])
        layers.append(Layer(items[0].attribute, new))

    def _joint(
        self,
        number: int,
        joint: Joint,
        layers: list[Layer],
        names: dict[str, str | None],
    ) -> None:
        """The shortcut: built here if all uses have the same, passed in if only some do."""
        items = [use.joints[number].item for use in self.uses]
        there = [item for item in items if item is not None]
        if not there:
            names[joint.mark] = None
            return
        name = there[0].name or joint.name
        names[joint.mark] = name
        keys = {self.book.made(item.made) for item in there}
        if len(there) == len(items) and len(keys) == 1:
            layers.append(Layer(name, self.make([item.made for item in there])))
        else:
            parameter = self._module_name(name)
            self.group.modules[parameter] = number
            layers.append(Layer(name, Name(parameter)))

    def _module_name(self, attribute: str) -> str:
        """The parameter that a shortcut is passed in by: small, and no other's name."""
        name = attribute if attribute[0].islower() else attribute[0].lower() + attribute[1:]
        block = self.lead.block
        taken = {*CONSTRUCTOR_WORDS, *self.lead.definitions, *self.group.modules, *SCOPE}
        taken |= set(block.args) if block else set()
        while name in taken:
            name += "_layer"
        return name

    def make(self, mades: Sequence[Made]) -> New | Sequential:
        """The construction that serves all uses."""
        lead = mades[0]
        if isinstance(lead, OpUse):
            return self._op([m for m in mades if isinstance(m, OpUse)])
        if isinstance(lead, Use):
            return self._use([m for m in mades if isinstance(m, Use)])
        rows = [m.children for m in mades if isinstance(m, Row)]
        columns = zip(*rows, strict=True)
        return Sequential(repeated([self.make([c.made for c in col]) for col in columns]))

    def _op(self, uses: Sequence[OpUse]) -> New:
        lead, arguments = uses[0], {}
        for f in fields_of(lead.op):
            if f.torch in lead.slots:
                slots = [use.slots[f.torch] for use in uses]
                arguments[f.torch] = self._slot(slots, f.how, f.name)
        return New(lead.op, arguments, lead.torch)

    def _slot(self, slots: Sequence[Slot], how: Field, word: str) -> Any:
        lead = slots[0]
        if isinstance(lead, str):
            return lead
        if isinstance(lead, tuple):
            columns = zip(*[s for s in slots if isinstance(s, tuple)], strict=True)
            return tuple(self._settled(list(column), how, word) for column in columns)
        return self._settled([s for s in slots if isinstance(s, Value)], how, word)

    def _settled(self, values: Sequence[Value], how: Field, word: str) -> Expr:
        expr = self.unify([v.number for v in values], [v.expr for v in values], word)
        if how.kind != "real":
            return expr
        if isinstance(expr, Name):
            self.real.add(expr.id)
        return Number(float(expr.value)) if isinstance(expr, Number) else expr  # type: ignore[arg-type]

    def _use(self, uses: Sequence[Use]) -> New:
        group = self.book.group(uses[0].instance)
        assert group.cls is not None
        arguments: dict[str, Any] = {}
        for parameter in group.cls.parameters:
            name = parameter.name
            if name in group.modules:
                arguments[name] = self._shortcut(uses, group.modules[name])
                continue
            numbers = [group.numbers[name][id(use.instance)] for use in uses]
            meanings = [_meaning(use, name) for use in uses]
            expr = self.unify(numbers, meanings, _word(uses[0], name))
            if parameter.annotation == "float":
                if isinstance(expr, Name):
                    self.real.add(expr.id)
                if isinstance(expr, Number):
                    expr = Number(float(expr.value))  # type: ignore[arg-type]
            arguments[name] = expr
        return New(group.cls, arguments)

    def _shortcut(self, uses: Sequence[Use], number: int) -> New | Sequential:
        items = [use.instance.joints[number].item for use in uses]
        if items[0] is None:
            return New(Identity, {}, "Identity")
        moved = [_moved(item.made, use) for item, use in zip(items, uses, strict=True) if item]
        return self.make(moved)

    # Names

    def unify(self, numbers: Sequence[Scalar], exprs: Sequence[Expr | None], word: str) -> Expr:
        """One formula for a size in all uses."""
        first = exprs[0]
        if first is not None and all(expr == first for expr in exprs):
            meaning = substitute(first, lambda name: self.meaning(name.id))
            if meaning is not None:
                return meaning
        if _equal(numbers):
            return Number(numbers[0])
        return Name(self._fresh(word, list(numbers)))

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
        if name in FLOW or self.lead is self.book.root:
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
        if _equal(numbers):
            return Number(numbers[0])
        self.numbers[name] = numbers
        return Name(name)

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
        """A size that is used once is written where it is used."""
        uses: Counter[str] = Counter()
        for layer in layers:
            count_names(layer.new, uses)
        for formula in self.locals.values():
            uses.update(n.id for n in walk(formula) if isinstance(n, Name))
        once: dict[str, Expr] = {}
        kept: list[Local] = []
        for name, formula in self.locals.items():
            whole = replaced(formula, once)
            if uses[name] == 1:
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
        order = self.lead.definitions if self.lead is self.book.root else self.used
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
        if self.lead is self.book.root:
            return Number(numbers[0])
        if name == "stride":
            return Number(1)
        declared = self.lead.block.args.get(name) if self.lead.block else None
        usual = isinstance(declared, Number) and declared.value in numbers
        return declared if usual and isinstance(declared, Number) else None


def _equal(numbers: Sequence[Scalar]) -> bool:
    return all(type(n) is type(numbers[0]) and n == numbers[0] for n in numbers)


def _meaning(use: Use, name: str) -> Expr | None:
    known = name in use.outside or name in use.instance.definitions
    return use.meaning(name) if known else None


def _word(use: Use, name: str) -> str:
    """What an inner block's parameter is called outside: `kernel` of `se` is `se_kernel`."""
    block = use.instance.block
    if name not in OF_OPS or block is None:
        return name
    return f"{block.name or use.instance.block_name}_{name}"


def _never_drops(made: Made) -> bool:
    if not isinstance(made, OpUse) or made.op is not StochasticDepth:
        return False
    rate = made.slots["p"]
    return isinstance(rate, Value) and rate.number == 0


def _moved(made: Made, use: Use) -> Made:
    """A shortcut in formulas of the caller."""
    if isinstance(made, OpUse):
        slots = {name: _moved_slot(slot, use) for name, slot in made.slots.items()}
        return OpUse(made.op, made.torch, made.rank, slots)
    if isinstance(made, Use):
        outside = {
            name: None if expr is None else use.formula(expr) for name, expr in made.outside.items()
        }
        return Use(made.instance, outside)
    raise TypeError(made)


def _moved_slot(slot: Slot, use: Use) -> Slot:
    if isinstance(slot, str):
        return slot
    if isinstance(slot, tuple):
        return tuple(_moved_value(part, use) for part in slot)
    return _moved_value(slot, use)


def _moved_value(value: Value, use: Use) -> Value:
    return Value(value.number, None if value.expr is None else use.formula(value.expr))


def _zeros(item: Item) -> list[str]:
    if item.zeros:
        return [f"{item.attribute}.weight"]
    if isinstance(item.made, Row):
        paths = [(n, path) for n, c in enumerate(item.made.children) for path in _zeros(c)]
        return [f"{item.attribute}.{n}.{path.removeprefix('.')}" for n, path in paths]
    return []
