"""Sizes and conditions of a spec: `channels // 4`, `stride > 1`, `max(8, width)`.

The grammar is closed: Python's own parser reads the text, and only the node kinds of `tree`
are taken over. Nothing is ever evaluated by Python. Arithmetic is exact (integers and
fractions).

An expression has two readings at once, a `Value`: the number it has for one use of a block,
and the formula that says it in the names of the class around it, for printing.

tree       the nodes
functions  what operators and functions do
reading    text -> tree
values     tree -> number and formula
floats     tree -> a float, or a formula of what only a module knows
printing   tree -> Python
"""

from archspec.expression.floats import floating, known
from archspec.expression.functions import FUNCTIONS, from_python, whole
from archspec.expression.printing import show, source
from archspec.expression.reading import MAX_LENGTH, parse
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
    same_number,
    walk,
    weight,
)
from archspec.expression.values import combine, evaluate, simplify, substitute

__all__ = [
    "FUNCTIONS",
    "MAX_LENGTH",
    "Binary",
    "Call",
    "Choice",
    "Expr",
    "ExpressionError",
    "Logic",
    "Name",
    "Number",
    "Scalar",
    "Unary",
    "Value",
    "combine",
    "constant",
    "evaluate",
    "floating",
    "from_python",
    "known",
    "names",
    "parse",
    "same_number",
    "show",
    "simplify",
    "source",
    "substitute",
    "walk",
    "weight",
    "whole",
]
