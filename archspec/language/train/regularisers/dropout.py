"""Dropout before the classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from archspec.language.train.model import Share
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser, at

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.nn import functional as F


class Dropout(Regulariser):
    order = 60
    example = "dropout: 0.1"

    dropout: Share = Field(
        0.0, description="The dropout rate for the input of the last linear layer."
    )

    def idle(self, network: Places) -> Idles:
        if self.dropout and network.last_linear is None:
            yield Idle("dropout", "`dropout` has no effect: the network has no linear layer")

    def script(self, network: Places) -> Lines:
        if self.dropout:
            yield from at(
                "network",
                f'path = "{network.last_linear}"',
                f"before = partial(drop_features, rate={self.dropout!r})",
                "net.get_submodule(path).register_forward_pre_hook(before)",
            )


def drop_features(module: nn.Module, args: tuple[Tensor], rate: float) -> tuple[Tensor]:
    """Dropout of a layer's inputs (Srivastava et al., 2014)."""
    return (F.dropout(args[0], rate, module.training),)
