"""Stochastic depth: residual blocks whose bodies are skipped at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from archspec.language.train.model import Share
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser, at

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class StochasticDepth(Regulariser):
    order = 70
    example = "stochastic_depth: 0.2"
    elsewhere = {"drop_path": "stochastic_depth"}

    stochastic_depth: Share = Field(
        0.0,
        description=(
            "The rate of the last residual block; rates rise linearly from the first (Huang et "
            "al., 2016)."
        ),
    )

    def idle(self, network: Places) -> Idles:
        if not self.stochastic_depth:
            return
        key, without = "stochastic_depth", [block for block, end in network.residuals if not end]
        if network.drops:
            why = "the network already drops residuals: it has a `drop_path`"
            yield Idle(key, why, "remove one of the two")
        elif not network.residuals:
            yield Idle(key, f"`{key}` has no effect: the network has no residual block")
        elif without:
            where = f"of `{without[0]}`" if without[0] else "of the network"
            why = (
                f"a residual {where} does not end in a layer of its own, so `{key}` cannot drop it"
            )
            hint = "end its body in a convolution, a norm, or a block, or remove `stochastic_depth`"
            yield Idle(key, why, hint)

    def script(self, network: Places) -> Lines:
        if self.stochastic_depth:
            rate = f"{self.stochastic_depth!r} * depth / len(paths)"
            yield from at(
                "network",
                "paths = RESIDUALS.split()",
                "for depth, path in enumerate(paths, 1):",
                f"    drop = partial(drop_path, rate={rate})",
                "    net.get_submodule(path).register_forward_hook(drop)",
            )


def drop_path(module: nn.Module, _: Any, x: Tensor, rate: float) -> Tensor:
    """Stochastic depth: drop a block's body for some samples (Huang et al., 2016)."""
    if not module.training:
        return x
    kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= rate
    return x * (kept.to(x.dtype) / (1 - rate))
