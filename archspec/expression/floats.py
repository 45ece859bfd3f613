"""Expressions in floats, for torch's initializers: some names are only known to the module."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from archspec.expression.functions import OPERATORS
from archspec.expression.printing import PRECEDENCE
from archspec.expression.tree import (
    Binary,
    Call,
    Choice,
    Expr,
    ExpressionError,
    Logic,
    Name,
    Number,
    Unary,
    names,
)

# Python's own, so that the printed formula has the same value.
FLOATS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "sqrt": math.sqrt,
    "log2": math.log2,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {**OPERATORS, "/": lambda a, b: a / b}


def known(expr: Expr, values: Mapping[str, Any]) -> Expr:
    """`expr` with numbers for the names in `values`; a number if no name remains.

    Remaining names are only allowed in arithmetic; raises `ExpressionError`.
    """
    if names(expr) <= values.keys():
        return Number(floating(expr, values))
    return _known(expr, values)


def _known(expr: Expr, values: Mapping[str, Any]) -> Expr:
    match expr:
        case Number():
            return expr
        case Name(id=word):
            return Number(floating(expr, values)) if word in values else expr
        case Binary(op=op, left=left, right=right) if op in PRECEDENCE:
            return Binary(op, _known(left, values), _known(right, values))
        case Unary(op="-", operand=operand):
            return Unary("-", _known(operand, values))
        case Call(function=function, arguments=arguments) if function in FLOATS:
            return Call(function, tuple(_known(part, values) for part in arguments))
    if names(expr) <= values.keys():
        return Number(floating(expr, values))
    unknown = " and ".join(f"`{name}`" for name in sorted(names(expr) - values.keys()))
    functions = ", ".join(FLOATS)
    raise ExpressionError(f"{unknown} can only be used in `+ - * / // %` and {functions}")


def floating(expr: Expr, values: Mapping[str, Any]) -> Any:
    """The value of `expr` in Python's floats; raises `ExpressionError`."""
    try:
        number = _number(expr, values)
        finite = math.isfinite(number)
    except ZeroDivisionError:
        raise ExpressionError("division by zero", "the divisor must not be 0") from None
    except (OverflowError, ValueError) as error:
        raise ExpressionError(f"the expression has no value: {error}") from None
    if not finite:
        raise ExpressionError("a number must be finite")
    return number


def _number(expr: Expr, values: Mapping[str, Any]) -> Any:
    match expr:
        case Number(value=value):
            return float(value) if isinstance(value, Fraction) else value
        case Name(id=word):
            value = values[word]
            return float(value) if isinstance(value, Fraction) else value
        case Binary(op=op, left=left, right=right):
            return ARITHMETIC[op](_number(left, values), _number(right, values))
        case Unary(op=op, operand=operand):
            inner = _number(operand, values)
            return not inner if op == "not" else -inner if op == "-" else inner
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return _number(then if _number(condition, values) else otherwise, values)
        case Logic(op=op, operands=operands):
            found = [_number(part, values) for part in operands]
            return all(found) if op == "and" else any(found)
        case Call(function=function, arguments=arguments) if function in FLOATS:
            return FLOATS[function](*(_number(part, values) for part in arguments))
        case Call(function=function):
            raise ExpressionError(
                f"`{function}` is only for sizes", f"available: {', '.join(FLOATS)}"
            )
    raise TypeError(expr)
