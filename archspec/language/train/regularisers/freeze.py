"""Layers that stay as they are: weights without gradients, norms without new statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from archspec.diagnostics import did_you_mean, shown
from archspec.language.train.model import Takes
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser, at

if TYPE_CHECKING:
    from torch import nn

WIDTH = 84  # of a line in a function of a script
EXAMPLE = "write e.g. `freeze: [stem, layer1]`"
Name = Annotated[str, Takes("the name of a layer or stage", EXAMPLE)]


class Freeze(Regulariser):
    order = 140
    example = "freeze: [stem]"
    elsewhere = {"frozen": "freeze", "freeze_layers": "freeze", "frozen_stages": "freeze"}

    freeze: Annotated[
        tuple[Name, ...],
        Field(strict=False, max_length=100),
        Takes("a list of up to 100 names of layers and stages", EXAMPLE),
    ] = Field(
        (),
        description="Layers and stages that keep their weights and statistics, as the model file "
        "names them (`layer1`, `layer4.0`); `stem` is all that the spec's stem has.",
    )

    def idle(self, network: Places) -> Idles:
        for number, name in enumerate(self.freeze):
            if not _paths(name, network):
                why = f"the network has no layer with weights of the name `{shown(name)}`"
                known = [layer.partition(".")[0] for layer in network.layers]
                stem = ["stem"] if network.stem else []
                yield Idle("freeze", why, did_you_mean(name, known + stem, "it has"), (number,))
        frozen = self._frozen(network)
        if frozen and all(any(_is_in(layer, path) for path in frozen) for layer in network.layers):
            why = "every layer with weights is frozen, so there is nothing to train"
            yield Idle("freeze", why, "leave out the last one")

    def script(self, network: Places) -> Lines:
        if frozen := self._frozen(network):
            if modules := [path for path in frozen if path not in network.constants]:
                yield from at("network", *_listed(modules), "freeze(net, frozen)")
                yield "row", "freeze(net, frozen)  # as evaluation has set all to train"
            for path in frozen:
                if path in network.constants:
                    yield "network", f'net.get_parameter("{path}").requires_grad_(False)'
            yield "network", "trained = [p for p in net.parameters() if p.requires_grad]"
            yield "trained", "trained"

    def _frozen(self, network: Places) -> list[str]:
        found = [path for name in self.freeze for path in _paths(name, network)]
        return [*dict.fromkeys(found)]


def _paths(name: str, network: Places) -> tuple[str, ...]:
    """The paths that are meant; those of the network's layers come before `stem`."""
    if any(_is_in(layer, name) for layer in network.layers):
        return (name,)
    return network.stem if name == "stem" else ()


def _is_in(layer: str, path: str) -> bool:
    return f"{layer}.".startswith(f"{path}.")


def _listed(paths: Sequence[str]) -> list[str]:
    quoted = [f'"{path}"' for path in paths]
    flat = f"frozen = [{', '.join(quoted)}]"
    if len(flat) <= WIDTH:
        return [flat]
    return ["frozen = [", *(f"    {path}," for path in quoted), "]"]


def freeze(net: nn.Module, frozen: Sequence[str]) -> None:
    """Have parts keep their weights and, by the mode of evaluation, their statistics."""
    for path in frozen:
        net.get_submodule(path).requires_grad_(False).eval()
