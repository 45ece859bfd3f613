"""Several outputs of a network against the weights that a recipe gives them in the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from archspec.diagnostics import did_you_mean, shown
from archspec.ir.tree import ExpandedNetwork

USUAL = 0.3  # of an auxiliary head (Szegedy et al., 2015)


class Wrong(NamedTuple):
    """What is wrong, what to do, and where in the recipe."""

    message: str
    hint: str
    path: tuple[str, ...] = ("data",)
    key: bool = False


def wrong_weights(network: ExpandedNetwork, weights: Mapping[str, float]) -> Iterator[Wrong]:
    """Why these weights do not fit what the network gives while it trains."""
    trained = network.training or network.outputs
    judged = network.outputs[0] if network.outputs else ""
    if len(trained) < 2:
        if weights:
            message = "`loss_weights` is for several outputs, and training gives one"
            hint = "remove it, or name several in `outputs`"
            yield Wrong(message, hint, ("loss_weights",), True)
        return
    for name in weights:
        if name not in trained:
            message = f"training gives no output `{shown(name)}`"
            hint = did_you_mean(name, trained, "it gives")
            yield Wrong(message, hint, ("loss_weights", name), True)
    if judged not in trained:
        message = f"`{judged}` is what evaluation judges, and training does not give it"
        yield Wrong(message, f"write it in `outputs: {{training: [{judged}, ...]}}`")
    yield from _missing([name for name in trained if name != judged], weights)
    for name in trained:
        if (given := network.tensors[name].shape) != network.output:
            message = f"`{name}` gives {given} and `{judged}` {network.output} for one target"
            yield Wrong(message, "name outputs of one shape in `outputs`")


def _missing(others: list[str], weights: Mapping[str, float]) -> Iterator[Wrong]:
    missing = [f"`{name}`" for name in others if name not in weights]
    if not missing:
        return
    words = " and ".join(missing) + (" has" if len(missing) == 1 else " have")
    example = ", ".join(f"{name}: {weights.get(name, USUAL):g}" for name in others)
    path = ("loss_weights",) if weights else ("data",)
    hint = f"write e.g. `loss_weights: {{{example}}}`"
    yield Wrong(f"{words} no weight in the loss", hint, path)
