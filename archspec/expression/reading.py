"""Text -> tree. The grammar is closed: only the node kinds below are accepted."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import lru_cache

from archspec.diagnostics import did_you_mean, plural
from archspec.expression.functions import FUNCTIONS, from_python
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
)
from archspec.python import parse_python

MAX_LENGTH = 200
MAX_DEPTH = 40
_TO_INTEGER = "use `floor`, `ceil`, or `round`"
BINARY: dict[type[ast.AST], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
BINARY |= {ast.FloorDiv: "//", ast.Mod: "%"}
COMPARE: dict[type[ast.AST], str] = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<="}
COMPARE |= {ast.Gt: ">", ast.GtE: ">="}
UNARY: dict[type[ast.AST], str] = {ast.USub: "-", ast.UAdd: "+", ast.Not: "not"}
# What Python's parser warns about on standard error (a number directly before a word), and what is
# a number in Python but not in YAML: `1_6`, `0b11`.
ODD = re.compile(r"\\|(?<!\w)(?:\d[\w.]*?(?:_|and|else|for|if|in|is|not|or)|0[bBOX])")
WORDS = {"true": True, "false": False}
ALLOWED = "expressions have numbers, names, arithmetic, comparisons, and " + ", ".join(FUNCTIONS)
# Hints for what is not allowed.
INSTEAD: dict[type[ast.AST], str] = {
    ast.BinOp: "arithmetic has + - * / // %",
    ast.Subscript: "lists have no index: use one argument for each number",
}


@lru_cache(maxsize=4096)
def parse(text: str) -> Expr:
    """The tree of `text`; raises `ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters is too long")
    if not text.isascii() or not text.isprintable():
        raise ExpressionError("expressions must be plain ASCII")
    if odd := ODD.search(text):
        raise _no_expression(text, odd.start())
    try:
        tree = parse_python(text.strip(), "eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = getattr(error, "offset", None)
        raise _no_expression(text, column - 1 if column else None) from None
    return _convert(tree.body, 0)


def _no_expression(text: str, column: int | None) -> ExpressionError:
    hint = "use numbers, names, + - * / // %, comparisons, or `a if c else b`"
    return ExpressionError(f"invalid expression `{text}`", hint, column)


def _convert(node: ast.expr, depth: int) -> Expr:
    if depth > MAX_DEPTH:
        raise ExpressionError("expression is nested too deeply")
    read = READERS.get(node.__class__)
    tree = read(node, depth + 1) if read else None
    if tree is None:
        message = f"expressions cannot contain `{ast.unparse(node)}`"
        hint = INSTEAD.get(node.__class__, ALLOWED)
        raise ExpressionError(message, hint, node.col_offset)
    return tree


# One function per kind of node, found by its class: a `match` takes twice as long. None means that
# the node is not part of the language; `depth` is that of the children.


def _constant(node: ast.Constant, _depth: int) -> Expr | None:
    value = node.value
    if isinstance(value, bool):
        hint = f"use `{str(value).lower()}`"
        raise ExpressionError(f"expressions cannot contain `{value}`", hint, node.col_offset)
    return _number(value) if isinstance(value, (int, float)) else None


@lru_cache(maxsize=1024, typed=True)
def _number(value: int | float) -> Number:
    return Number(from_python(value))


def _name(node: ast.Name, _depth: int) -> Expr:
    return _word(node.id, node.col_offset)


@lru_cache(maxsize=1024)
def _word(word: str, column: int) -> Expr:
    return Number(WORDS[word]) if word in WORDS else Name(word, column)


def _unary(node: ast.UnaryOp, depth: int) -> Expr | None:
    op = UNARY.get(node.op.__class__)
    return Unary(op, _convert(node.operand, depth)) if op else None


def _binary(node: ast.BinOp, depth: int) -> Expr | None:
    op = BINARY.get(node.op.__class__)
    if meant := "" if op else _instead(node):
        message = f"expressions cannot contain `{ast.unparse(node)}`"
        raise ExpressionError(message, f"use `{meant}`", node.col_offset)
    return Binary(op, _convert(node.left, depth), _convert(node.right, depth)) if op else None


def _instead(node: ast.BinOp) -> str:
    """A power or a bitwise operator in the language; "" if there is no short form."""
    words = {ast.BitAnd: "and", ast.BitOr: "or"}
    if word := words.get(node.op.__class__):
        return f"{ast.unparse(node.left)} {word} {ast.unparse(node.right)}"
    written = node.right.value if isinstance(node.right, ast.Constant) else None
    exponents = [number for number in (2, 3) if written == number]
    if not isinstance(node.op, (ast.Pow, ast.BitXor)) or not exponents:
        return ""
    base = ast.unparse(node.left)
    base = base if isinstance(node.left, (ast.Name, ast.Constant)) else f"({base})"
    return " * ".join([base] * exponents[0])


def _comparison(node: ast.Compare, depth: int) -> Expr | None:
    ops = [COMPARE.get(op.__class__, "") for op in node.ops]
    if not all(ops):
        return None
    sides = [_convert(term, depth) for term in (node.left, *node.comparators)]
    pairs = [Binary(*pair) for pair in zip(ops, sides, sides[1:], strict=False)]
    return pairs[0] if len(pairs) == 1 else Logic("and", tuple(pairs))


def _logic(node: ast.BoolOp, depth: int) -> Expr:
    word = "and" if isinstance(node.op, ast.And) else "or"
    return Logic(word, tuple(_convert(value, depth) for value in node.values))


def _choice(node: ast.IfExp, depth: int) -> Expr:
    return Choice(*(_convert(part, depth) for part in (node.test, node.body, node.orelse)))


def _call(node: ast.Call, depth: int) -> Expr | None:
    if not isinstance(node.func, ast.Name) or node.keywords:
        return None
    function, arguments = node.func.id, node.args
    if function not in FUNCTIONS:
        hint = _TO_INTEGER if function == "int" else did_you_mean(function, FUNCTIONS, "functions")
        raise ExpressionError(
            f"unknown function `{function}`",
            hint,
            node.col_offset,
        )
    fewest, most, _ = FUNCTIONS[function]
    if not fewest <= len(arguments) <= most:
        wanted = plural(fewest, "argument") if fewest == most else f"{fewest} or more arguments"
        raise ExpressionError(
            f"`{function}` expects {wanted}, found {len(arguments)}", column=node.col_offset
        )
    return Call(function, tuple(_convert(argument, depth) for argument in arguments))


READERS: dict[type[ast.AST], Callable[..., Expr | None]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Compare: _comparison,
    ast.BoolOp: _logic,
    ast.IfExp: _choice,
    ast.Call: _call,
}
