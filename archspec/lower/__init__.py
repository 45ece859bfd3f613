"""Spec -> IR.

scope      what an expression sees
slots      the arguments of an op
elaborate  the network opened: stem, stages, head
layers     layers opened one after the other, with shapes
blocks     each use of a block opened
combinators  sums, gates, branches opened
naming     attribute names
classes    which uses become one class
build      one class from its uses: numbers that differ become parameters
printed    constructions compared and changed
"""

from __future__ import annotations

from archspec.helpers import HELPERS
from archspec.ir import Network, Shape
from archspec.lower.classes import classes_of
from archspec.lower.elaborate import open_network
from archspec.lower.model import Definition
from archspec.spec import Spec


def lower(spec: Spec) -> Network:
    """The network of a checked spec, as classes; raises `SpecError`."""
    opened = open_network(spec)
    root = opened.root
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
    )


__all__ = ["lower"]
