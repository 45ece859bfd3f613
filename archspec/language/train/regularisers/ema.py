"""Weights averaged over the steps, which are those evaluated and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationInfo

from archspec.language.train.conflicts import Conflicts, check, conflict, count, epochs_of
from archspec.language.train.model import Share
from archspec.language.train.regularisers.base import Lines, Places, Regulariser

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim.swa_utils import get_ema_multi_avg_fn


Count = Annotated[int, Field(ge=0, le=100_000)]


def _has_ema(value: int, info: ValidationInfo) -> Conflicts:
    if value and not info.data.get("ema", True):
        message = f"`{info.field_name}` says how weights are averaged, and they are not"
        yield conflict(message, "write e.g. `ema: 0.999`, or remove it", "ema")


def _begins_in_time(epoch: int, info: ValidationInfo) -> Conflicts:
    if epoch >= (epochs := epochs_of(info)):
        message = f"epoch {epoch} is never begun: training ends after {count(epochs)}"
        yield conflict(message, "average earlier, or train for longer", "epochs", key=False)


class EMA(Regulariser):
    order = 120
    example = "ema: 0.99, ema_every: 3, ema_from: 1"
    elsewhere = {"model_ema": "ema", "model_ema_decay": "ema", "model_ema_steps": "ema_every"}

    ema: Share = Field(
        0.0,
        description="Decay of the averaged weights, which are then what is evaluated.",
    )
    ema_every: Annotated[Count, check(_has_ema)] = Field(
        0, description="Steps from one look at the weights to the next, counted in each epoch."
    )
    ema_from: Annotated[Count, check(_has_ema), check(_begins_in_time)] = Field(
        0,
        description="Epochs after which they are averaged; until then the last ones are taken, "
        "and the decay is constant. Without it the decay rises with the steps.",
    )

    def script(self, network: Places) -> Lines:
        if not self.ema:
            return
        yield "start", "average = copy.deepcopy(net)  # of the weights; it is what is evaluated"
        yield "evaluated", "average"
        yield "state", 'stateful["trained"] = net'
        decay, indent = f'min({self.ema}, run["step"] / (run["step"] + 9))', ""
        if self.ema_every > 1:
            begun = f'if (run["step"] - 1) % an_epoch % {self.ema_every} == 0:'
            yield "step", f"{begun}  # from an epoch's first step"
            indent = "    "
        if self.ema_from:
            begun = f'run["step"] > {self.ema_from} * an_epoch + 1'
            yield "step", f"{indent}decay = {self.ema} if {begun} else 0.0"
            decay = "decay"
        yield "step", f"{indent}follow(average, net, {decay})"


def follow(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Move the running average of the weights and statistics towards the network."""
    old, new = (
        [tensor for tensor in m.state_dict().values() if tensor.is_floating_point()]
        for m in (average, net)
    )
    with torch.no_grad():
        get_ema_multi_avg_fn(decay)(old, new, 0)  # type: ignore[no-untyped-call]
