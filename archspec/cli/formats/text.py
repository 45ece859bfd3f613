"""A table of layers, for people."""

from __future__ import annotations

from archspec.analysis import Analysis, table
from archspec.language import Spec


def render(analysis: Analysis, spec: Spec, depth: int | None) -> str:
    """The layers line by line, and their totals."""
    return table(analysis, depth)
