"""Where in an expanded network regularizers could act; used by lint and the training script."""

from __future__ import annotations

from archspec.ir.tree import ExpandedNetwork
from archspec.ir.visitor import Ending, Visit, on_way, visits
from archspec.language.train.regularisers import Places
from archspec.language.train.regularisers.base import is_in


def places_of(network: ExpandedNetwork) -> Places:
    """The parts of the network that regularizers can act on."""
    way = list(on_way(network))
    layers = [part for part in way if isinstance(part, Visit)]
    linear = [visit.path for visit in layers if visit.site.op.key == "linear"]
    every = [(visit.path, visit.site.op) for visit in visits(network)]
    saved = {path: names for path, op in every if (names := op.saved(path))}
    stem = (c.attribute for c in network.root.attributes if c.at and c.at.path[:1] == ("stem",))
    return Places(
        network.input.sizes,
        network.stages,
        linear[-1] if linear else None,
        tuple((end.block, end.path) for end in way if isinstance(end, Ending)),
        bool(network.drops),
        any(len(shape) > 1 for _, op in every for shape in op.weights().values()),
        tuple(saved),
        frozenset(path for path, names in saved.items() if path in names),
        tuple(name for name in stem if any(is_in(path, name) for path in saved)),
    )
