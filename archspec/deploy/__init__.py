"""The network for inference: passes over the expanded tree, and their source.

Each pass is a function from network to network; its change of one container (a used block, a
sequence) is a separate function. The passes run before `classes`, so that classes, printer, and
analysis see an ordinary network with fewer layers. `Child.terms` records the training layers of a
layer, so that the source can compute its weight from the keys of a checkpoint.

rewrite   a change of one container, applied to all
prune     removes layers that inference does not need, and containers with one layer
norms     folds a batch norm into the layer before it
branches  merges parallel convolutions
fuse      fuses sums and activations into a convolution, as oneDNN runs them
ops       the fused op
kept      batch norms that are not folded, and why
keys      which training keys become which inference keys
source    the file
"""

from __future__ import annotations

from functools import reduce

from archspec.deploy.branches import merge_branches
from archspec.deploy.fuse import fuse_activations, fuse_convolutions, fuse_sums
from archspec.deploy.norms import fold_norms
from archspec.deploy.prune import drop_nothing, evaluate, inline_rows, unstarted
from archspec.deploy.rewrite import Change, rewritten
from archspec.ir.tree import ExpandedNetwork

FOLDS: tuple[Change, ...] = (
    unstarted,
    drop_nothing,
    fold_norms,
    inline_rows,
    merge_branches,
    inline_rows,
)
FUSIONS: tuple[Change, ...] = (fuse_convolutions, fuse_sums, fuse_activations, inline_rows)


def for_inference(network: ExpandedNetwork, plain: bool = False) -> ExpandedNetwork:
    """The network with every pass applied; with `plain`, it has torch's own layers only."""
    return reduce(rewritten, FOLDS if plain else FOLDS + FUSIONS, evaluate(network))
