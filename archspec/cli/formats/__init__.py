"""How `show` prints a network: a module each, found by its name.

`render` is the text of a network, without a last line end.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from archspec.analysis import Analysis
from archspec.language import Spec

Render = Callable[[Analysis, Spec, int | None], str]


def names() -> list[str]:
    """The formats that there are: the modules of this package."""
    return sorted(module.name for module in iter_modules(__path__))


def load(name: str) -> Render:
    """A format: a function of a network, its spec, and how many parts its names keep."""
    found: Render = import_module(f"{__name__}.{name}").render
    return found
