"""Parses the finished script again: it imports and calls nothing that comes from a spec."""

from __future__ import annotations

import ast
from collections.abc import Set

from archspec.python import parse_python
from archspec.training.parts import allowed

RUNS_TEXT = frozenset({"eval", "exec", "compile", "__import__", "globals", "locals", "vars"})


def verify(source: str, own: Set[str]) -> None:
    """Raises AssertionError: a failure here is a bug of archspec, never the user's fault.

    `own` are the lines that import the network's class, or the classes that it imports itself.
    """
    for node in ast.walk(parse_python(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not allowed(node, own):
            raise AssertionError(f"unexpected import: {ast.unparse(node)}")
        if isinstance(node, ast.Name) and node.id in RUNS_TEXT:
            raise AssertionError(f"unexpected {node.id}")
