"""Where in an expanded network regularisers could act: lint and the training script both ask."""

from __future__ import annotations

from archspec.ir.tree import ExpandedNetwork
from archspec.ir.visitor import Ending, Visit, on_way, visits
from archspec.language.train.regularisers import Places


def places_of(network: ExpandedNetwork) -> Places:
    """What the network has for regularisers to act on."""
    way = list(on_way(network))
    layers = [part for part in way if isinstance(part, Visit)]
    linear = [visit.path for visit in layers if visit.site.op.key == "linear"]
    weights = (shape for visit in visits(network) for shape in visit.site.op.weights().values())
    return Places(
        network.input.sizes,
        network.stages,
        linear[-1] if linear else None,
        tuple((end.block, end.path) for end in way if isinstance(end, Ending)),
        bool(network.drops),
        any(len(shape) > 1 for shape in weights),
    )
