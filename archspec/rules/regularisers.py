"""AS3xx: regularisers of a recipe that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archspec.diagnostics import Diagnostic
from archspec.rules.rule import rule
from archspec.rules.training import said

if TYPE_CHECKING:
    from archspec.ir import Body
    from archspec.lower.model import Instance, Step
    from archspec.rules.view import View
    from archspec.spec.train import Train


@rule("AS309", "idle-regulariser", "error")
def idle_regulariser(view: View) -> Iterator[Diagnostic]:
    """A regulariser of the recipe has nothing in the network to act on.

    Training would be the same without it, and its author would compare two equal runs.

    Bad:

        stem: [{conv: 64}, norm, act, {conv: 10}, global_avg_pool, flatten]
        train: {data: synthetic, epochs: 5, batch_size: 256, lr: 0.1, dropout: 0.2}

    Good:

        stem: [{conv: 64}, norm, act, global_avg_pool, flatten, {linear: 10}]
        train: {data: synthetic, epochs: 5, batch_size: 256, lr: 0.1, dropout: 0.2}

    `dropout` acts on what enters the last linear layer, `stochastic_depth` on residual blocks that
    have no `drop_path` of their own, `noise` of `activations` on what leaves each stage, `augment`
    and `cutmix` on images.
    """
    train = view.spec.train
    if train is None:
        return
    for path, why, hint in _idle(view, train):
        yield view.finding("idle-regulariser", why, said(view, *path, key=True), hint)


def _idle(view: View, train: Train) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Each regulariser that is on and idle: where it stands, why, and what to do."""
    gone = "remove it"
    if train.dropout and not any(_scores(step) for step in view.steps):
        yield ("dropout",), "the network has no linear layer for `dropout`", gone
    if train.stochastic_depth:
        if any(map(_drops, view.instances)):
            why = "the network drops residuals already: it has a `drop_path`"
            yield ("stochastic_depth",), why, "remove one of the two"
        elif not any(_adds(instance.body) for instance in view.instances):
            why = "the network has no residual block for `stochastic_depth`"
            yield ("stochastic_depth",), why, gone
    if train.noise.activations and not any(stage.blocks for stage in view.spec.stages.values()):
        why = "the network has no stages, which `activations` would leave"
        yield ("noise", "activations"), why, gone
    if len(view.spec.input) != 3:
        for key, on in (
            ("augment", train.augment != type(train.augment)()),
            ("cutmix", train.cutmix),
        ):
            if on:
                yield (key,), f"`{key}` changes images, and the input is {view.spec.input}", gone


def _scores(step: Step) -> bool:
    return step.op.key == "linear" and not step.role


def _drops(instance: Instance) -> bool:
    """Whether it drops residuals at a rate above 0."""
    from archspec.lower.model import OpUse
    from archspec.lower.slots import number_of

    uses = [item.made for item in instance.items if isinstance(item.made, OpUse)]
    return any(number_of(use.slots["p"]) for use in uses if use.op.key == "stochastic_depth")


def _adds(body: Body | None) -> bool:
    """Whether a sum is in it: a residual, or what comes to the same."""
    from archspec.ir import Add, Apply, Chain, Collect, Unsqueeze

    match body:
        case Add():
            return True
        case None | Apply() | Unsqueeze():
            return False
        case Chain(steps=parts):
            return any(map(_adds, parts))
        case Collect(parts=named):
            return any(_adds(part) for _, part in named)
    return any(map(_adds, body.branches))
