"""Evaluation on both images and mirrored images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Mirror(Regulariser):
    order = 150
    example = "test_flip: true"
    elsewhere = {"tta": "test_flip"}

    test_flip: bool = Field(
        False,
        description="Evaluate each image and its mirror image, and average the two outputs.",
    )

    def idle(self, network: Places) -> Idles:
        if self.test_flip and len(network.input) != 3:
            why = f"`test_flip` requires images, but the input is {[*network.input]}"
            yield Idle("test_flip", why)

    def script(self, network: Places) -> Lines:
        if self.test_flip:
            yield "judge", "mirrored"


def mirrored(net: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The mean of the outputs for an image and its mirror image."""
    return (net(x) + net(x.flip(3))) / 2
