"""L1 regularization as a proximal step, so that zeros are exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from archspec.language.train.model import Strength
from archspec.language.train.regularisers.base import (
    KERNELS,
    Idle,
    Idles,
    Lines,
    Places,
    Regulariser,
    at,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional as F


class L1(Regulariser):
    order = 110
    example = "l1: 1.0e-2"

    l1: Strength = Field(
        0.0, description="Strength of L1 on the weights, as a proximal step: zeros are exact."
    )

    def idle(self, network: Places) -> Idles:
        if self.l1 and not network.kernels:
            yield Idle("l1", "`l1` acts on kernels and matrices, but the network has none")

    def script(self, network: Places) -> Lines:
        if self.l1:
            yield "once", KERNELS
            yield "weights", f"shrink(optimizer, {self.l1})"
            yield "column", "zeros"
            yield from at("row", "zeros = share_of_zeros(weights)", 'row["zeros"] = zeros')
            yield "shown", "zeros {zeros:.1%}"


def shrink(optimizer: torch.optim.Optimizer, strength: float) -> None:
    """L1's proximal step: move each weight toward zero by the step size times a strength."""
    with torch.no_grad():
        for group in optimizer.param_groups:
            for weight in group["params"]:
                if weight.ndim > 1:
                    weight.copy_(F.softshrink(weight, group["lr"] * strength))


def share_of_zeros(weights: Sequence[Tensor]) -> float:
    """The fraction of the weights that is zero."""
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    return zeros / sum(weight.numel() for weight in weights)
