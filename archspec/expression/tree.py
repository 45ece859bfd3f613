"""The nodes of an expression."""

from collections.abc import Callable, Container
from fractions import Fraction
from functools import lru_cache
from itertools import chain, count

from archspec.records import Record

Scalar = int | Fraction | bool


class ExpressionError(Exception):
    """An expression that cannot be read or has no value; `column` counts from 0."""

    def __init__(self, message: str, hint: str = "", column: int | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.column = message, hint, column


def same_number(one: Scalar, other: Scalar) -> bool:
    """Equality that is strict in type: memos distinguish `true` from 1 with it."""
    return one == other and one.__class__ is other.__class__


class Expr(Record):
    """A node of the tree. Nodes are immutable and compare by content."""


class Number(Expr):
    """A literal. Equal in type too: `true` is not 1."""

    value: Scalar

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and same_number(other.value, self.value)

    def __hash__(self) -> int:
        return hash(self.value)


class Name(Expr):
    """An argument or an index; equal wherever it is written."""

    id: str
    column: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class Unary(Expr):
    """`-`, `+`, or `not`."""

    op: str
    operand: Expr


class Binary(Expr):
    """An operation on numbers, or a comparison."""

    op: str
    left: Expr
    right: Expr


class Logic(Expr):
    """`and` or `or`."""

    op: str
    operands: tuple[Expr, ...]


class Choice(Expr):
    """`then if condition else otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr


class Call(Expr):
    """A function of numbers, such as `round_to`."""

    function: str
    arguments: tuple[Expr, ...]


class Value(Record):
    """A number, and its formula; `expr` is None if it cannot be printed."""

    number: Scalar
    expr: Expr | None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return same_number(other.number, self.number) and other.expr == self.expr

    def __hash__(self) -> int:
        return hash((self.number, self.expr))

    @property
    def constant(self) -> bool:
        return isinstance(self.expr, Number)


@lru_cache(maxsize=8192, typed=True)
def constant(number: Scalar) -> Value:
    return Value(number, Number(number))


@lru_cache(maxsize=8192)
def names(expr: Expr) -> frozenset[str]:
    """Every name that `expr` uses."""
    return frozenset(name.id for name in walk(expr) if isinstance(name, Name))


def with_names(expr: Expr, meaning: Callable[[str], Expr]) -> Expr:
    """`expr` with formulas for its names, as it is written: nothing is simplified."""
    match expr:
        case Name(id=name):
            return meaning(name)
        case Binary(op=op, left=left, right=right):
            return Binary(op, with_names(left, meaning), with_names(right, meaning))
        case Unary(op=op, operand=operand):
            return Unary(op, with_names(operand, meaning))
        case Logic(op=op, operands=operands):
            return Logic(op, tuple(with_names(part, meaning) for part in operands))
        case Call(function=function, arguments=arguments):
            return Call(function, tuple(with_names(part, meaning) for part in arguments))
    return expr


def new_name(word: str, taken: Container[str]) -> str:
    """The first of `word`, `word2`, `word3`, ... that is not taken."""
    names = chain([word], (f"{word}{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def walk(expr: Expr) -> list[Expr]:
    """`expr` and everything below it, level by level."""
    found = [expr]
    for node in found:  # it grows meanwhile
        kind = node.__class__
        if kind is not Number and kind is not Name:
            found += _below(node)
    return found


def _below(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Binary(left=left, right=right):
            return left, right
        case Unary(operand=operand):
            return (operand,)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return condition, then, otherwise
        case Logic(operands=operands):
            return operands
        case Call(arguments=arguments):
            return arguments
    return ()


def weight(expr: Expr) -> int:
    """The size of an expression: its number of operations."""
    return sum(not isinstance(node, (Number, Name)) for node in walk(expr))
