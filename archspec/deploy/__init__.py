"""The network as it runs in inference: passes over the expanded tree, and their source.

Each pass is a function from network to network; what it changes in one container (a block in use,
a sequence) is a function of its own. They come ahead of `classes`, so that classes, printer and
analysis see an ordinary network with fewer layers. A layer remembers in `Child.terms` what it was
in training, and so the source can say which keys of a checkpoint become its weight.

rewrite   a change of one container, applied to all
prune     what inference does not need; blocks and sequences with one layer left
norms     a batch norm in the layer ahead of it
branches  convolutions side by side as one
fuse      sums and activations in a convolution, as oneDNN runs them
ops       the op that does that
kept      batch norms that are not folded, and why
keys      which keys of training become which of inference
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
