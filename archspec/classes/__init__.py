"""Expanded network -> the classes that one would write by hand.

table    which uses of blocks become one class
merging  uses that differ in a layer or two, with the conditions for these
held     uses in which nn.Identity stands for a layer
wholes   the use that has them all
runs     layers of a sequence that are one layer, repeated
repeats  its loop
loops    rows of one block that a loop makes
turns    its layers
own      modules of the user's own
containers  layers with dots in their names
expressions  layers that `forward` writes out
sequences  sequences of layers that are one class
patterns  what these have in common
naming   what the classes of one block are called
builder  one class from its uses: its layers
sizes    its sizes: numbers that differ become parameters
printed  constructions compared and changed
places   from the path of a layer to the lines where it is written
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from archspec.classes.builder import class_of
from archspec.classes.places import places_of
from archspec.classes.sequences import shared
from archspec.classes.table import ClassTable
from archspec.expand import expand_network
from archspec.helpers import HELPERS, NEVER_A_CLASS
from archspec.ir import Network
from archspec.ir.tree import BlockInstance, Definition, ExpandedNetwork
from archspec.language import Spec
from archspec.language.lines import Lines
from archspec.memo import Memo


def classes(
    spec: Spec, outputs: Sequence[str] | None = None, *, memo: Memo | None = None
) -> Network:
    """The network of a spec that was loaded, as classes; raises `SpecError`.

    With `outputs` its result is the tensors of these names, and layers that lead to none of them
    are not there.
    """
    return classes_of(expand_network(spec, outputs, memo=memo), spec)


def classes_of(network: ExpandedNetwork, spec: Spec) -> Network:
    """The classes of a network, each before those that use it; the network itself is last."""
    symbolic = {name: Definition(v.number, given=True) for name, v in network.symbolic.items()}
    root: BlockInstance = replace(
        network.root, definitions={**network.root.definitions, **symbolic}
    )
    table = _table(replace(network, root=root))
    made = shared(table.classes, table.taken)
    return Network(
        spec.name,
        made[-1],
        tuple(made),
        network.input,
        doc=spec.doc,
        stages=network.stages,
        cut=network.cut,
        place=partial(places_of, network, Lines(spec.document, spec.library)),
        tree=network,
        uses={use: g.cls.name for g in table.groups.values() if g.cls for use in g.instances},
    )


def _table(network: ExpandedNetwork) -> ClassTable:
    """The classes; rows that turn out to be no loops are written out in the next pass."""
    written: frozenset[BlockInstance] = frozenset()
    while True:
        table = ClassTable(network, {*HELPERS, *NEVER_A_CLASS}, written)
        class_of(table, network.root)
        if not table.irregular:
            return table
        written |= table.irregular


__all__ = ["classes", "classes_of"]
