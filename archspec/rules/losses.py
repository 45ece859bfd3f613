"""The outputs of a network, compared with their weights in the loss of a recipe."""

from collections.abc import Iterator, Mapping

from archspec.diagnostics import did_you_mean, shown
from archspec.ir.tree import ExpandedNetwork
from archspec.records import Record

USUAL = 0.3  # of an auxiliary head (Szegedy et al., 2015)


class Wrong(Record):
    """The problem, the hint, and the path in the recipe."""

    message: str
    hint: str
    path: tuple[str, ...] = ("data",)
    key: bool = False


def wrong_weights(network: ExpandedNetwork, weights: Mapping[str, float]) -> Iterator[Wrong]:
    """Why these weights do not match the network's outputs in training."""
    trained = network.training or network.outputs
    judged = network.outputs[0] if network.outputs else ""
    if len(trained) < 2:
        if weights:
            message = "`loss_weights` requires several outputs, but the network has one in training"
            hint = "remove it, or name several outputs in `outputs`"
            yield Wrong(message, hint, ("loss_weights",), True)
        return
    for name in weights:
        if name not in trained:
            message = f"there is no output `{shown(name)}` in training"
            hint = did_you_mean(name, trained, "available")
            yield Wrong(message, hint, ("loss_weights", name), True)
    if judged not in trained:
        message = f"evaluation uses the output `{judged}`, which is not available in training"
        yield Wrong(
            message, f"add it to the training outputs: `outputs: {{training: [{judged}, ...]}}`"
        )
    yield from _missing([name for name in trained if name != judged], weights)
    for name in trained:
        if (given := network.tensors[name].shape) != network.output:
            message = (
                f"`{name}` has the shape {given} and `{judged}` the shape {network.output}, but "
                "they share one target"
            )
            yield Wrong(message, "use outputs with the same shape in `outputs`")


def _missing(others: list[str], weights: Mapping[str, float]) -> Iterator[Wrong]:
    missing = [f"`{name}`" for name in others if name not in weights]
    if not missing:
        return
    words = " and ".join(missing) + (" has" if len(missing) == 1 else " have")
    example = ", ".join(f"{name}: {weights.get(name, USUAL):g}" for name in others)
    path = ("loss_weights",) if weights else ("data",)
    hint = f"for example, `loss_weights: {{{example}}}`"
    yield Wrong(f"{words} no weight in the loss", hint, path)
