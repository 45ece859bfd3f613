"""Trees as Python arithmetic."""

from __future__ import annotations

from fractions import Fraction

from archspec.expression.tree import Binary, Call, Expr, Logic, Name, Number, Scalar, Unary

OF_MATH = ("sqrt", "log2", "floor", "ceil")
PRECEDENCE = {"+": 1, "-": 1, "*": 2, "//": 2, "%": 2, "/": 2}
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def show(number: Scalar | float) -> str:
    """A number as people write it, and as Python reads it."""
    if isinstance(number, Fraction):
        return repr(float(number))
    return repr(number)


def called(function: str) -> str:
    """A function as Python calls it."""
    return f"math.{function}" if function in OF_MATH else function


def source(expr: Expr, outer: int = 0) -> str:
    """`expr` as Python arithmetic, without unnecessary brackets.

    `outer` is the precedence of the adjacent operator.
    """
    match expr:
        case Number(value=value):
            text = show(value)
            return f"({text})" if text.startswith("-") and outer else text
        case Name(id=word):
            return word
        case Call(function=function, arguments=arguments):
            return f"{called(function)}({', '.join(map(source, arguments))})"
        case Unary(op="-", operand=operand):
            text = f"-{source(operand, max(PRECEDENCE.values()) + 1)}"
            return f"({text})" if outer > max(PRECEDENCE.values()) else text
        case Unary(op="not", operand=operand):
            return f"not {source(operand, max(PRECEDENCE.values()) + 1)}"
        case Binary(op=op, left=left, right=right) if op in COMPARISONS:
            text = f"{source(left, 1)} {op} {source(right, 1)}"
            return f"({text})" if outer else text
        case Logic(op=op, operands=operands):
            nested = (f"({source(o)})" if isinstance(o, Logic) else source(o) for o in operands)
            text = f" {op} ".join(nested)
            return f"({text})" if outer else text
        case Binary(op=op, left=left, right=right) if op in PRECEDENCE:
            own = PRECEDENCE[op]
            text = f"{source(left, own)} {op} {source(right, own + 1)}"
            return f"({text})" if own < outer else text
    raise TypeError(f"{expr} must be evaluated before printing")
