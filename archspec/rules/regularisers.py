"""AS3xx: regularizers of a recipe that have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import Diagnostic
from archspec.language.train import REGULARISERS
from archspec.language.train.places import Places
from archspec.rules.rule import rule
from archspec.rules.training import place_of
from archspec.rules.view import View


@rule("AS309", "idle-regulariser", "error")
def idle_regulariser(view: View) -> Iterator[Diagnostic]:
    """A regularizer in the recipe has nothing to act on.

    Training with it is the same as training without it, so a comparison would compare two equal
    runs.

    Bad:

        stem: [{conv: 64}, norm, act, {conv: 10}, global_avg_pool, flatten]
        train: {data: synthetic, epochs: 5, batch_size: 256, lr: 0.1, dropout: 0.2}

    Good:

        stem: [{conv: 64}, norm, act, global_avg_pool, flatten, {linear: 10}]
        train: {data: synthetic, epochs: 5, batch_size: 256, lr: 0.1, dropout: 0.2}

    `dropout` acts on the input of the last linear layer outside gates and shortcuts,
    `stochastic_depth` on residual blocks that have no `drop_path` and end in a layer of their own,
    `activations` of `noise` on the output of each stage, `augment` and `cutmix` on images, and
    `weight_decay` (without `decay_all`) and `l1` on kernels and matrices. `freeze` takes names of
    layers with weights, and must leave at least one; `head_lr` acts on a last linear layer that is
    trained.
    """
    train = view.spec.train
    if train is None:
        return
    network = Places(view.network)
    for regulariser in REGULARISERS:
        for idle in regulariser.idle(train, network):
            span = place_of(view, idle.key, *idle.below, key=True)
            yield view.finding("idle-regulariser", idle.why, span, idle.hint)
