"""How a comparison is printed: one module per format."""

from __future__ import annotations

from collections.abc import Callable

from archspec.diff.comparison import Comparison
from archspec.diff.formats import data, markdown, text

FORMATS: dict[str, Callable[[Comparison, bool], str]] = {
    "text": text.render,
    "json": data.render,
    "markdown": markdown.render,
}

__all__ = ["FORMATS"]
