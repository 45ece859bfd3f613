"""Spec -> IR.

scope      what an expression sees
slots      the arguments of an op
elaborate  the network opened: stem, stages, head
layers     layers opened one after the other, with shapes
blocks     each use of a block opened
combinators  sums, gates, branches opened
naming     attribute names
outputs    features out of the middle: the network up to the last one asked for
places     from the path of a layer to the lines where it is written
regularised  where the regularisers of a recipe act
classes    which uses become one class
build      one class from its uses: numbers that differ become parameters
printed    constructions compared and changed
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from archspec.ir import Shape
from archspec.language import Spec
from archspec.lower.elaborate import Opened, open_network
from archspec.lower.model import Definition

if TYPE_CHECKING:
    from archspec.ir import Network


def lower(spec: Spec, outputs: Sequence[str] | None = None) -> Network:
    """The network of a checked spec, as classes; raises `SpecError`.

    With `outputs` its result is what leaves these attributes, and layers after the last of
    them are not there.
    """
    return network_of(spec, open_network(spec), outputs)


def network_of(spec: Spec, opened: Opened, outputs: Sequence[str] | None = None) -> Network:
    """The same for a spec that has been opened."""
    from archspec.helpers import HELPERS  # lint opens networks, and makes no classes
    from archspec.ir import Network
    from archspec.lower.classes import classes_of
    from archspec.lower.outputs import collect
    from archspec.lower.places import places_of

    root = opened.root
    cut = () if outputs is None else collect(root, outputs)
    for name, value in opened.symbolic.items():
        root.definitions[name] = Definition(value.number, given=True)
    classes = classes_of(root, HELPERS)
    return Network(
        spec.name,
        classes[-1],
        classes,
        Shape(spec.input[0], tuple(spec.input[1:])),
        doc=spec.doc,
        init=spec.init,
        stages=tuple(key for key, stage in spec.stages.items() if stage.blocks),
        outputs=tuple(outputs or ()),
        cut=cut,
        place=partial(places_of, root),
    )


__all__ = ["Opened", "lower", "network_of", "open_network"]
