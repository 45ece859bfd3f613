"""L2 regularization, as the optimizer's weight decay."""

from typing import Annotated

from pydantic import Field, ValidationInfo

from archspec.language.train.conflicts import Conflicts, check, conflict
from archspec.language.train.model import Strength
from archspec.language.train.regularisers.base import (
    KERNELS,
    Idle,
    Idles,
    Lines,
    Places,
    Regulariser,
    at,
)

GROUPS = 'groups: list[Any] = [{"params": weights}, {"params": others, "weight_decay": 0.0}]'


def _decays(all_of_them: bool, info: ValidationInfo) -> Conflicts:
    if all_of_them and not info.data.get("weight_decay"):
        message = "`decay_all` requires a nonzero `weight_decay`"
        hint = "for example, `weight_decay: 1.0e-4`, or remove it"
        yield conflict(message, hint, "weight_decay")


class WeightDecay(Regulariser):
    order = 10
    example = "weight_decay: 1.0e-3, decay_all: false"
    elsewhere = {"wd": "weight_decay", "l2": "weight_decay"}

    weight_decay: Strength = Field(0.0, description="The decay of weight matrices and kernels.")
    decay_all: Annotated[bool, check(_decays)] = Field(
        False, description="Decay biases and norms too, as in the classic recipes."
    )

    def idle(self, network: Places) -> Idles:
        if self.weight_decay and not self.decay_all and not network.kernels:
            why = "`weight_decay` acts on kernels and matrices, but the network has none"
            yield Idle("weight_decay", why)

    def script(self, network: Places) -> Lines:
        decay = repr(self.weight_decay)
        if self.weight_decay and not self.decay_all:
            yield from at(
                "once",
                KERNELS,
                "others = [p for p in net.parameters() if p.ndim < 2]  # norms and biases",
                GROUPS,
            )
            yield "parameters", "groups"
        if self.weight_decay or self.optimizer == "adamw":  # whose own default is not 0
            yield "optimizer argument", f"weight_decay={decay}"
