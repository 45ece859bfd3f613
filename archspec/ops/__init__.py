"""Every primitive layer, defined once.

An op is named after its `torch.nn` class and has that constructor's parameters, with torch's
names and defaults; the language's short names and own defaults are next to them. A class adds
the output shape, weights, and multiply-adds. To add an op, add a class to its family.

windows       windows that slide over an image
convolutions  layers that multiply and add
rectifiers    activations that keep x where it is large
sequences     attention and recurrent layers, over positions with channels last
constants     learned constants, which read no input
reductions    means and maxima over one dimension
pools, resizing, norms, activations, gates, dropouts, others

`arriving` has checks of the input shape.
"""

from archspec.ir import Op
from archspec.ops import (
    activations,
    constants,
    convolutions,
    dropouts,
    gates,
    norms,
    others,
    pools,
    rectifiers,
    reductions,
    resizing,
    sequences,
)

FAMILIES = (
    convolutions,
    pools,
    reductions,
    resizing,
    norms,
    rectifiers,
    activations,
    gates,
    dropouts,
    sequences,
    constants,
    others,
)


_PLACES = {family.__name__: place for place, family in enumerate(FAMILIES)}


def _family(op: type[Op]) -> int:
    return _PLACES[op.__module__]


def _concrete(op: type[Op]) -> list[type[Op]]:
    below = [leaf for child in op.__subclasses__() for leaf in _concrete(child)]
    return below or [op]


def _ours(op: type[Op]) -> bool:
    return op.__module__.startswith(__name__)


OPS: dict[str, type[Op]] = {op.key: op for op in sorted(filter(_ours, _concrete(Op)), key=_family)}

__all__ = ["OPS"]
