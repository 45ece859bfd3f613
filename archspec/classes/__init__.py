"""Expanded network -> the classes you would write by hand.

table    which uses of blocks become one class
merging  uses that differ in one or two layers, with the conditions for these layers
held     uses in which nn.Identity replaces a layer
wholes   the use that has all layers
runs     layers of a sequence that are one repeated layer
repeats  the loop for such a run
loops    stages of one block that a loop makes
turns    the layers of such a loop
own      the user's own modules
containers  layers with dots in their names
expressions  layers that `forward` computes without a module
sequences  sequences of layers that are one class, or none
patterns  what such sequences share
naming   the names of the classes of a block
builder  one class from its uses: its layers
sizes    its sizes: numbers that differ become parameters
printed  constructions, compared and changed
places   from the path of a layer to its lines
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from archspec.classes.builder import class_of
from archspec.classes.places import places_of
from archspec.classes.sequences import shared
from archspec.classes.table import ClassTable
from archspec.expand import expand_network
from archspec.expand.context import items
from archspec.helpers import HELPERS, NEVER_A_CLASS
from archspec.ir.classes import Network
from archspec.ir.tree import BlockInstance, Definition, ExpandedNetwork
from archspec.language import Spec
from archspec.language.lines import Lines
from archspec.memo import Memo, frozen, remember


def classes(
    spec: Spec, outputs: Sequence[str] | None = None, *, memo: Memo | None = None
) -> Network:
    """The network of a loaded spec, as classes; raises `SpecError`.

    With `outputs`, its result is the tensors with these names, without the layers that none of them
    depends on.
    """
    blocks = items(spec.library.known())
    names = None if outputs is None else tuple(outputs)
    return _placed(_shared(frozen(spec.data), blocks, names, memo=memo, spec=spec), spec)


def classes_of(network: ExpandedNetwork, spec: Spec) -> Network:
    """The classes of a network, each before the classes that use it; the network itself is last."""
    return _placed(_made(network, spec), spec)


@remember
def _shared(data: Any, blocks: Any, outputs: Any, *, memo: Memo | None, spec: Spec) -> Network:
    """The classes of every spec with this data and these blocks, without the lines of any."""
    return _made(expand_network(spec, outputs, memo=memo), spec)


def _placed(network: Network, spec: Spec) -> Network:
    lines = Lines(spec.document, spec.library)
    return replace(network, place=partial(places_of, network.tree, lines))


def _made(network: ExpandedNetwork, spec: Spec) -> Network:
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
        tree=network,
        uses={use: g.cls.name for g in table.groups.values() if g.cls for use in g.instances},
    )


def _table(network: ExpandedNetwork) -> ClassTable:
    """The classes; stages that turn out not to be loops are written out in the next pass."""
    written: frozenset[BlockInstance] = frozenset()
    while True:
        table = ClassTable(network, {*HELPERS, *NEVER_A_CLASS}, written)
        class_of(table, network.root)
        if not table.irregular:
            return table
        written |= table.irregular


__all__ = ["classes", "classes_of"]
