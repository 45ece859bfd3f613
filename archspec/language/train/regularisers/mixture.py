"""Mixup and CutMix: mixed pairs of images and of their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from archspec.language.train.conflicts import MIXABLE, needs_loss
from archspec.language.train.model import Strength
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MIXED_IN = (
    0.2  # the fraction of a class above which it is present (the "ResNet strikes back" recipes)
)


class Mixture(Regulariser):
    order = 100
    example = "mixup: 0.2, cutmix: 1.0"

    mixup: Annotated[Strength, needs_loss(*MIXABLE)] = Field(
        0.0, description="The parameter a of Beta(a, a) (Zhang et al., 2018)."
    )
    cutmix: Annotated[Strength, needs_loss(*MIXABLE)] = Field(
        0.0,
        description=(
            "The parameter a of Beta(a, a) (Yun et al., 2019). With `mixup`, each is used half "
            "of the time."
        ),
    )

    def idle(self, network: Places) -> Idles:
        if self.cutmix and len(network.input) != 3:
            why = f"`cutmix` requires images, but the input is {[*network.input]}"
            yield Idle("cutmix", why)

    def script(self, network: Places) -> Lines:
        one, other = f"mixup(x, y, {self.mixup!r})", f"cutmix(x, y, {self.cutmix!r})"
        if not self.mixup and not self.cutmix:
            return
        if self.loss == "cross_entropy":
            yield "mixture", "y = F.one_hot(y, OUTPUTS).float()"
        if self.mixup and self.cutmix:
            yield "mixture", f"x, y = {one} if torch.rand(()) < 0.5 else {other}"
        else:
            yield "mixture", f"x, y = {one if self.mixup else other}"
        if self.loss == "bce":
            yield "mixture", f"y = (y > {MIXED_IN}).float()  # a class that is mixed in is present"


def mixup(x: Tensor, y: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Mix each image and target with another, in one proportion (Zhang et al., 2018)."""
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    return x.lerp(x.flip(0), share), y.lerp(y.flip(0), share)


def cutmix(x: Tensor, y: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of another image, and mix targets by area (Yun et al., 2019)."""
    (h, w), kept = x.shape[2:], float(torch.distributions.Beta(alpha, alpha).sample())
    row, column = int(torch.randint(h, ())), int(torch.randint(w, ()))
    high, wide = int(h * (1 - kept) ** 0.5 / 2), int(w * (1 - kept) ** 0.5 / 2)
    rows = slice(max(0, row - high), row + high)
    columns = slice(max(0, column - wide), column + wide)
    mixed = x.clone()
    patch = mixed[:, :, rows, columns].copy_(x.flip(0)[:, :, rows, columns])
    return mixed, y.lerp(y.flip(0), patch[0, 0].numel() / (h * w))
