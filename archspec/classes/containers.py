"""Layers with dots in their names, in their containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from archspec.classes.printed import repeated
from archspec.ir.classes import Layer, Modules


def contained(layers: Iterable[Layer]) -> Iterator[Layer]:
    """The layers of a class, with `convs.0` and `convs.1` in one container `convs`."""
    for name, group in groupby(layers, lambda layer: layer.name.partition(".")[0]):
        parts = [*group]
        if "." not in parts[0].name:
            yield from parts
            continue
        inside = (replace(part, name=part.name.partition(".")[2]) for part in parts)
        within = tuple(contained(inside))
        runs: list[Any] = [layer.new for layer in within]
        yield Layer(name, Modules(within, repeated(runs)))
