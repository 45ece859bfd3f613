"""Gaussian noise on the inputs, and on the outputs of stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from archspec.language.train.model import Model, Strength, Takes, alone
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser, at

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class Noise(Model):
    """Standard deviations; 0 means no noise.

    Attributes:
        inputs: on the normalized images.
        activations: on the output of each stage.
    """

    inputs: Strength = 0.0
    activations: Strength = 0.0


_WORDS = Takes("a number of at least 0 or a mapping", "use `{inputs: 0.05, activations: 0.1}`")


class GaussianNoise(Regulariser):
    order = 80
    example = "noise: {inputs: 0.05, activations: 0.05}"

    noise: Annotated[Noise, alone("inputs", Strength, Noise), _WORDS] = Field(
        default_factory=Noise,
        description=(
            "Gaussian noise on the normalized inputs; with `{inputs: 0.05, activations: 0.1}`, "
            "on the output of each stage too."
        ),
    )

    def idle(self, network: Places) -> Idles:
        if self.noise.activations and not network.stages:
            why = "`activations` has no effect: the network has no stages"
            yield Idle("noise", why, below=("activations",))

    def script(self, network: Places) -> Lines:
        if self.noise.inputs:
            yield "inputs", f"x = x + {self.noise.inputs!r} * torch.randn_like(x)"
        if self.noise.activations:
            yield from at(
                "network",
                "for path in STAGES.split():",
                f"    noise = partial(add_noise, deviation={self.noise.activations!r})",
                "    net.get_submodule(path).register_forward_hook(noise)",
            )


def add_noise(module: nn.Module, _: Any, x: Tensor, deviation: float) -> Tensor:
    """Add Gaussian noise to a layer's output during training."""
    return x + deviation * torch.randn_like(x) if module.training else x
