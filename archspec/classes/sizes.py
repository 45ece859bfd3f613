"""The sizes of one class: formulas that all its uses share, and parameters for the others.

A size is the first of these: the formula that all uses share, the number that all uses share, a
parameter of the constructor. A number that the class's parameters affect is not shared, even if it
is equal in all uses: a number with a formula of channels, in the block or in its use, or the number
of an argument that the block has no number for (`required`, or a formula by default) and that other
uses of the block set differently, or set like the channels. If a condition of the block compares
two arguments and they are equal, one represents both. So a class is correct for every value of its
parameters, as long as the choices that its uses share still hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from archspec.classes.feeds import FLOW, Feeds, Sources, compared, equal
from archspec.classes.merging import evaluated
from archspec.classes.printed import replaced, with_formulas
from archspec.classes.runs import runs_in
from archspec.classes.table import ClassTable, ClassUses
from archspec.expression import (
    Binary,
    Expr,
    Name,
    Number,
    Scalar,
    Value,
    names,
    new_name,
    simplify,
    source,
    substitute,
    weight,
    with_names,
)
from archspec.ir import OpField
from archspec.ir.classes import Layer, Local, Loop, Parameter
from archspec.ir.construction import names_in
from archspec.ir.draws import Draw, Start
from archspec.ir.tree import BlockInstance
from archspec.language.identifiers import CONSTRUCTOR_WORDS

LINE = 80  # a line in a constructor, without its indentation
PARTS = (1, 2, 3, 4, 6, 8)
WITNESSES = 2  # different numbers that show a formula
READABLE = 2  # a formula with more operations becomes a parameter


class Sizes:
    """What the sizes of a class become."""

    def __init__(self, table: ClassTable, group: ClassUses) -> None:
        self.table, self.group, self.uses = table, group, group.instances
        self.feeds = Feeds(table)
        self.lead = group.instances[0]
        self.meanings: dict[str, Expr] = {}
        self.locals: dict[str, Expr] = {}
        self.numbers: dict[str, list[Scalar]] = {}
        self.types: dict[str, list[str | None]] = {}  # activations, one per use
        self.words: set[str] = set()  # those that are strings, not classes of torch
        self.real: set[str] = set()
        self.gates = group.merged.gates if group.merged else {}
        self.known = {name for use in self.uses for name in use.definitions}
        self.counts = {name for use in self.uses for name in _counts(use, table)}
        self.filled: dict[str, Number] = {}  # if some uses have no number
        self.defaults: dict[str, Number] = {}  # torch's, of sizes without a name in the block
        self.compared = compared(self.lead.raw)

    def worded(self, words: Sequence[str | None], name: str) -> Name | None:
        """The parameter with these strings; None if all uses have the same."""
        found = self.typed(words, name)
        self.words |= {found.id} if found else set()
        return found

    def typed(self, kinds: Sequence[str | None], word: str = "activation") -> Name | None:
        """The parameter with these classes of torch; None if all uses have the same."""
        for name, known in self.types.items():
            if all(a is None or b is None or a == b for a, b in zip(known, kinds, strict=True)):
                self.types[name] = [a or b for a, b in zip(known, kinds, strict=True)]
                return Name(name)
        if len({*kinds} - {None}) < 2:
            return None
        taken = {*self.known, *self.types, *self.group.modules, *CONSTRUCTOR_WORDS}
        name = new_name(word, taken)
        self.types[name] = [*kinds]
        return Name(name)

    def of_argument(self, values: Sequence[Value | None], f: OpField) -> Expr:
        """An argument of an op."""
        expr = self.unify(values, f.name)
        if isinstance(expr, Name) and expr.id in self.group.sources and type(f.default) is int:
            self.defaults.setdefault(expr.id, Number(f.default))
        part = f.how.kind == "any" and any(v and type(v.number) is Fraction for v in values)
        return self.as_real(expr) if f.how.kind == "real" or part else expr

    def rate(self, values: Sequence[Any]) -> Expr:
        """How often the branch of a sum is dropped: never in the uses without that sum."""
        expr = self.unify(values, "drop_path")
        without = [use for use, value in zip(self.uses, values, strict=True) if value is None]
        if without and isinstance(expr, Name) and not _reads(expr.id, without):
            self.numbers[expr.id] = [0 if value is None else value.number for value in values]
            self.filled[expr.id] = Number(0)
        elif without:
            expr = self.unify([value or Value(0, None) for value in values], "drop_path")
        return self.as_real(expr)

    def as_real(self, expr: Expr) -> Expr:
        """A size that is a float in the generated source."""
        if isinstance(expr, Name):
            self.real.add(expr.id)
        return Number(float(expr.value)) if isinstance(expr, Number) else expr  # type: ignore[arg-type]

    def unify(
        self,
        values: Sequence[Value | None],
        word: str,
        sources: Sequence[Sources | None] | None = None,
    ) -> Expr:
        """One formula for a size in all uses; None in those without the layer.

        `sources` are its dependencies in each use, if its own formula does not say.
        """
        sources = sources or [[value.expr] if value else None for value in values]
        numbers = [value.number if value else None for value in values]
        there = [place for place, value in enumerate(values) if value]
        exprs = self._as_told([value.expr if value else None for value in values], there)
        first = exprs[there[0]]
        stated = first is not None and bool(names(first))
        if self.group.loop and not stated and (other := self._found(numbers, word)):
            return other
        if first is not None and all(exprs[place] == first for place in there):
            meaning = substitute(first, lambda name: self.meaning(name.id))
            if meaning is not None:
                return meaning
        if (shared := self._true_of_all(numbers, [exprs[place] for place in there])) is not None:
            return shared
        known = [number for number in numbers if number is not None]
        if equal(known) and self._constant(sources):
            return Number(known[0])
        name = self._fresh(word, self._whole_row(word, numbers))
        feeding = self.group.sources.setdefault(name, {})
        for use, more in zip(self.uses, sources, strict=True):
            feeding[use] = [*feeding.get(use, ()), *(more or ())]
        return Name(name)

    def _as_told(self, exprs: Sequence[Expr | None], there: Sequence[int]) -> Sequence[Expr | None]:
        """The formulas of the use with the most names: input channels, numbers of lists."""
        different = dict.fromkeys(exprs[place] for place in there)
        for stated in different if len(different) > 1 else ():
            if stated is not None and all(exprs[p] in self._said(stated, p) for p in there):
                return [stated] * len(exprs)
        return exprs

    def _said(self, expr: Expr, place: int) -> tuple[Expr, Expr]:
        """A formula, and its names in one use."""
        own = {name: Name(self.group.own(self.uses[place], name)) for name in names(expr)}
        return expr, replaced(expr, own)

    def _true_of_all(
        self, numbers: Sequence[Scalar | None], exprs: Sequence[Expr | None]
    ) -> Expr | None:
        """A formula of some uses that is true for the others: the output of a missing layer."""
        known = sorted(dict.fromkeys(e for e in exprs if e is not None), key=weight)
        for expr in known:
            if not self.group.merged and self.counts.isdisjoint(names(expr)):
                continue
            pairs = zip(self.uses, numbers, strict=True)
            if not isinstance(expr, Number) and all(
                number is None or evaluated(expr, use, self.uses) == number for use, number in pairs
            ):
                return substitute(expr, lambda name: self.meaning(name.id))
        return None

    def apart(self, numbers: Sequence[int], word: str) -> Expr:
        """A number that no size of the class affects."""
        return Number(numbers[0]) if equal(numbers) else Name(self._fresh(word, [*numbers]))

    def _found(self, numbers: Sequence[Scalar | None], word: str) -> Expr | None:
        """A parameter, or a multiple or part of one, that equals this size in all uses."""
        different = len({*numbers} - {None})
        for name, known in self.numbers.items():
            for part in PARTS if different >= WITNESSES else (1,) if word in FLOW else ():
                pairs = zip(numbers, known, strict=True)
                if name in FLOW and all(
                    n is None or (type(k) is int and n * part == k) for n, k in pairs
                ):
                    return simplify("//", Name(name), Number(part))
        return None

    def _whole_row(self, name: str, numbers: Sequence[Scalar | None]) -> list[Scalar]:
        """If uses have no number, the most common one, which becomes the default."""
        known = [number for number in numbers if number is not None]
        if len(known) == len(numbers):
            return known
        declared = self._declared(name)
        usual = declared.value if isinstance(declared, Number) else max(known, key=known.count)
        self.filled.setdefault(name, Number(usual))
        return [usual if number is None else number for number in numbers]

    def _declared(self, name: str) -> Expr | None:
        """The block's own value for an argument, or for a number of a list argument."""
        uses = self.uses if name in self.group.lists else [self.lead]
        words = [name, self.group.lists.get(name, name)]
        found = (use.args[word] for use in uses for word in words if word in use.args)
        return next(found, None)

    def _constant(self, sources: Sequence[Sources | None]) -> bool:
        """Whether no argument of the class can change a size; a network is built as it is."""
        pairs = zip(self.uses, sources, strict=True)
        if self.lead is self.table.root:
            return True
        return all(known is None or self.feeds.constant(use, known) for use, known in pairs)

    def _fresh(self, word: str, numbers: list[Scalar]) -> str:
        others = (name for name, known in self.numbers.items() if known != numbers)
        known = {*self.known, *self.locals, *self.group.modules, *self.types, *self.gates}
        if any(use.own_name(word) != word for use in self.uses):
            known.add(word)  # it means another size in the block
        name = new_name(word, known.union(others))
        self.numbers[name] = numbers
        return name

    def meaning(self, name: str) -> Expr:
        """A name of the block: a number, a formula, or a parameter."""
        if name not in self.meanings:
            self.meanings[name] = self._meaning(name)
        return self.meanings[name]

    def _meaning(self, name: str) -> Expr:
        if name in self.gates:
            return self._gate(name)
        found = [use.definitions.get(self.group.own(use, name)) for use in self.uses]
        definitions = [d for d in found if d]
        numbers = [d.number for d in definitions]
        if name == "in_channels" and self._keeps_channels(numbers):
            return self.meaning("channels")
        if (other := self._found_equal(name) or self._of_input(name)) is not None:
            return self.meaning(other)
        if name in FLOW or self.lead is self.table.root:
            self.numbers[name] = numbers
            return Name(name)
        there = [place for place, d in enumerate(found) if d]
        inners = self._as_told([d.inner if d else None for d in found], there)
        inner = inners[there[0]]
        alike = all(inners[place] == inner for place in there)
        if inner is not None and alike and not any(d.given for d in definitions):
            formula = self._whole(substitute(inner, lambda n: self.meaning(n.id)))
            if isinstance(formula, (Number, Name)):
                return formula
            if formula is not None and weight(formula) <= READABLE:
                self.locals[name] = formula
                return Name(name)
        if equal(numbers) and self._constant([[Name(name)] if d else None for d in found]):
            return Number(numbers[0])
        self.numbers[name] = self._whole_row(name, [d and d.number for d in found])
        return Name(name)

    def _gate(self, name: str) -> Expr:
        """A size that is 0, or a flag that is false, if a layer does not exist."""
        flag = self.gates[name] == "flag"
        self.numbers[name] = [self._gating(use, name, flag) for use in self.uses]
        self.filled[name] = Number(False if flag else 0)
        return Name(name)

    def _gating(self, use: BlockInstance, name: str, flag: bool) -> Scalar:
        assert self.group.merged is not None
        if flag:
            return use in self.group.merged.flagged[name]
        return use.definitions[name].number if name in use.definitions else 0

    def _found_equal(self, name: str) -> str | None:
        """The earlier name that a condition of the block compared it with, and found equal."""
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

    def _of_input(self, name: str) -> str | None:
        """The channels that an input's channels equal in all uses, if they are not one number."""
        if not self.lead.inputs or name in FLOW or name in self.lead.args:
            return None
        numbers = [use.definitions[name].number for use in self.uses]
        for other in reversed(FLOW):
            known = [use.definitions[other].number for use in self.uses if other in use.definitions]
            if known == numbers and not equal(numbers):
                return other
        return None

    def _keeps_channels(self, arriving: list[Scalar]) -> bool:
        """Whether the numbers of input and output channels are equal, in all uses."""
        if any("channels" not in use.definitions for use in self.uses):
            return False
        return arriving == [use.definitions["channels"].number for use in self.uses]

    def _whole(self, formula: Expr | None) -> Expr | None:
        """`x // 64 * 32` as `x // 2`, if x is divisible by 64 in all uses."""
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

    def inline_locals(
        self, layers: list[Layer], draws: list[Start], flags: list[Local]
    ) -> tuple[list[Layer], list[Local], list[Start], list[Local]]:
        """A size that is used once, or has no line of its own, is written where it is used."""
        uses = Counter(names_in(_written(layers, draws, flags)))
        for name, formula in reversed(self.locals.items()):  # a local variable uses those before it
            if uses[name]:
                uses.update(names_in(formula))
        once: dict[str, Expr] = {}
        kept: list[Local] = []
        for name, formula in self.locals.items():
            whole = replaced(formula, once)
            if uses[name] == 1 or len(f"{name} = {source(whole)}") > LINE:
                once[name] = whole
            elif uses[name]:
                kept.append(Local(name, whole))
        moved = [replace(layer, new=with_formulas(layer.new, once)) for layer in layers]
        started = [replace(start, draws=_with(start.draws, once)) for start in draws]
        ended = [
            Local(flag.name, with_names(flag.value, lambda n: once.get(n, Name(n))))
            for flag in flags
        ]
        self.used = [*dict.fromkeys(names_in(_written(moved, started, [*ended, *kept])))]
        return moved, kept, started, ended

    def parameters(self) -> list[Parameter]:
        """Required ones first: channels, then others in order of use, then shortcuts.

        Those of the network are in the order of the spec's `args`.
        """
        order = self.lead.definitions if self.lead is self.table.root else self.used
        named = [name for name in order if name in self.numbers and name in self.used]
        known = [self._parameter(name) for name in named]
        required = [p for p in known if p.default is None]
        required.sort(key=lambda p: FLOW.index(p.name) if p.name in FLOW else len(FLOW))
        kinds = {name: "str" if name in self.words else "type[nn.Module]" for name in self.types}
        modules = [Parameter(name, kind) for name, kind in kinds.items() if name in self.used]
        modules += [Parameter(name, "nn.Module") for name in self.group.modules]
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
        if name in self.filled:
            return self.filled[name]
        declared = self.defaults.get(name, self._declared(name))
        usual = isinstance(declared, Number) and declared.value in numbers
        return declared if usual and isinstance(declared, Number) else None


def _reads(name: str, uses: Sequence[BlockInstance]) -> bool:
    return any(name in use.definitions for use in uses)


def _counts(use: BlockInstance, table: ClassTable) -> Iterator[str]:
    """The names that say how often layers are repeated."""
    for run in runs_in(use.children, table.runs):
        if (count := run.how.count.expr) is not None:
            yield from names(count)


def _written(
    layers: Sequence[Layer], draws: Sequence[Start], sizes: Sequence[Local]
) -> tuple[Any, ...]:
    """Everything that may name a size: initializations only as far as they depend on the class."""
    parts = [part for one in layers for part in (one.new, *_of_loop(one.loop))]
    known = [draw for start in draws if start.apart or start.made for draw in start.draws]
    parts += (value for draw in known for _, value in draw.arguments)
    return (*parts, *(size.value for size in sizes))


def _of_loop(loop: Loop | None) -> tuple[Any, ...]:
    return (loop.stop, *loop.name) if loop else ()


def _with(draws: Sequence[Draw], meanings: Mapping[str, Expr]) -> tuple[Draw, ...]:
    return tuple(
        draw._replace(arguments=tuple((n, with_formulas(v, meanings)) for n, v in draw.arguments))
        for draw in draws
    )
