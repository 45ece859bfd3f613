"""An average of the weights over the steps, which is evaluated and saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationInfo

from archspec.diagnostics import plural
from archspec.language.train.conflicts import Conflicts, check, conflict, epochs_of
from archspec.language.train.model import Share
from archspec.language.train.regularisers.base import Lines, Places, Regulariser

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim.swa_utils import get_ema_multi_avg_fn


Count = Annotated[int, Field(ge=0, le=100_000)]


def _has_ema(value: int, info: ValidationInfo) -> Conflicts:
    if value and not info.data.get("ema", True):
        message = f"`{info.field_name}` requires a nonzero `ema`"
        yield conflict(message, "for example, `ema: 0.999`, or remove it", "ema")


def _begins_in_time(epoch: int, info: ValidationInfo) -> Conflicts:
    if epoch >= (epochs := epochs_of(info)):
        message = f"epoch {epoch} is never reached: training ends after {plural(epochs, 'epoch')}"
        yield conflict(message, "start averaging earlier, or train for longer", "epochs", key=False)


class EMA(Regulariser):
    order = 120
    example = "ema: 0.99, ema_every: 3, ema_from: 1"
    elsewhere = {"model_ema": "ema", "model_ema_decay": "ema", "model_ema_steps": "ema_every"}

    ema: Share = Field(
        0.0,
        description=(
            "The decay of the averaged weights, which are then evaluated instead of the last ones."
        ),
    )
    ema_every: Annotated[Count, check(_has_ema)] = Field(
        0, description="Steps between updates of the average, counted in each epoch."
    )
    ema_from: Annotated[Count, check(_has_ema), check(_begins_in_time)] = Field(
        0,
        description=(
            "The number of epochs before averaging starts; until then the current weights are "
            "used, and the decay is constant. By default the decay rises with the steps."
        ),
    )

    def script(self, network: Places) -> Lines:
        if not self.ema:
            return
        yield "start", "average = copy.deepcopy(net)  # of the weights; evaluated in place of net"
        yield "evaluated", "average"
        yield "state", 'stateful["trained"] = net'
        decay, indent = f'min({self.ema}, run["step"] / (run["step"] + 9))', ""
        if self.ema_every > 1:
            begun = f'if (run["step"] - 1) % an_epoch % {self.ema_every} == 0:'
            yield "step", f"{begun}  # from the first step of an epoch"
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
