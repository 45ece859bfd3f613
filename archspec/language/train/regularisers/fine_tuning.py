"""Layers that stay as they are, and a last one that learns faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from archspec.diagnostics import did_you_mean, shown
from archspec.language.train.model import Takes
from archspec.language.train.regularisers.base import (
    Idle,
    Idles,
    Lines,
    Places,
    Regulariser,
    at,
    is_in,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

WIDTH = 84  # of a line in a function of a script
EXAMPLE = "write e.g. `freeze: [stem, layer1]`"
Name = Annotated[str, Takes("the name of a layer or stage", EXAMPLE)]


class FineTuning(Regulariser):
    order = 140
    example = "freeze: [stem], head_lr: 2"
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

    head_lr: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.0, description="The learning rate of the last linear layer, as a multiple of the others'."
    )

    def idle(self, network: Places) -> Idles:
        for number, name in enumerate(self.freeze):
            if not _paths(name, network):
                why = f"the network has no layer with weights of the name `{shown(name)}`"
                known = [layer.partition(".")[0] for layer in network.layers]
                stem = ["stem"] if network.stem else []
                yield Idle("freeze", why, did_you_mean(name, known + stem, "it has"), (number,))
        frozen, last = self._frozen(network), network.last_linear
        if self.head_lr and last is None:
            yield Idle("head_lr", "the network has no linear layer for `head_lr`")
        elif self.head_lr and any(is_in(f"{last}", path) for path in frozen):
            yield Idle("head_lr", f"`head_lr` is the rate of `{last}`, which is frozen")
        if frozen and all(any(is_in(layer, path) for path in frozen) for layer in network.layers):
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
        if self.head_lr:
            head = f'net.get_submodule("{network.last_linear}")'
            yield "start", f"speed_up(optimizer, {head}, {self.head_lr!r})"
            yield "rate", 'group.get("factor", 1.0)'

    def _frozen(self, network: Places) -> list[str]:
        found = [path for name in self.freeze for path in _paths(name, network)]
        return [*dict.fromkeys(found)]


def _paths(name: str, network: Places) -> tuple[str, ...]:
    """The paths that are meant; those of the network's layers come before `stem`."""
    if any(is_in(layer, name) for layer in network.layers):
        return (name,)
    return network.stem if name == "stem" else ()


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


def speed_up(optimizer: torch.optim.Optimizer, layer: nn.Module, factor: float) -> None:
    """Give a layer groups of its own, with a multiple of the learning rate."""
    own = set(layer.parameters())
    for group in [*optimizer.param_groups]:
        theirs = [p for p in group["params"] if p in own]
        group["params"] = [p for p in group["params"] if p not in own]
        if theirs:
            optimizer.add_param_group({**group, "params": theirs, "factor": factor})
    optimizer.param_groups[:] = [g for g in optimizer.param_groups if g["params"]]
