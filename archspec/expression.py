"""Sizes and conditions of a spec: `channels // 4`, `stride > 1`, `max(8, width)`.

The grammar is closed: Python's own parser reads the text, and only the node kinds below are
taken over. Nothing is ever evaluated by Python. Arithmetic is exact (integers and fractions).

An expression has two readings at once, a `Value`: the number it has for one use of a block,
and the formula that says it in the names of the class around it, for printing.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Scalar = int | Fraction | bool

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_NUMBER = 10**15
MAX_BITS = 4096


class ExpressionError(Exception):
    """An expression that cannot be read or has no value; `column` counts from 0."""

    def __init__(self, message: str, hint: str = "", column: int | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.column = message, hint, column


class Expr:
    """A node of the tree. Nodes are immutable and compare by content."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Number(Expr):
    value: Scalar


@dataclass(frozen=True, slots=True)
class Name(Expr):
    id: str
    column: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Logic(Expr):
    op: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Choice(Expr):
    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Call(Expr):
    function: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A number, and the formula that says it; `expr` is None where none can be printed."""

    number: Scalar
    expr: Expr | None

    @property
    def constant(self) -> bool:
        return isinstance(self.expr, Number)


def constant(number: Scalar) -> Value:
    return Value(number, Number(number))


# Reading ------------------------------------------------------------------------------

BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
BINARY |= {ast.FloorDiv: "//", ast.Mod: "%"}
COMPARE = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<="}
COMPARE |= {ast.Gt: ">", ast.GtE: ">="}
UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Not: "not"}
WORDS = {"true": True, "false": False}


@lru_cache(maxsize=4096)
def parse(text: str) -> Expr:
    """The tree of `text`; raises `ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters is too long")
    if not text.isascii() or not text.isprintable():
        raise ExpressionError("an expression is written in plain ASCII")
    stripped = text.strip()
    try:
        tree = ast.parse(stripped, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = getattr(error, "offset", None)
        raise ExpressionError(
            f"`{text}` is no expression",
            "write numbers, names, + - * / // %, comparisons, `a if c else b`",
            None if not column else column - 1,
        ) from None
    return _convert(tree.body, 0)


def _convert(node: ast.expr, depth: int) -> Expr:
    if depth > MAX_DEPTH:
        raise ExpressionError("an expression nested this deep is not readable")
    below = depth + 1
    match node:
        case ast.Constant(value=bool()):
            word = str(node.value)
            raise ExpressionError(
                f"`{word}` is not a word here",
                f"write `{word.lower()}`",
                node.col_offset,
            )
        case ast.Constant(value=int() | float() as value):
            return Number(from_python(value))
        case ast.Name(id=word) if word in WORDS:
            return Number(WORDS[word])
        case ast.Name(id=word):
            return Name(word, node.col_offset)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return Unary(UNARY[type(op)], _convert(operand, below))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return Binary(BINARY[type(op)], _convert(left, below), _convert(right, below))
        case ast.Compare(left=first, ops=ops, comparators=rest) if all(
            type(op) in COMPARE for op in ops
        ):
            return _comparison([first, *rest], ops, below)
        case ast.BoolOp(op=op, values=values):
            word = "and" if isinstance(op, ast.And) else "or"
            return Logic(word, tuple(_convert(value, below) for value in values))
        case ast.IfExp(test=test, body=then, orelse=otherwise):
            return Choice(*(_convert(part, below) for part in (test, then, otherwise)))
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
            return _call(function, arguments, node.col_offset, below)
    raise ExpressionError(
        f"`{ast.unparse(node)}` is not part of the language",
        "expressions have numbers, names, arithmetic, comparisons and " + ", ".join(FUNCTIONS),
        node.col_offset,
    )


def _comparison(terms: list[ast.expr], ops: list[ast.cmpop], depth: int) -> Expr:
    sides = [_convert(term, depth) for term in terms]
    pairs = [
        Binary(COMPARE[type(op)], left, right)
        for op, left, right in zip(ops, sides, sides[1:], strict=False)
    ]
    return pairs[0] if len(pairs) == 1 else Logic("and", tuple(pairs))


def _call(function: str, arguments: list[ast.expr], column: int, depth: int) -> Expr:
    if function not in FUNCTIONS:
        raise ExpressionError(
            f"there is no function `{function}`",
            "functions: " + ", ".join(FUNCTIONS),
            column,
        )
    fewest, most, _ = FUNCTIONS[function]
    if not fewest <= len(arguments) <= most:
        raise ExpressionError(
            f"`{function}` takes {fewest if fewest == most else f'{fewest} or more'} "
            f"arguments, not {len(arguments)}",
            column=column,
        )
    return Call(function, tuple(_convert(argument, depth) for argument in arguments))


def from_python(number: int | float | bool) -> Scalar:
    """An exact number: 0.1 is one tenth, as a person means it."""
    if isinstance(number, (bool, int)):
        return _bounded(number)
    if not math.isfinite(number):
        raise ExpressionError("a number must be finite")
    return _bounded(_whole(Fraction(repr(number))))


def _whole(number: Fraction) -> int | Fraction:
    return number.numerator if number.denominator == 1 else number


def _bounded(number: Scalar) -> Scalar:
    if not -MAX_NUMBER <= number <= MAX_NUMBER:
        raise ExpressionError(f"the number is beyond {MAX_NUMBER:.0e}, the largest taken")
    if isinstance(number, Fraction) and number.denominator.bit_length() > MAX_BITS:
        raise ExpressionError("the fraction is finer than archspec calculates")
    return number


@lru_cache(maxsize=8192)
def names(expr: Expr) -> frozenset[str]:
    """Every name that `expr` uses."""
    return frozenset(name.id for name in walk(expr) if isinstance(name, Name))


def walk(expr: Expr) -> list[Expr]:
    """`expr` and everything below it."""
    match expr:
        case Unary(operand=operand):
            below = [operand]
        case Binary(left=left, right=right):
            below = [left, right]
        case Choice(condition=condition, then=then, otherwise=otherwise):
            below = [condition, then, otherwise]
        case Logic(operands=operands):
            below = list(operands)
        case Call(arguments=arguments):
            below = list(arguments)
        case _:
            below = []
    return [expr] + [node for part in below for node in walk(part)]


# Values -------------------------------------------------------------------------------


def _round_to(x: Scalar, multiple: Scalar) -> Scalar:
    _divisor(multiple)
    return math.floor(Fraction(x) / multiple + Fraction(1, 2)) * multiple


def _make_divisible(x: Scalar, divisor: Scalar) -> Scalar:
    near = max(divisor, _round_to(x, divisor))
    return near + divisor if near * 10 < x * 9 else near


def _log2(x: Scalar) -> Scalar:
    if x <= 0:
        raise ExpressionError(f"log2 of {show(x)} has no value")
    return from_python(math.log2(x))


def _divisor(number: Scalar) -> Scalar:
    if number == 0:
        raise ExpressionError("division by zero")
    return number


# name -> (fewest arguments, most, meaning); the papers' make_divisible is MobileNet's
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Scalar]]] = {
    "min": (2, 8, min),
    "max": (2, 8, max),
    "round": (1, 1, round),
    "floor": (1, 1, math.floor),
    "ceil": (1, 1, math.ceil),
    "abs": (1, 1, abs),
    "log2": (1, 1, _log2),
    "round_to": (2, 2, _round_to),
    "make_divisible": (2, 2, _make_divisible),
}
PRINTED_FUNCTIONS = frozenset({"min", "max"})

OPERATORS: dict[str, Callable[[Scalar, Scalar], Scalar]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a) / Fraction(_divisor(b)),
    "//": lambda a, b: a // _divisor(b),
    "%": lambda a, b: a % _divisor(b),
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def evaluate(expr: Expr, lookup: Callable[[Name], Value]) -> Value:
    """The value of `expr` where `lookup` says what a name is. Only what is needed is read.

    Conditions are settled: of `a if c else b` the one side that holds is left.
    """
    match expr:
        case Number(value=value):
            return constant(value)
        case Name():
            return lookup(expr)
        case Unary(op="not", operand=operand):
            return constant(not evaluate(operand, lookup).number)
        case Unary(op=op, operand=operand):
            zero = constant(0)
            return combine(op, zero, evaluate(operand, lookup))
        case Binary(op=op, left=left, right=right):
            return combine(op, evaluate(left, lookup), evaluate(right, lookup))
        case Logic(op=op, operands=operands):
            result = evaluate(operands[0], lookup)
            for operand in operands[1:]:
                if bool(result.number) == (op == "or"):
                    break
                result = evaluate(operand, lookup)
            return result
        case Choice(condition=condition, then=then, otherwise=otherwise):
            chosen = then if evaluate(condition, lookup).number else otherwise
            return evaluate(chosen, lookup)
        case Call(function=function, arguments=arguments):
            return _apply(function, [evaluate(part, lookup) for part in arguments])
    raise TypeError(expr)


def _apply(function: str, arguments: list[Value]) -> Value:
    result = FUNCTIONS[function][2](*(argument.number for argument in arguments))
    number = _bounded(_whole(Fraction(result)))
    if all(argument.constant for argument in arguments):
        return constant(number)
    parts = tuple(argument.expr for argument in arguments)
    if function not in PRINTED_FUNCTIONS or not _integers(*arguments):
        return Value(number, None)
    return Value(number, Call(function, tuple(p for p in parts if p is not None)))


def _integers(*values: Value) -> bool:
    return all(type(v.number) is int and v.expr is not None for v in values)


def combine(op: str, left: Value, right: Value) -> Value:
    """`left op right`, as a number and as a simplified formula."""
    number = OPERATORS[op](left.number, right.number)
    if isinstance(number, Fraction):
        number = _whole(number)
    _bounded(number)
    if isinstance(number, bool):
        return constant(number)
    if left.constant and right.constant:
        return constant(number)
    if left.expr is None or right.expr is None or not _integers(left, right):
        return Value(number, None)
    return Value(number, simplify(op, left.expr, right.expr))


def simplify(op: str, left: Expr, right: Expr) -> Expr | None:
    """The formula of `left op right` over integers, in its shortest equal form.

    Quotients of constants are merged: (c // 4 * 64) // 64 is c // 4. None for `/`.
    """
    match op, left, right:
        case "/", _, _:
            return None
        case ("+", Number(value=0), x) | ("*", Number(value=1), x):
            return x
        case ("+" | "-", x, Number(value=0)) | ("*" | "//", x, Number(value=1)):
            return x
        case "*", Number(), Binary(op="*", left=Number()):
            return simplify("*", right, left)
        case "*", Binary(op="*", left=Number(value=a), right=x), Number(value=b):
            return simplify("*", Number(a * b), x)
        case "*", Binary(op="*", left=x, right=Number(value=a)), Number(value=b):
            return simplify("*", x, Number(a * b))
        case "//", Binary(op="//", left=x, right=Number(value=a)), Number(value=b):
            if a > 0 and b > 0:
                return simplify("//", x, Number(a * b))
        case "//", Binary(op="*", left=x, right=Number(value=a)), Number(value=b):
            return _reduce(x, a, b, left, right)
        case "//", Binary(op="*", left=Number(value=a), right=x), Number(value=b):
            return _reduce(x, a, b, left, right)
    return Binary(op, left, right)


def _reduce(x: Expr, a: Scalar, b: Scalar, left: Expr, right: Expr) -> Expr | None:
    if not (isinstance(a, int) and isinstance(b, int) and a > 0 and b > 0):
        return Binary("//", left, right)
    common = math.gcd(a, b)
    if common == 1:
        return Binary("//", left, right)
    product = simplify("*", x, Number(a // common))
    return None if product is None else simplify("//", product, Number(b // common))


def weight(expr: Expr) -> int:
    """How much there is to read: the number of operations."""
    return sum(not isinstance(node, (Number, Name)) for node in walk(expr))


def substitute(expr: Expr, replace: Callable[[Name], Expr | None]) -> Expr | None:
    """`expr` with other formulas for its names, simplified; None if one has no formula."""
    match expr:
        case Number():
            return expr
        case Name():
            return replace(expr)
        case Binary(op=op, left=left, right=right):
            sides = substitute(left, replace), substitute(right, replace)
            return None if None in sides else _rebuild(op, *sides)  # type: ignore[arg-type]
        case Call(function=function, arguments=arguments):
            parts = [substitute(part, replace) for part in arguments]
            known = tuple(part for part in parts if part is not None)
            if len(known) < len(parts):
                return None
            if all(isinstance(part, Number) for part in known):
                return _apply(function, [Value(_number(p), p) for p in known]).expr
            return Call(function, known)
    return None


def _rebuild(op: str, left: Expr, right: Expr) -> Expr | None:
    if isinstance(left, Number) and isinstance(right, Number):
        return combine(op, Value(left.value, left), Value(right.value, right)).expr
    return simplify(op, left, right)


def _number(expr: Expr) -> Scalar:
    assert isinstance(expr, Number)
    return expr.value


# Printing -----------------------------------------------------------------------------

PRECEDENCE = {"+": 1, "-": 1, "*": 2, "//": 2, "%": 2, "/": 2}


def show(number: Scalar | float) -> str:
    """A number as a person writes it, and as Python reads it."""
    if isinstance(number, Fraction):
        return repr(float(number))
    return repr(number)


def source(expr: Expr) -> str:
    """`expr` as Python arithmetic, with no more brackets than it needs."""
    return _source(expr, 0)


def _source(expr: Expr, outer: int) -> str:
    match expr:
        case Number(value=value):
            text = show(value)
            return f"({text})" if text.startswith("-") and outer else text
        case Name(id=word):
            return word
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(source, arguments))})"
        case Binary(op=op, left=left, right=right):
            own = PRECEDENCE[op]
            text = f"{_source(left, own)} {op} {_source(right, own + 1)}"
            return f"({text})" if own < outer else text
    raise TypeError(f"{expr} is settled before anything is printed")
