"""Operators and functions: exact arithmetic within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from archspec.expression.tree import ExpressionError, Scalar

MAX_NUMBER = 10**15
MAX_BITS = 4096


def from_python(number: int | float | bool) -> Scalar:
    """An exact number: 0.1 is one tenth, as its author means it."""
    if isinstance(number, (bool, int)):
        return bounded(number)
    if not math.isfinite(number):
        raise ExpressionError("a number must be finite")
    return _exact(repr(number))


@lru_cache(maxsize=1024)
def _exact(written: str) -> Scalar:
    return bounded(whole(Fraction(written)))


def whole(number: int | Fraction) -> int | Fraction:
    return number.numerator if number.denominator == 1 else number


def bounded(number: Scalar) -> Scalar:
    if not -MAX_NUMBER <= number <= MAX_NUMBER:
        raise ExpressionError(f"the number is beyond {MAX_NUMBER:.0e}, the maximum")
    # By its class: `isinstance` asks an abstract class, which takes five times as long.
    if number.__class__ is Fraction and number.denominator.bit_length() > MAX_BITS:
        raise ExpressionError("the fraction needs a larger denominator than archspec supports")
    return number


def _round_to(x: Scalar, multiple: Scalar) -> Scalar:
    nonzero(multiple)
    return math.floor(Fraction(x) / multiple + Fraction(1, 2)) * multiple


def _make_divisible(x: Scalar, divisor: Scalar) -> Scalar:
    near = max(divisor, _round_to(x, divisor))
    return near + divisor if near * 10 < x * 9 else near


def _log2(x: Scalar) -> Scalar:
    if x <= 0:
        raise ExpressionError(f"log2 of {x} has no value")
    return from_python(math.log2(x))


def _sqrt(x: Scalar) -> Scalar:
    if x < 0:
        raise ExpressionError(f"sqrt of {x} has no value")
    return from_python(math.sqrt(x))


def nonzero(number: Scalar) -> Scalar:
    if number == 0:
        raise ExpressionError("division by zero", "the divisor must not be 0")
    return number


# name -> minimum and maximum number of arguments, function; make_divisible is that of MobileNet
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Scalar]]] = {
    "min": (2, 8, min),
    "max": (2, 8, max),
    "round": (1, 1, round),
    "floor": (1, 1, math.floor),
    "ceil": (1, 1, math.ceil),
    "abs": (1, 1, abs),
    "log2": (1, 1, _log2),
    "sqrt": (1, 1, _sqrt),
    "round_to": (2, 2, _round_to),
    "make_divisible": (2, 2, _make_divisible),
}
PRINTED_FUNCTIONS = frozenset({"min", "max"})


OPERATORS: dict[str, Callable[[Scalar, Scalar], Scalar]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a) / Fraction(nonzero(b)),
    "//": lambda a, b: a // nonzero(b),
    "%": lambda a, b: a % nonzero(b),
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
