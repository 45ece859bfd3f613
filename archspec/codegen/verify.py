"""Parses the finished source again: it contains what archspec emits, and nothing from a spec."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence

from archspec.python import parse_python

NODES: frozenset[type[ast.AST]] = frozenset(
    getattr(ast, name)
    for name in """Module Expr Constant Import ImportFrom alias ClassDef FunctionDef arguments arg
    Assign AnnAssign AugAssign Attribute Name Load Store Call keyword Return If IfExp For Compare
    BoolOp And Or UnaryOp Not USub BinOp BitOr Add Sub Mult Div FloorDiv Mod Pow Eq NotEq Lt LtE
    Gt GtE Tuple List Subscript Slice Starred Dict GeneratorExp JoinedStr FormattedValue ListComp
    SetComp DictComp Set comprehension Is IsNot In NotIn Continue""".split()
)
IMPORTS = frozenset(
    {"import math", "import torch", "from torch import Tensor, nn", "from torch import nn"}
    | {"from torch.nn import functional as F"}
)


def verify(source: str, own: Sequence[str] = ()) -> None:
    """Raises AssertionError: a failure here is a bug of archspec, never the user's fault.

    `own` are additional lines with imports, such as those of the user's own modules.
    """
    imports = IMPORTS.union(own)
    for node in ast.walk(parse_python(source)):
        if type(node) not in NODES:  # not `assert`: `python -O` removes those
            raise AssertionError(f"unexpected {type(node).__name__} in generated source")
        if isinstance(node, (ast.Import, ast.ImportFrom)) and ast.unparse(node) not in imports:
            raise AssertionError(f"unexpected import: {ast.unparse(node)}")


def digest(text: str) -> str:
    """The hash that a generated file contains, shortened, of the rest of itself."""
    return hashlib.sha256(text.encode()).hexdigest()
