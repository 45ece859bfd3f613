"""Where in a network the regularisers of a recipe act: paths of layers.

Lint asks the same of the opened network (`rules.regularisers`), by the same walks over bodies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from archspec.ir import Class, New, Sequential, children, on_main_path, residual_ends

if TYPE_CHECKING:
    from archspec.ir import Network


def last_linear(network: Network) -> str:
    """The layer whose inputs `dropout` acts on."""
    *_, last = (path for path, what in _main_path(network) if what == "linear")
    return last


def residual_bodies(network: Network) -> list[str]:
    """The last layer of what each residual adds, in order: what `stochastic_depth` drops."""
    return [path for path, what in _main_path(network) if what == RESIDUAL]


RESIDUAL = "residual"  # beside the keys of ops: here a residual's body ends


def _main_path(network: Network) -> Iterator[tuple[str, str]]:
    """Path and key of each op on the main path, and where residuals end, in order."""
    for path, what in _inside(network.root, ""):
        yield path.removeprefix("."), what


def _inside(cls: Class, path: str) -> Iterator[tuple[str, str]]:
    """Those of a class and of its layers; paths begin with a dot."""
    layers = {layer.name: layer.new for layer in cls.layers}
    ends = set(residual_ends(cls.body))
    for name in on_main_path(cls.body):
        yield from _below(layers[name], f"{path}.{name}")
        if name in ends:
            yield f"{path}.{name}", RESIDUAL


def _below(made: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(made, Sequential):
        for place, child in enumerate(children(made)):
            yield from _below(child, f"{path}.{place}")
    elif isinstance(made, New):
        if isinstance(made.what, Class):
            yield from _inside(made.what, path)
        else:
            yield path, made.what.key
