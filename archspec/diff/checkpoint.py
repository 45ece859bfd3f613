"""How much of a checkpoint of one network fits another, by name and shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archspec.diff.changes import Facts

Shapes = Mapping[str, tuple[int, ...]]


class Checkpoint(NamedTuple):
    """The keys of two state dicts.

    Attributes:
        old: the keys and shapes of the first network.
        new: those of the second.
        fit: keys of the first with equal name and shape in the second.
        lost: the other keys of the first.
        fresh: the other keys of the second.
        reshaped: keys of both, with different shapes.
        other_layer: keys that fit, but belong to a different layer of the second.
        fit_renamed: keys of the first that fit under the name of their layer in the second.
    """

    old: Shapes
    new: Shapes
    fit: list[str]
    lost: list[str]
    fresh: list[str]
    reshaped: list[str]
    other_layer: list[str]
    fit_renamed: list[str]

    @property
    def share(self) -> float:
        """The fraction of the first's values that fits."""
        return _values(self.old, self.fit) / max(_values(self.old, self.old), 1)

    @property
    def fresh_share(self) -> float:
        """The fraction of the second's values that is newly initialized."""
        return _values(self.new, self.fresh) / max(_values(self.new, self.new), 1)


def checkpoint(facts: Facts) -> Checkpoint:
    """How much of a checkpoint of the first network fits the second."""
    old, new = facts.before.state, facts.after.state
    pairs = ((a, b) for a, b in facts.pairs if a.path != b.path)
    renamed = {a.path + end: b.path + end for a, b in pairs for end in a.saved}
    fit = {key: shape for key, shape in old.items() if new.get(key) == shape}
    return Checkpoint(
        old,
        new,
        fit=list(fit),
        lost=[key for key in old if key not in fit],
        fresh=[key for key in new if key not in fit],
        reshaped=[key for key in old if key not in fit and key in new],
        other_layer=[key for key in fit if renamed.get(key, key) != key],
        fit_renamed=[key for key in old if old[key] == new.get(renamed.get(key, key))],
    )


def _values(shapes: Shapes, keys: Iterable[str]) -> int:
    return sum(math.prod(shapes[key]) for key in keys)
