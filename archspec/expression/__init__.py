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

from archspec.expression.floats import floating as floating, known as known
from archspec.expression.functions import (
    FUNCTIONS as FUNCTIONS,
    from_python as from_python,
    whole as whole,
)
from archspec.expression.printing import show as show, source as source
from archspec.expression.reading import MAX_LENGTH as MAX_LENGTH, parse as parse
from archspec.expression.tree import (
    Binary as Binary,
    Call as Call,
    Expr as Expr,
    ExpressionError as ExpressionError,
    Logic as Logic,
    Name as Name,
    Number as Number,
    Scalar as Scalar,
    Unary as Unary,
    Value as Value,
    constant as constant,
    names as names,
    new_name as new_name,
    same_number as same_number,
    walk as walk,
    weight as weight,
    with_names as with_names,
)
from archspec.expression.values import (
    combine as combine,
    evaluate as evaluate,
    folded as folded,
    simplify as simplify,
    substitute as substitute,
)
