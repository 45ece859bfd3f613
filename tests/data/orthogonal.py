"""Kernels whose rows are kept orthonormal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationInfo

from archspec.language.train.conflicts import Conflicts, check, conflict, remove
from archspec.language.train.model import Strength
from archspec.language.train.regularisers.base import (
    KERNELS,
    Idle,
    Idles,
    Lines,
    Places,
    Regulariser,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def _keeps_lengths(strength: float, info: ValidationInfo) -> Conflicts:
    if strength and info.data.get("weight_decay"):
        message = "`orthogonal` keeps rows at length 1, and `weight_decay` shrinks them"
        yield conflict(message, remove("orthogonal"), "weight_decay")


class Orthogonal(Regulariser):
    example = "orthogonal: 1.0e-4"
    elsewhere = {"ortho": "orthogonal"}

    orthogonal: Annotated[Strength, check(_keeps_lengths)] = Field(
        0.0, description="Strength with which rows are kept orthonormal (Brock et al., 2017)."
    )

    def idle(self, network: Places) -> Idles:
        if self.orthogonal and not network.kernels:
            yield Idle("orthogonal", "`orthogonal` acts on kernels, and the network has none")

    def script(self, network: Places) -> Lines:
        if self.orthogonal:
            yield "once", KERNELS
            yield "loss", f"loss = loss + {self.orthogonal} * overlap(weights)"


def overlap(weights: Sequence[Tensor]) -> Tensor:
    """How far rows are from orthonormal, summed over the weights (Brock et al., 2017)."""
    rows = [weight.flatten(1) for weight in weights]
    gaps = [r @ r.T - torch.eye(len(r), device=r.device) for r in rows]
    return torch.stack([gap.square().sum() for gap in gaps]).sum()
