"""A package of the user's own: the class that drawn and hostile specs import."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from archspec.ir.classes import Network
from archspec.ir.construction import imported

PATH = "support.own.Scaled"
BLOCK: dict[str, Any] = {
    "import": PATH,
    "args": {"by": 2},
    "call": {"dim": "in_channels", "factor": "by / 4", "sizes": ["by", 1], "flat": False},
    "like": "identity",
    "params": "in_channels",
}


PATH_OF_MIXED = "support.own.Mixed"
TWO: dict[str, Any] = {
    "import": PATH_OF_MIXED,
    "inputs": ["skip"],
    "outputs": ["mixed", "both"],
    "call": {"dim": "channels", "how": {"text": "sum"}},
    "like": [{"save": "mixed"}, {"concat": [[], {"from": "skip"}], "save": "both"}],
    "params": "channels",
}


class Scaled(nn.Module):
    """Each channel by a learned number."""

    def __init__(self, dim: int, factor: float, sizes: tuple[int, int], flat: bool) -> None:
        super().__init__()
        assert isinstance(factor, float)
        assert isinstance(sizes, tuple)
        assert flat is False
        self.weight = nn.Parameter(torch.rand(dim))
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return (x.transpose(1, -1) * (self.factor * self.weight)).transpose(1, -1)


class Mixed(nn.Module):
    """Two tensors of as many channels: their weighted sum, and both."""

    def __init__(self, dim: int, how: str) -> None:
        super().__init__()
        self.how = {"sum": torch.add, "product": torch.mul}[how]
        self.weight = nn.Parameter(torch.rand(dim))

    def forward(self, x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        weighted = (skip.transpose(1, -1) * self.weight).transpose(1, -1)
        return self.how(x, weighted), torch.cat([x, skip], 1)


def given(network: Network) -> dict[str, Any]:
    """The classes that a network of a test imports."""
    return {path: Mixed if path == PATH_OF_MIXED else Scaled for path in imported(network)}
