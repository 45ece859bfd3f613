"""Sizes and conditions of a spec: `channels // 4`, `stride > 1`, `max(8, width)`.

The grammar is closed: Python's own parser reads the text, and only the node kinds of `tree` are
accepted. Python never evaluates anything. Arithmetic is exact (integers and fractions).

The result is a `Value`, which is two things at once: the number for one use of a block, and the
formula in the names of the enclosing class, for printing.

tree       the nodes
functions  operators and functions
reading    text -> tree
values     tree -> number and formula
floats     tree -> a float, or a formula of names that only a module knows
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
    new_name,
    same_number,
    walk,
    weight,
    with_names,
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
    "new_name",
    "parse",
    "same_number",
    "show",
    "simplify",
    "source",
    "substitute",
    "walk",
    "weight",
    "whole",
    "with_names",
]
