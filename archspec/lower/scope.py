"""What an expression sees, and what a head that names a part means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from archspec import resources
from archspec.diagnostics import Diagnostic, Label, Span, SpecError, did_you_mean
from archspec.expression import (
    Expr,
    ExpressionError,
    Name,
    Scalar,
    Value,
    constant,
    evaluate,
    names,
    parse,
)
from archspec.ir import Field
from archspec.language import arguments
from archspec.language.layers import Stack
from archspec.language.names import INDICES
from archspec.language.problems import Problems
from archspec.lower.budget import MOST_LAYERS, MOST_STEPS, Budget
from archspec.lower.model import Definition, Instance, short
from archspec.record import field, record
from archspec.source.files import lies_in
from archspec.source.shared import shared_pair

MOST_DEFINED = 40  # arguments that lead from one to the next
IN_LAYER = "in this layer"

Said = Callable[[str], Span | None]


def _nowhere(_name: str) -> None:
    return None


def is_shipped(file: str) -> bool:
    """Whether this is the shown path of a built-in block."""
    return lies_in(file, resources.BLOCKS)


def named_in(written: Any) -> set[str]:
    """Every name in expressions of what is written."""
    match written:
        case dict():
            return named_in(list(written.values()))
        case list():
            return {name for part in written for name in named_in(part)}
        case str():
            with suppress(ExpressionError):
                return set(names(parse(written)))
    return set()


def named_by(part: Any) -> frozenset[str]:
    """The same of what was read from it: `part.raw`."""
    return shared_pair(named_in, part, lambda: frozenset(named_in(part.raw)))


@record(eq=False, frozen=False)
class Closure:
    """Layers that fill a part, with the parts and names of the place where they are written."""

    stack: Stack
    parts: Mapping[str, Closure]
    names: Mapping[str, Value] = field(default_factory=dict)
    span: Span | None = None
    network: bool = False
    known_size: int = 0

    @property
    def size(self) -> int:
        """This closure and those in it, each as often as it is met."""
        if not self.known_size:
            inner = () if self.network else self.parts.values()
            self.known_size = 1 + sum(part.size for part in inner)
        return self.known_size

    def key(self) -> object:
        """Equal for closures that mean the same within one network."""
        below = () if self.network else ((n, part.key()) for n, part in self.parts.items())
        return id(self.stack), tuple(sorted(below, key=lambda pair: pair[0]))

    def visible(self) -> object:
        """The names it sees, with their numbers; those of the network are the same for all."""
        if self.network:
            return ()
        named = named_in([layer.raw for layer in self.stack.layers])
        own = ((n, self.names[n].number) for n in sorted(named & self.names.keys()))
        return (*own, *(part.visible() for part in self.parts.values()))

    @property
    def none(self) -> bool:
        """Whether nothing fills the part; a part may hand on another."""
        layers = self.stack.layers
        if len(layers) == 1 and layers[0].head in self.parts and not layers[0].given:
            return self.parts[layers[0].head].none
        return not layers


class Scope:
    """Names and parts where layers stand: in the network, in a block, in an inline block."""

    def __init__(
        self,
        values: dict[str, Value],
        parts: Mapping[str, Closure],
        budget: Budget,
        instance: Instance | None = None,
        labels: tuple[Label, ...] = (),
    ) -> None:
        self.values = values
        self.parts = parts
        self.budget = budget
        self.instance = instance
        self.labels = labels
        self.at: Span | None = None  # the part of the body that these layers fill
        self.said: Said = _nowhere  # where the user of the block says an argument
        self.pending: dict[str, tuple[Expr, Span | None]] = {}
        self.symbolic: set[str] = set()  # args that stay names: those of a class
        self.truths: dict[str, bool] = {}
        self.touched: set[str] = set()  # the indices that were read
        self.settled: set[str] = set()  # args of the network that a decision depends on
        self._running: list[str] = []

    def child(
        self, parts: Mapping[str, Closure], extra: Mapping[str, Value], at: Span | None
    ) -> Scope:
        """This scope with other parts, for layers that were written elsewhere."""
        scope = Scope(self.values, parts, self.budget, self.instance, self.labels)
        scope.at = self.at or at
        hidden = {*self.values, *self.pending, *self.truths}
        if extra.keys() - hidden:
            scope.values = {n: v for n, v in extra.items() if n not in hidden} | self.values
        scope.pending, scope.symbolic, scope.truths = (
            self.pending,
            self.symbolic,
            self.truths,
        )
        scope.touched, scope.settled = self.touched, self.settled
        scope._running, scope.said = self._running, self.said
        return scope

    def lookup(self, name: Name) -> Value:
        word = name.id
        if word in INDICES:
            self.touched.add(word)
        if word in self.values:
            return self.values[word]
        if word in self.truths:
            return constant(self.truths[word])
        if word in self.pending:
            return self._settle(word)
        known = [*self.values, *self.truths, *self.pending]
        raise ExpressionError(f"`{word}` is not known here", did_you_mean(word, known, "known"))

    def _settle(self, word: str) -> Value:
        """The default of an argument, evaluated once it is asked for."""
        if word in self._running:
            raise ExpressionError(f"`{word}` is defined by itself")
        if len(self._running) == MOST_DEFINED:
            raise ExpressionError(f"more than {MOST_DEFINED} arguments lead from one to the next")
        expr, span = self.pending[word]
        self._running.append(word)
        try:
            value = self.value(expr, span)
        finally:
            self._running.pop()
        value = Value(value.number, short(value.expr))
        self.values[word] = self.define(word, value, given=False)
        return self.values[word]

    def define(self, word: str, value: Value, given: bool) -> Value:
        """`word` as a name of the class, or its formula where the block has no class."""
        if self.instance is None or word not in self.symbolic:
            return value
        inner = None if given else value.expr
        self.instance.definitions[word] = Definition(value.number, inner, given)
        return Value(value.number, Name(word))

    def value(self, expr: Expr, span: Span | None) -> Value:
        """The value of an expression; a finding at `span` where it has none."""
        if self.budget.read(expr):
            raise self.too_long(span)
        try:
            return evaluate(expr, self.lookup)
        except ExpressionError as error:
            raise self.error("expression", error.message, span, error.hint) from None
        except RecursionError:
            raise self.error("expression", "expressions nested too deep", span) from None

    def decide(self, expr: Expr | None, span: Span | None) -> bool:
        """The truth of a condition."""
        if expr is None:
            return True
        value = self.value(expr, span)
        self.settled |= names(expr)
        return bool(value.number)

    def argument(self, expr: Expr, how: Field, span: Span | None, word: str) -> Value:
        """An argument within its bounds. What has no printed formula gets a name: `word`."""
        value = self.value(expr, span)
        try:
            arguments.check_number(value.number, how)
        except Problems as error:
            problem = error.problems[0]
            raise self.given(expr, problem.rule, problem.message, span, problem.hint) from None
        return self.printable(value, expr, word)

    def printable(self, value: Value, expr: Expr, word: str) -> Value:
        """`value` with a formula that can be printed, if need be a name of the class."""
        if value.expr is not None:
            return value
        if self.instance is None:
            self.settled |= names(expr)
            return constant(value.number)
        return Value(value.number, Name(self.symbol((expr, value.number), word, value.number)))

    def symbol(self, key: object, word: str, number: Scalar) -> str:
        """A new name of the class for a size without a formula; equal ones share it."""
        assert self.instance is not None
        known = self.instance.symbols
        if key not in known:
            taken = {*known.values(), *self.symbolic, *self.truths}
            fresh, count = word, 2
            while fresh in taken:
                fresh, count = f"{word}{count}", count + 1
            known[key] = fresh
            self.instance.definitions[fresh] = Definition(number, None, given=True)
        return known[key]

    def spend(self, steps: int, span: Span | None) -> None:
        """Steps on the way to an open network; what stands at `span` takes them."""
        if self.budget.spend(steps):
            raise self.too_long(span)

    def too_long(self, span: Span | None) -> SpecError:
        message = f"this network takes more than {MOST_STEPS:,} steps to open"
        hint = "repeat and nest less: each use of a block with sizes of its own is opened again"
        return self.error("too-large", message, span, hint)

    def grow(self, count: int, span: Span | None) -> None:
        """`count` more layers; blocks that use blocks twice would be more than memory holds."""
        if self.budget.grow(count):
            message = f"the network has more than {MOST_LAYERS:,} layers"
            hint = "repeat less; blocks that use blocks multiply"
            raise self.error("too-large", message, span, hint)

    def given_at(self, expr: object) -> Span | None:
        """Where the user of the block gives what an argument is, if it is given as it stands."""
        return self.said(expr.id) if isinstance(expr, Name) else None

    def given(
        self, expr: object, rule: str, message: str, span: Span | None, hint: str
    ) -> SpecError:
        """A finding about an argument: at the use of the block if that is what gives it."""
        place = self.given_at(expr)
        if place is None or is_shipped(place.file):
            return self.error(rule, message, span, hint)
        return self.error(rule, message, place, hint, (Label(span, IN_LAYER),) if span else ())

    def error(
        self,
        rule: str,
        message: str,
        span: Span | None,
        hint: str = "",
        labels: tuple[Label, ...] = (),
    ) -> SpecError:
        """A finding, with the places that led here.

        Of a shipped block the user sees the place that uses it; where it lies comes second.
        """
        led = self.labels
        if span is not None and led and is_shipped(span.file):
            labels = (Label(span, IN_LAYER), *labels)
            span, led = led[-1].span, led[:-1]
        return SpecError([Diagnostic(rule, message, span, hint, (*labels, *led))])
