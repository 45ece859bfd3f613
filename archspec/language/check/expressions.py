"""Names in expressions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archspec.expression import Expr, Name, walk
from archspec.language.check.findings import Findings, Scope


def check_names(found: Findings, scope: Scope, value: Any, raw: Any, *path: str) -> None:
    """Every name in a value that is visible there; `path` leads to what is written of it."""
    trees: Iterable[tuple[int | None, Any]] = [(None, value)]
    if isinstance(value, tuple):
        trees = enumerate(value)
    for place, tree in trees:
        if isinstance(tree, Expr):
            steps = path if place is None else (*path, place)
            _names(found, scope, tree, raw, steps)


def _names(found: Findings, scope: Scope, tree: Expr, raw: Any, path: tuple[Any, ...]) -> None:
    for name in walk(tree):
        if isinstance(name, Name) and name.id not in scope.names:
            from archspec.language.check.unknown import name_hint, place_of_name

            span, hint = place_of_name(name, raw, path), name_hint(name.id, path, scope)
            found.report("unknown-name", f"`{name.id}` is not known here", span, hint, scope)
