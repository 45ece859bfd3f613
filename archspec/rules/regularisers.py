"""AS3xx: regularisers of a recipe that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archspec.diagnostics import Diagnostic
from archspec.rules.rule import rule
from archspec.rules.training import said

if TYPE_CHECKING:
    from archspec.language.train import Train
    from archspec.rules.view import View


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

    `dropout` acts on what enters the last linear layer that is in no gate and no shortcut,
    `stochastic_depth` on residual blocks that have no `drop_path` and end in a layer of their own,
    `noise` of `activations` on what leaves each stage, `augment` and `cutmix` on images,
    `weight_decay` (without `decay_all`) and `l1` on kernels and matrices.
    """
    train = view.spec.train
    if train is None:
        return
    for path, why, hint in _idle(view, train):
        yield view.finding("idle-regulariser", why, said(view, *path, key=True), hint)


def _idle(view: View, train: Train) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Each regulariser that is on and idle: where it stands, why, and what to do."""
    from archspec.lower.regularised import has_linear

    gone = "remove it"
    if train.dropout and not has_linear(view.opened.root):
        yield ("dropout",), "the network has no linear layer for `dropout`", gone
    if train.stochastic_depth:
        yield from _of_depth(view)
    if not any(_is_kernel(shape) for shape in view.weights):
        for name, on in (("l1", train.l1), ("weight_decay", train.weight_decay)):
            if on and not (name == "weight_decay" and train.decay_all):
                why = f"`{name}` acts on kernels and matrices, and the network has none"
                yield (name,), why, gone
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


def _is_kernel(shape: tuple[int, ...]) -> bool:
    """As scripts tell kernels and matrices from biases and norms."""
    return len(shape) > 1


def _of_depth(view: View) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Why there is nothing to drop at random, something that is dropped already, or no place."""
    from archspec.lower.regularised import residuals

    path = ("stochastic_depth",)
    found = list(residuals(view.opened.root))
    without = [block for block, end in found if end is None]
    if _drops(view):
        why = "the network drops residuals already: it has a `drop_path`"
        yield path, why, "remove one of the two"
    elif not found:
        yield path, "the network has no residual block for `stochastic_depth`", "remove it"
    elif without:
        where = f"of `{without[0]}`" if without[0] else "of the network"
        why = f"a residual {where} ends in no layer of its own, which `stochastic_depth` would drop"
        yield path, why, "end its body in a convolution, a norm or a block, or remove it"


def _drops(view: View) -> bool:
    """Whether the network drops residuals at a rate above 0."""
    from archspec.lower.regularised import rates

    return any(rate for instance in view.instances for rate in rates(instance))
