"""Frozen layers, and a separate learning rate for the last layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationInfo

from archspec.diagnostics import did_you_mean, plural, shown
from archspec.language.train.conflicts import Conflicts, check, conflict, epochs_of
from archspec.language.train.model import Factor, Takes
from archspec.language.train.places import is_in
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser, at

if TYPE_CHECKING:
    from torch import nn

WIDTH = 84  # of a line in a function of a script
EXAMPLE = "for example, `freeze: [stem, layer1]`"
FACTORS = "for example, `lr_factors: {stem: 0.1, layer1: 0.3}`"
Name = Annotated[str, Takes("the name of a layer or stage", EXAMPLE)]


def _ends_in_time(epochs: int, info: ValidationInfo) -> Conflicts:
    if epochs >= (whole := epochs_of(info)):
        message = f"the other layers never learn: training ends after {plural(whole, 'epoch')}"
        yield conflict(message, "warm up for fewer epochs, or train longer", "epochs", key=False)


class FineTuning(Regulariser):
    order = 140
    example = "freeze: [stem], head_lr: 2, head_warmup: 1, lr_factors: {first: 0.5}"
    elsewhere = {
        "frozen": "freeze",
        "freeze_layers": "freeze",
        "frozen_stages": "freeze",
        "lr_mult": "lr_factors",
    }

    freeze: Annotated[
        tuple[Name, ...],
        Field(strict=False, max_length=100),
        Takes("a list of up to 100 names of layers and stages", EXAMPLE),
    ] = Field(
        (),
        description=(
            "Layers and stages that keep their weights and statistics, by their names in the "
            "model file (`layer1`, `layer4.0`); `stem` is all layers of the spec's stem."
        ),
    )

    head_lr: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.0,
        description=(
            "The learning rate of the last linear layer, as a multiple of the learning rate of "
            "the others."
        ),
    )

    head_warmup: Annotated[int, Field(ge=0, le=100_000), check(_ends_in_time)] = Field(
        0,
        description=(
            "The number of epochs at the start in which only the last linear layer is trained "
            "(Kumar et al., 2022). Batch norms still adapt to the new data, unless they are frozen."
        ),
    )

    lr_factors: Annotated[
        dict[Name, Factor],
        Field(max_length=100),
        Takes("a mapping from up to 100 names of layers and stages to numbers above 0", FACTORS),
    ] = Field(
        {},
        description=(
            "Learning rates of layers and stages, as multiples of the others' learning rate. "
            "Names are as in `freeze`; a layer uses the factor of the longest matching name."
        ),
    )

    def idle(self, network: Places) -> Idles:
        for number, name in enumerate(self.freeze):
            yield from _unknown("freeze", name, number, network)
        for name in self.lr_factors:
            yield from _unknown("lr_factors", name, name, network)
        frozen = self.frozen_in(network)
        for name in self.lr_factors:
            paths = _paths(name, network)
            if paths and all(any(is_in(path, other) for other in frozen) for path in paths):
                yield Idle("lr_factors", f"`{shown(name)}` is frozen", below=(name,))
            elif self.head_lr and name == network.last_linear:
                yield Idle("lr_factors", f"`head_lr` sets the rate of `{name}`", below=(name,))
        for key in ("head_lr", "head_warmup"):
            if not getattr(self, key):
                continue
            if (last := network.last_linear) is None:
                yield Idle(key, f"`{key}` has no effect: the network has no linear layer")
            elif any(is_in(last, path) for path in frozen):
                yield Idle(key, f"`{key}` has no effect: its layer, `{last}`, is frozen")
        if frozen and all(any(is_in(layer, path) for path in frozen) for layer in network.layers):
            why = "every layer with weights is frozen, so there is nothing to train"
            yield Idle("freeze", why, "remove the last one")

    def script(self, network: Places) -> Lines:
        if frozen := self.frozen_in(network):
            if modules := [path for path in frozen if path not in network.constants]:
                yield from at("network", *_listed(modules), "freeze(net, frozen)")
                yield "row", "freeze(net, frozen)  # again, because evaluation calls net.train()"
            for path in frozen:
                if path in network.constants:
                    yield "network", f'net.get_parameter("{path}").requires_grad_(False)'
            yield "network", "trained = [p for p in net.parameters() if p.requires_grad]"
            yield "trained", "trained"
        factors = self._factors(network)
        for path, factor in factors:
            yield "start", f'scale_lr(optimizer.param_groups, net, "{path}", {factor!r})'
        if self.head_warmup:
            yield "start", f'head = "{network.last_linear}"'
            alone = f'run["step"] < {self.head_warmup} * an_epoch'
            yield "rate", f"factor_of(group, head, {alone})"
        elif factors:
            yield "rate", 'group.get("factor", 1.0)'

    def frozen_in(self, network: Places) -> list[str]:
        found = [path for name in self.freeze for path in _paths(name, network)]
        return [*dict.fromkeys(found)]

    def _factors(self, network: Places) -> list[tuple[str, float]]:
        """Longer paths come later, and the head last: the last factor of a layer applies."""
        found = [
            (path, factor)
            for name, factor in self.lr_factors.items()
            for path in _paths(name, network)
        ]
        found.sort(key=lambda item: item[0].count("."))
        if (head := network.last_linear) and (self.head_lr or self.head_warmup):
            factor = self.head_lr or self.lr_factors.get(head, 1.0)
            found.append((head, factor))
        return found


def _unknown(key: str, name: str, below: str | int, network: Places) -> Idles:
    """Report a name that the network does not have."""
    if not _paths(name, network):
        why = f"no layer with weights is named `{shown(name)}`"
        known = [layer.partition(".")[0] for layer in network.layers]
        stem = ["stem"] if network.stem else []
        yield Idle(key, why, did_you_mean(name, known + stem, "available"), (below,))


def _paths(name: str, network: Places) -> tuple[str, ...]:
    """The paths of a name; a layer named `stem` wins over the stem of the spec."""
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
    """Freeze the weights of parts and, through eval mode, their statistics."""
    for path in frozen:
        net.get_submodule(path).requires_grad_(False).eval()


def scale_lr(groups: list[Any], net: nn.Module, layer: str, factor: float) -> None:
    """Put a layer or stage in its own groups, with a multiple of the learning rate."""
    named = net.named_parameters()
    own = {p for name, p in named if f"{name}.".startswith(f"{layer}.")}
    for group in [*groups]:
        theirs = [p for p in group["params"] if p in own]
        group["params"] = [p for p in group["params"] if p not in own]
        if theirs:
            rated = {"params": theirs, "factor": factor, "layer": layer}
            groups.append({**group, **rated})
    groups[:] = [group for group in groups if group["params"]]


def factor_of(group: dict[str, Any], head: str, alone: bool) -> float:
    """A group's multiple of the learning rate: 0 while the head learns alone."""
    if alone and group.get("layer") != head:
        return 0.0
    return float(group.get("factor", 1.0))
