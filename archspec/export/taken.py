"""The input of a file: normalized numbers, or images that the file normalizes."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from archspec.verify.tensors import Shape, images

KINDS = ("uint8", "float")


class Taken(NamedTuple):
    """The input of a file: a batch of images of this shape.

    `kind` is "uint8" for images as bytes, "float" for images from 0 to 1, and "" for normalized
    numbers. `mean` and `std` are in bytes, one per channel, or () if they are not needed.
    """

    shape: Shape
    kind: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def type(self) -> str:
        """The type of its numbers."""
        return "uint8" if self.kind == "uint8" else "float32"

    def normalized(self, x: Tensor) -> Tensor:
        """The input (N, C, H, W), normalized for the network."""
        if not self.kind:
            return x
        scale = 1 if self.kind == "uint8" else 255
        mean, std = (torch.tensor(s).view(-1, 1, 1) / scale for s in (self.mean, self.std))
        return (x.float() - mean) / std

    def of_bytes(self, x: Tensor) -> Tensor:
        """Images given as bytes, in the form of this input."""
        if self.kind:
            return x if self.kind == "uint8" else x.float() / 255
        return self._replace(kind="uint8").normalized(x)

    def random(self, batch: int) -> Tensor:
        """Random inputs, the same for the same batch size: images if their mean is known."""
        x = images(batch, *self.shape)
        return self.of_bytes((x * 52 + 127).clamp(0, 255).byte()) if self.mean else x

    def into(self, module: nn.Module) -> nn.Module:
        """The module, which now normalizes its input first; its weights keep their names."""
        if self.kind:
            module.register_forward_pre_hook(self._first)
        return module

    def _first(self, _: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.normalized(given[0]), *given[1:])
