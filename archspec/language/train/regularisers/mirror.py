"""Evaluation on both images and mirrored images."""

from __future__ import annotations

from pydantic import Field

from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser


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
            yield "judge", "Mirrored"
