"""The output formats of `show`: one module each, found by its name.

`render` returns the text of a network, without a final line end.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from archspec.analysis import Analysis
from archspec.language import Spec
from archspec.paths import modules_in

Render = Callable[[Analysis, Spec, int | None], str]


def names() -> list[str]:
    """The names of the formats: the modules of this package."""
    return modules_in(__path__)


def load(name: str) -> Render:
    """The `render` of a format: a function of an analysis, its spec, and the depth of names."""
    found: Render = import_module(f"{__name__}.{name}").render
    return found
