"""Stop training if the validation result no longer improves."""

from typing import Annotated

from pydantic import Field, ValidationInfo

from archspec.diagnostics import plural
from archspec.language.train.conflicts import Conflicts, check, conflict, epochs_of
from archspec.language.train.regularisers.base import Lines, Places, Regulariser


def _can_stop(patience: int, info: ValidationInfo) -> Conflicts:
    if patience >= (epochs := epochs_of(info)):
        message = f"{plural(epochs, 'epoch')} are too few for `early_stopping: {patience}`"
        hint = "use a smaller value, or train for longer"
        yield conflict(message, hint, "epochs", key=False)
    if patience and not info.data.get("validation", True):
        message = "`early_stopping` requires validation samples, but there are none"
        yield conflict(message, "for example, `validation: 0.1`, or remove it", "validation")


class EarlyStopping(Regulariser):
    order = 130
    example = "early_stopping: 2"
    elsewhere = {"patience": "early_stopping"}

    early_stopping: Annotated[int, Field(ge=0, le=100_000), check(_can_stop)] = Field(
        0, description="Stop after this many epochs without a better validation result."
    )

    def script(self, network: Places) -> Lines:
        if self.early_stopping:
            epochs = f"{self.early_stopping} * " if self.early_stopping > 1 else ""
            yield "while", f'run["step"] - run["best_step"] < {epochs}an_epoch'
