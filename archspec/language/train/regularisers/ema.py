"""Weights averaged over the steps, which are those evaluated and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from archspec.language.train.model import Share
from archspec.language.train.regularisers.base import Lines, Places, Regulariser

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim.swa_utils import get_ema_multi_avg_fn


class EMA(Regulariser):
    order = 120
    example = "ema: 0.99"
    elsewhere = {"model_ema": "ema"}

    ema: Share = Field(
        0.0,
        description="Decay a step of the averaged weights, which are then what is evaluated.",
    )

    def script(self, network: Places) -> Lines:
        if self.ema:
            yield "start", "average = copy.deepcopy(net)  # of the weights; it is what is evaluated"
            yield "evaluated", "average"
            yield "state", 'stateful["trained"] = net'
            decay = f'min({self.ema}, run["step"] / (run["step"] + 9))'
            yield "step", f"follow(average, net, {decay})"


def follow(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Move the running average of the weights and statistics towards the network."""
    old, new = (
        [tensor for tensor in m.state_dict().values() if tensor.is_floating_point()]
        for m in (average, net)
    )
    with torch.no_grad():
        get_ema_multi_avg_fn(decay)(old, new, 0)  # type: ignore[no-untyped-call]
