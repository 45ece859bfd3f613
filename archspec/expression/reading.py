"""Text -> tree. The grammar is closed: only the node kinds below are taken over."""

from __future__ import annotations

import ast
from functools import lru_cache

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

MAX_LENGTH = 200
MAX_DEPTH = 40
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
