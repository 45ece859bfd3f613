"""How much of a checkpoint of one network fits another, by name and shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from archspec.diff.changes import Facts

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The keys and shapes of two state dicts.

    `renamed` maps keys of the first to keys of the second, for layers with different names.
    """

    old: Shapes
    new: Shapes
    renamed: Mapping[str, str]

    @cached_property
    def fit(self) -> list[str]:
        """Keys of the first with equal name and shape in the second."""
        return [key for key, shape in self.old.items() if self.new.get(key) == shape]

    @cached_property
    def lost(self) -> list[str]:
        """Keys of the first that do not fit by name and shape."""
        fit = set(self.fit)
        return [key for key in self.old if key not in fit]

    @cached_property
    def reshaped(self) -> list[str]:
        """Keys of both, with different shapes."""
        return [key for key in self.lost if key in self.new]

    @cached_property
    def fresh(self) -> list[str]:
        """Keys of the second without a match."""
        fit = set(self.fit)
        return [key for key in self.new if key not in fit]

    @property
    def share(self) -> float:
        """The fraction of the first's values that fits."""
        return _values(self.old, self.fit) / max(_values(self.old, self.old), 1)

    @property
    def fresh_share(self) -> float:
        """The fraction of the second's values that is newly initialized."""
        return _values(self.new, self.fresh) / max(_values(self.new, self.new), 1)

    @cached_property
    def strangers(self) -> list[str]:
        """Keys that fit, but belong to a different layer of the second."""
        return [key for key in self.fit if self.renamed.get(key, key) != key]

    @cached_property
    def fit_renamed(self) -> list[str]:
        """Keys of the first that fit under the name of their layer in the second."""
        return [
            key for key in self.old if self.old[key] == self.new.get(self.renamed.get(key, key))
        ]


def checkpoint(facts: Facts) -> Checkpoint:
    """How much of a checkpoint of the first network fits the second."""
    pairs = ((a, b) for a, b in facts.pairs if a.path != b.path)
    renamed = {a.path + end: b.path + end for a, b in pairs for end in a.saved}
    return Checkpoint(facts.before.state, facts.after.state, renamed)


def _values(shapes: Shapes, keys: Iterable[str]) -> int:
    return sum(math.prod(shapes[key]) for key in keys)
