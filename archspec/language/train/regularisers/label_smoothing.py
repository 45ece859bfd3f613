"""Label smoothing: targets with a fraction spread over all classes."""

from typing import Annotated

from pydantic import Field

from archspec.language.train.conflicts import OF_CLASSES, needs_loss
from archspec.language.train.model import Share
from archspec.language.train.regularisers.base import Lines, Places, Regulariser


class LabelSmoothing(Regulariser):
    order = 50
    example = "label_smoothing: 0.1"
    elsewhere = {"smoothing": "label_smoothing"}

    label_smoothing: Annotated[Share, needs_loss(*OF_CLASSES)] = Field(
        0.0,
        description="The share of each target to spread over all classes (`cross_entropy`, `bce`).",
    )

    def script(self, network: Places) -> Lines:
        smooth = self.label_smoothing
        if smooth and self.loss == "bce":
            yield "targets", f"y = y * {1 - smooth:.6g} + {smooth!r} / OUTPUTS"
        elif smooth:
            yield "loss argument", f"label_smoothing={smooth!r}"
