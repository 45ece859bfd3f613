"""The names available to an expression, and the meaning of a layer type that names a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from archspec.diagnostics import did_you_mean
from archspec.expand.budget import Budget
from archspec.expand.builder import Builder, Tensors
from archspec.expand.context import Closure, Context
from archspec.expression import (
    Expr,
    ExpressionError,
    Name,
    Scalar,
    Value,
    constant,
    evaluate,
    names,
    new_name,
)
from archspec.ir import Field
from archspec.ir.tree import Definition, TensorInfo, short
from archspec.language import arguments
from archspec.language.problems import Problems
from archspec.language.suggestions.unknown import WHERE
from archspec.language.templates import COUNT, LayerName, Template
from archspec.language.widths import Series
from archspec.language.words import FROM_ZERO, INDICES
from archspec.memo import Memo
from archspec.places import At, Finding, Given, Origin, Path

MOST_DEFINED = 40  # arguments that depend on each other in a chain


class FoundError(Exception):
    """Findings that end the expansion of a block, a stage, or an entry of a section."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__()
        self.findings = findings


def nowhere(_name: str) -> None:
    """The location of an argument that is not set."""
    return None


class Scope:
    """Names and parts in scope for layers: in the network, in a block, or in an inline block.

    `values` are names with their numbers and formulas, `pending` the arguments that are evaluated
    on
    first use, `truths` the parts as conditions; `symbolic` are the names that stay names in the
    enclosing class. `origins` are the locations of the layers given for parts, `given` those of
    arguments, `uses` the inline blocks that led here. `network_args` are the arguments of the
    network,
    which layers given for parts outside of blocks can use.
    """

    def __init__(
        self, context: Context, budget: Budget, memo: Memo | None, builder: Builder | None = None
    ) -> None:
        self.context, self.budget, self.memo, self.builder = context, budget, memo, builder
        self.values: dict[str, Value] = {}
        self.pending: dict[str, tuple[Expr, At]] = {}
        self.truths: dict[str, bool] = {}
        self.lists: dict[str, tuple[str, ...]] = {}  # list arguments, by the names of their numbers
        self.symbolic: frozenset[str] = frozenset()
        self.parts: Mapping[str, Closure] = {}
        self.origins: Mapping[str, Origin] = {}
        self.given: Callable[[str], Given] = nowhere
        self.uses: tuple[tuple[At, str], ...] = ()
        self.named: At | None = None  # where the body names the part that these layers belong to
        self.role = ""
        self.network_args: Mapping[str, Value] = {}
        self.series: Mapping[Path, Series] = {}  # the stages and repeated blocks in here
        self.block = ""  # whose class the layers are in
        self.tensors: Tensors | None = None  # None if no tensor has a name
        self.running: list[str] = []

    def with_(self, **changes: Any) -> Scope:
        """This scope with other attributes; both share one count."""
        scope = object.__new__(Scope)
        vars(scope).update(vars(self), **changes)
        return scope

    @property
    def in_network(self) -> bool:
        """Whether the layers are in no block that is a class."""
        return self.builder is None

    # Names

    def kept(self) -> dict[str, Value]:
        """The names that stay names in the enclosing class; all others become numbers."""
        kept = {name: value for name, value in self.values.items() if value.expr == Name(name)}
        for value in self.values.values():
            self.budget.decided |= names(value.expr) - kept.keys() if value.expr else set()
        return kept

    def lookup(self, name: Name) -> Value:
        """The value of a name in an expression."""
        word = name.id
        if word in INDICES:
            self.budget.reads.add(word)
        if word in self.values:
            return self.values[word]
        if word in self.truths:
            return constant(self.truths[word])
        if word in self.pending:
            return self._evaluate_default(word)
        if word in self.lists:
            hint = "a list can only be an argument of a layer, alone or with `+ - * // %`"
            raise ExpressionError(f"`{word}` is a list of {len(self.lists[word])}", hint)
        known = [*self.values, *self.truths, *self.pending]
        hint = WHERE.get(word) or did_you_mean(word, known, "known")
        raise ExpressionError(f"`{word}` is not defined here", hint)

    def _evaluate_default(self, word: str) -> Value:
        """The default of an argument, evaluated on first use."""
        if word in self.running:
            raise ExpressionError(f"`{word}` is defined in terms of itself")
        if len(self.running) == MOST_DEFINED:
            raise ExpressionError(
                f"more than {MOST_DEFINED} arguments depend on each other in a chain"
            )
        expr, at = self.pending[word]
        self.running.append(word)
        try:
            value = self.value(expr, at)
        finally:
            self.running.pop()
        value = Value(value.number, short(value.expr))
        self.values[word] = self.define(word, value, given=False)
        return self.values[word]

    def define(self, word: str, value: Value, given: bool) -> Value:
        """`word` as a name of the class, or its formula if the block has no class."""
        if self.builder is None or word not in self.symbolic:
            return value
        inner = None if given else value.expr
        self.builder.definitions[word] = Definition(value.number, inner, given)
        return Value(value.number, Name(word))

    def mark_concrete(self, expr: Expr) -> None:
        """Record that the enclosing class is made for these numbers, so they cannot be arguments.

        The names of an inline block represent formulas of that class.
        """
        for name in names(expr):
            value = self.values.get(name)
            self.settle(Name(name) if value is None or value.expr is None else value.expr)

    def settle(self, formula: Expr) -> None:
        """The same for a formula in the names of the class around."""
        self.budget.decided |= names(formula)

    def settle_equal(self, *tensors: TensorInfo) -> None:
        """The same for tensors with equal channels whose formulas differ."""
        if any(tensor.channels != tensors[0].channels for tensor in tensors):
            for tensor in tensors:
                self.settle(tensor.channels)

    # Expressions

    def value(self, expr: Expr, at: At) -> Value:
        """The value of an expression; a finding at `at` if it has none."""
        self.budget.read(expr)
        try:
            return evaluate(expr, self.lookup)
        except ExpressionError as error:
            hint = self._hint_of_zero(expr, lambda _: None) or error.hint
            raise self.error("expression", error.message, at, hint) from None
        except RecursionError:
            raise self.error("expression", "expressions are nested too deeply", at) from None

    def decide(self, expr: Expr | None, at: At, *steps: str) -> bool:
        """The truth value of a condition, which is written at these steps below `at`."""
        if expr is None:
            return True
        value = self.value(expr, at.below(*steps))
        self.mark_concrete(expr)
        return bool(value.number)

    def argument(self, expr: Expr, how: Field, at: At, word: str) -> Value:
        """An argument within its bounds; without a printable formula, it gets the name `word`."""
        return self.printable(self.bounded(expr, how, at), expr, word)

    def count(self, expr: Expr, how: Field, at: At) -> int:
        """An integer within its bounds, as part of the network."""
        return int(self.counted(expr, how, at).number)

    def counted(self, expr: Expr, how: Field, at: At) -> Value:
        """The same, with its formula."""
        value = self.bounded(expr, how, at)
        self.mark_concrete(expr)
        return value

    def name(self, name: LayerName | None, at: At, *steps: str) -> str | None:
        """The name of a layer, with numbers in place of its expressions."""
        if not isinstance(name, Template):
            return name
        place = at.below(*steps)
        return name.filled([self.count(expr, COUNT, place) for expr in name.expressions])

    def bounded(self, expr: Expr, how: Field, at: At) -> Value:
        """The value of an expression, within its bounds."""
        value = self.value(expr, at)
        try:
            arguments.check_number(value.number, how)
        except Problems as error:
            problem = error.problems[0]
            hint, given = problem.hint, self.given_by(expr)
            if value.number <= 0:
                check = partial(arguments.check_number, how=how)
                hint = self._hint_of_zero(expr, check) or hint
            raise self.error(problem.rule, problem.message, at, hint, given=given) from None
        return value

    def _hint_of_zero(self, expr: Expr, check: Callable[[Scalar], object]) -> str:
        """The hint if an expression would be valid with 1 instead of an index that is 0."""
        for word in FROM_ZERO:
            if word not in self.values or self.lookup(Name(word)).number != 0:
                continue
            with suppress(ExpressionError, Problems):
                check(evaluate(expr, partial(self._next, word)).number)
                return f"use `{word} + 1`: `{word}` starts at 0"
        return ""

    def _next(self, index: str, name: Name) -> Value:
        """A name, if the index were 1."""
        if name.id == index:
            return constant(1)
        expr, _ = self.pending.get(name.id, (None, None))
        return evaluate(expr, partial(self._next, index)) if expr else self.lookup(name)

    def printable(self, value: Value, expr: Expr, word: str) -> Value:
        """`value` with a printable formula; if necessary, a name of the class."""
        if value.expr is not None:
            return value
        if self.builder is None:
            self.mark_concrete(expr)
            return constant(value.number)
        name = self._symbol(self.builder, (expr, value.number), word, value.number)
        return Value(value.number, Name(name))

    def _symbol(self, builder: Builder, key: object, word: str, number: Scalar) -> str:
        """A new name of the class for a size without a formula; equal sizes share it."""
        if key not in builder.symbols:
            taken = {*builder.definitions, *self.symbolic, *self.truths}
            builder.symbols[key] = fresh = new_name(word, taken)
            builder.definitions[fresh] = Definition(number)
        return builder.symbols[key]

    # Findings

    def given_by(self, expr: object) -> Given:
        """The location where a caller sets an argument, if the expression is only its name."""
        return self.given(expr.id) if isinstance(expr, Name) else None

    def error(
        self,
        rule: str,
        message: str,
        at: At | None,
        hint: str = "",
        labels: tuple[tuple[At, str], ...] = (),
        given: Given = None,
    ) -> FoundError:
        """A finding, with the inline blocks that led here."""
        return FoundError(Finding(rule, message, at, hint, labels, given, self.uses, self.named))
