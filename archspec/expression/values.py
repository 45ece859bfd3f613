"""Tree -> `Value`: a number and its simplified formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from archspec.expression.functions import FUNCTIONS, OPERATORS, PRINTED_FUNCTIONS, bounded, whole
from archspec.expression.tree import (
    Binary,
    Call,
    Choice,
    Expr,
    ExpressionError,
    Logic,
    Name,
    Number,
    Scalar,
    Unary,
    Value,
    constant,
    names,
)


def evaluate(expr: Expr, lookup: Callable[[Name], Value]) -> Value:
    """The value of `expr`; `lookup` returns the value of a name. Only what is needed is evaluated.

    Conditions are evaluated: of `a if c else b`, only the chosen side remains.
    """
    match expr:  # the most frequent first
        case Binary(op=op, left=left, right=right):
            return combine(op, evaluate(left, lookup), evaluate(right, lookup))
        case Number(value=value):
            return constant(value)
        case Name():
            return lookup(expr)
        case Unary(op="not", operand=operand):
            return constant(not evaluate(operand, lookup).number)
        case Unary(op=op, operand=operand):
            zero = constant(0)
            return combine(op, zero, evaluate(operand, lookup))
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
    number = bounded(whole(Fraction(result)))
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
    if number.__class__ is Fraction:
        number = whole(number)
    bounded(number)
    if isinstance(number, bool) or (left.constant and right.constant):
        return constant(number)
    if left.expr is None or right.expr is None:
        return Value(number, None)
    if type(left.number) is not int or type(right.number) is not int:
        return Value(number, None)
    return Value(number, simplify(op, left.expr, right.expr))


def simplify(op: str, left: Expr, right: Expr) -> Expr | None:
    """The formula of `left op right` over integers, in its shortest equal form.

    Equal terms of a sum are merged: (c + 32) + 32 is c + 64. So are quotients of constants:
    (c // 4 * 64) // 64 is c // 4. None for `/`.
    """
    match op, left, right:
        case "/", _, _:
            return None
        case "+" | "-", _, _:
            return _sum([*_terms(left, 1), *_terms(right, 1 if op == "+" else -1)])
        case ("*", Number(value=1), x) | ("*" | "//", x, Number(value=1)):
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


ONE = Number(1)


def _terms(expr: Expr, factor: int, first: bool = False) -> Iterator[tuple[int, Expr, bool]]:
    """The terms of `factor * expr`.

    `4 * x` is 4, x, True; `x * 4` is 4, x, False; 4 is 4 times ONE. A sum is one term if it has a
    factor, as in `2 * (x + y)`.
    """
    match expr:
        case Binary(op="+" | "-" as op, left=left, right=right) if factor in (1, -1):
            yield from _terms(left, factor)
            yield from _terms(right, factor if op == "+" else -factor)
        case Number(value=int(n)):
            yield factor * n, ONE, True
        case Binary(op="*", left=Number(value=int(n)), right=x):
            yield from _terms(x, factor * n, True)
        case Binary(op="*", left=x, right=Number(value=int(n))):
            yield from _terms(x, factor * n, False)
        case _:
            yield factor, expr, first


def _sum(terms: Iterable[tuple[int, Expr, bool]]) -> Expr:
    """Equal terms merged: the added ones, the subtracted ones, then the constant."""
    counts: dict[Expr, int] = {ONE: 0}
    number_first: dict[Expr, bool] = {}
    for count, x, first in terms:
        counts[x] = counts.get(x, 0) + count
        number_first.setdefault(x, first)
    last = counts.pop(ONE)
    order = sorted(counts, key=lambda x: counts[x] < 0)
    parts = [(counts[x], _product(abs(counts[x]), x, number_first[x])) for x in order if counts[x]]
    if parts and parts[0][0] > 0:
        result, parts = parts[0][1], [*parts[1:], (last, Number(abs(last)))]
    else:
        result = Number(last)
    for count, term in parts:
        if count:
            result = Binary("+" if count > 0 else "-", result, term)
    opens = any(_is_sum(x) and counts[x] in (1, -1) for x in counts)
    return _sum(_terms(result, 1)) if opens else result


def _is_sum(expr: Expr) -> bool:
    return isinstance(expr, Binary) and expr.op in ("+", "-")


def _product(count: int, x: Expr, number_first: bool) -> Expr:
    if count == 1:
        return x
    many = Number(count)
    return Binary("*", many, x) if number_first else Binary("*", x, many)


def substitute(expr: Expr, replace: Callable[[Name], Expr | None]) -> Expr | None:
    """`expr` with other formulas for its names, simplified; None if a name has no formula."""
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


def folded(condition: Expr) -> Expr:
    """A condition without its constant parts: `flag and 2 > 1` is `flag`."""
    match condition:
        case Logic(op=op, operands=operands):
            parts = [folded(part) for part in operands]
            rest = tuple(part for part in parts if not isinstance(part, Number))
            known = {bool(part.value) for part in parts if isinstance(part, Number)}
            decides = op == "or"
            if decides in known or not rest:
                return Number(decides if decides in known else not decides)
            return rest[0] if len(rest) == 1 else Logic(op, rest)
        case Unary(op=op, operand=operand):
            condition = Unary(op, folded(operand))
    return condition if names(condition) else Number(evaluate(condition, _nameless).number)


def _nameless(name: Name) -> Value:
    raise ExpressionError(f"`{name.id}` is not defined here")


def _rebuild(op: str, left: Expr, right: Expr) -> Expr | None:
    if isinstance(left, Number) and isinstance(right, Number):
        return combine(op, Value(left.value, left), Value(right.value, right)).expr
    return simplify(op, left, right)


def _number(expr: Expr) -> Scalar:
    assert isinstance(expr, Number)
    return expr.value
