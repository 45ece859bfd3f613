"""The classes that one would write by hand, as data.

A `Class` has parameters, layers and a body; a layer is a `New` (a class or an op, with
arguments); a body says what `forward` computes. Sizes are formulas in the class's own names.
Every reader is a fold over this: `call` says how a layer is constructed, `run` what a
forward computes. Both know no op by name.

ops           what an op is; shapes
classes       Class, New, Layer, Network
bodies        what a forward computes, and `run`; where in it training acts
construction  `call`, and what sizes come to
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archspec.ir.bodies import (
    Add,
    Apply,
    Body,
    Chain,
    Collect,
    Concat,
    Multiply,
    Reader,
    Split,
    Unsqueeze,
    X,
    applied,
    on_main_path,
    residual_ends,
    run,
)
from archspec.ir.ops import (
    Argument,
    Field,
    Kind,
    Op,
    OpField,
    Shape,
    ShapeError,
    Sizes,
    argument,
    each,
    fields_of,
    op,
)

if TYPE_CHECKING:
    from archspec.ir.classes import Class as Class
    from archspec.ir.classes import Layer as Layer
    from archspec.ir.classes import Local as Local
    from archspec.ir.classes import Network as Network
    from archspec.ir.classes import New as New
    from archspec.ir.classes import Parameter as Parameter
    from archspec.ir.classes import Repeat as Repeat
    from archspec.ir.classes import Sequential as Sequential
    from archspec.ir.construction import Call as Call
    from archspec.ir.construction import call as call
    from archspec.ir.construction import children as children
    from archspec.ir.construction import number as number
    from archspec.ir.construction import numbers as numbers

_CLASSES = ("Class", "Layer", "Local", "Network", "New", "Parameter", "Repeat", "Sequential")
_CONSTRUCTION = ("Call", "call", "children", "number", "numbers")


def __getattr__(name: str) -> Any:
    """Classes and their construction, imported on first use: lint makes none."""
    if name in _CLASSES:
        from archspec.ir import classes

        return getattr(classes, name)
    if name in _CONSTRUCTION:
        from archspec.ir import construction

        return getattr(construction, name)
    raise AttributeError(f"module 'archspec.ir' has no attribute {name!r}")


__all__ = [
    "Add",
    "Apply",
    "Argument",
    "Body",
    "Call",
    "Chain",
    "Class",
    "Collect",
    "Concat",
    "Field",
    "Kind",
    "Layer",
    "Local",
    "Multiply",
    "Network",
    "New",
    "Op",
    "OpField",
    "Parameter",
    "Reader",
    "Repeat",
    "Sequential",
    "Shape",
    "ShapeError",
    "Sizes",
    "Split",
    "Unsqueeze",
    "X",
    "applied",
    "argument",
    "call",
    "children",
    "each",
    "fields_of",
    "number",
    "numbers",
    "on_main_path",
    "op",
    "residual_ends",
    "run",
]
