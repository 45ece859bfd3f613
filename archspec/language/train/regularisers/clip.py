"""Gradient clipping by norm."""

from pydantic import Field

from archspec.language.train.model import Strength
from archspec.language.train.regularisers.base import Lines, Places, Regulariser


class Clip(Regulariser):
    order = 30
    example = "clip: 1.0"
    elsewhere = {"grad_clip": "clip", "clip_grad": "clip"}

    clip: Strength = Field(0.0, description="The maximum norm of the gradient.")

    def script(self, network: Places) -> Lines:
        if self.clip:
            yield "gradients", f"nn.utils.clip_grad_norm_(net.parameters(), {self.clip})"
