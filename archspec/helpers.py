"""Layers that torch has no class for: their source, printed whole and executed as it is."""

from __future__ import annotations

import ast

from archspec import resources

FILE = resources.TEMPLATES / "modules.py"
_TEXT = FILE.read_text(encoding="utf-8")
_TREE = ast.parse(_TEXT)

# class name -> source
HELPERS: dict[str, str] = {
    node.name: ast.get_source_segment(_TEXT, node) or ""
    for node in _TREE.body
    if isinstance(node, ast.ClassDef)
}


def uses(name: str, word: str) -> bool:
    """Whether the helper's source mentions a global such as `torch` or `F`."""
    tree = ast.parse(HELPERS[name])
    return any(isinstance(node, ast.Name) and node.id == word for node in ast.walk(tree))
