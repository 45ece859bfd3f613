"""Sizes as formulas: their short form is exact, and long ones are laid out as ruff does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from archspec.codegen.layout import CallText, FormulaText, KeywordText, Text, TupleText, lines
from archspec.expression import (
    Binary,
    Call,
    Expr,
    ExpressionError,
    Name,
    Number,
    Value,
    evaluate,
    parse,
    simplify,
    source,
)

NUMBERS = {"x": 7, "y": 5, "channels": 64, "growth": 32}


def lookup(name: Name) -> Value:
    return Value(NUMBERS[name.id], name)


def short(text: str) -> str:
    formula = evaluate(parse(text), lookup).expr
    assert formula is not None
    return source(formula)


# The short form -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("(x + 32) + 32", "x + 64"),
        ("32 + (x + 32)", "x + 64"),
        ("(x - 1) + 1", "x"),
        ("1 + x", "x + 1"),
        ("x - 3 - (x - 5)", "2"),
        ("x - (y - 1)", "x - y + 1"),
        ("3 - (x - 3)", "6 - x"),
        ("channels" + " + growth" * 11, "channels + growth * 11"),
        ("4 * growth + growth", "5 * growth"),
        ("growth + growth * 2 - y", "growth * 3 - y"),
        ("channels // 2 + channels // 2", "channels // 2 * 2"),
        ("(channels + 32) // 2 + 1", "(channels + 32) // 2 + 1"),
        ("(x + 1) * 2", "(x + 1) * 2"),
        ("(channels // 4 * 64) // 64", "channels // 4"),
    ],
)
def test_a_sum_is_as_short_as_it_can_be(written: str, expected: str) -> None:
    assert short(written) == expected


def expressions(
    names: st.SearchStrategy[str], constants: st.SearchStrategy[int]
) -> st.SearchStrategy[Expr]:
    leaves = st.builds(Name, names) | st.builds(Number, constants)

    def larger(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        calls = st.builds(Call, st.sampled_from(["min", "max"]), st.tuples(inner, inner))
        return st.builds(Binary, st.sampled_from(["+", "-", "*", "//", "%"]), inner, inner) | calls

    return st.recursive(leaves, larger, max_leaves=12)


small = expressions(st.sampled_from([*NUMBERS]), st.integers(-4, 70))


@given(small, st.fixed_dictionaries({name: st.integers(-20, 300) for name in NUMBERS}))
@settings(max_examples=400)
def test_the_short_form_has_the_same_value_everywhere(
    formula: Expr, numbers: dict[str, int]
) -> None:
    """Not only for the numbers that it was simplified at."""
    try:
        simplified = evaluate(formula, lookup).expr
        expected = evaluate(formula, lambda name: Value(numbers[name.id], None)).number
    except ExpressionError:  # it divides by 0
        return
    assert simplified is not None
    assert evaluate(simplified, lambda name: Value(numbers[name.id], None)).number == expected


@given(small, small, st.sampled_from(["+", "-"]))
@example(Name("x"), Binary("*", Number(1), Number(0)), "+")
@example(Name("x"), parse("1 * (x + x)"), "+")
@example(Name("x"), parse("2 * (3 * x)"), "+")
@example(parse("x + 3 * (x + y)"), parse("2 * (x + y)"), "-")
@settings(max_examples=200)
def test_what_is_short_stays_as_it_is(left: Expr, right: Expr, op: str) -> None:
    once = simplify(op, left, right)
    assert isinstance(once, Expr)
    match once:
        case Binary(op="+" | "-" as again, left=a, right=b):
            assert simplify(again, a, b) == once


# Layout -------------------------------------------------------------------------------

words = st.builds(
    lambda letter, count: letter * count, st.sampled_from("abcdefgh"), st.integers(1, 60)
)
long = expressions(words, st.integers(-9, 2000))
sizes = st.builds(FormulaText, long) | st.builds(
    lambda parts: TupleText(tuple(map(FormulaText, parts))), st.lists(long, min_size=1, max_size=3)
)


@st.composite
def calls(draw: st.DrawFn, deep: int = 2) -> CallText:
    """A call with sizes and calls as arguments, by position and then by name."""
    inner: st.SearchStrategy[Text] = sizes | calls(deep - 1) if deep else sizes
    arguments = draw(st.lists(inner, min_size=1, max_size=4))
    first = draw(st.integers(0, len(arguments)))
    named = [KeywordText(f"k{place}", text) for place, text in enumerate(arguments)]
    return CallText(f"nn.{draw(words)[:20]}", (*arguments[:first], *named[first:]))


def test_long_sizes_are_broken_as_ruff_breaks_them() -> None:
    """Ruff formats all of them at once."""
    classes: list[str] = []

    @given(st.lists(calls(), min_size=8, max_size=8))
    @settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
    def draw(drawn: list[CallText]) -> None:
        body = [line for call in drawn for line in lines(call, " " * 8, "self.layer = ")]
        classes.append("\n".join(["class A:", "    def f(self):", *body, ""]))

    draw()
    text = "\n\n".join(classes)
    assert formatted(text) == text


def formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "-"]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=Path(__file__).parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
