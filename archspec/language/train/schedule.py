"""The learning rate over the epochs: as written, and in its one internal form."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from archspec.diagnostics import did_you_mean, plural
from archspec.language.train.conflicts import Conflicts, check, conflict, epochs_of
from archspec.language.train.model import Epochs, Model, Takes, error, listed

CURVES = ("constant", "linear", "cosine")
STEP = "{every: 30, factor: 0.1}"


def _rising(epochs: tuple[int, ...]) -> tuple[int, ...]:
    if any(one >= other for one, other in pairwise(epochs)):
        hint = "list each epoch once, in ascending order"
        raise error("out-of-range", "epochs must be in increasing order", hint)
    return epochs


class Step(Model):
    """The epochs of a step schedule: `every` N epochs, or `at` a list of epochs."""

    every: Epochs = 0
    at: Annotated[
        tuple[Epochs, ...],
        Field(min_length=1, max_length=100, strict=False),
        AfterValidator(_rising),
        Takes("a list of epochs", "`at: [30, 60]`"),
    ] = ()
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @model_validator(mode="after")
    def _steps(self) -> Self:
        if not self.every and not self.at:
            raise error(
                "missing-key", "missing required key `every`", "use `every: 30` or `at: [30, 60]`"
            )
        return self


def _not_both(step: Step, _: ValidationInfo) -> Conflicts:
    if step.every and step.at:
        message = "`every` and `at` cannot be combined in a step schedule"
        hint = "remove one of the two; if it is inherited, set it to `null`"
        yield conflict(message, hint, "step.at", below=("every",))


class Stepwise(Model):
    """A step schedule as written."""

    step: Annotated[Step, check(_not_both), Takes(f"`{STEP}`", "")]


class Schedule(Model):
    """The learning rate over the epochs, without the warmup.

    A "step" schedule multiplies it by `factor` every `every` epochs, or after the epochs `at`.
    """

    kind: Literal["constant", "linear", "cosine", "step"]
    every: int = 0
    at: tuple[int, ...] = ()
    factor: float = 0.1


_ELSEWHERE = {  # torch's names
    "CosineAnnealingLR": "cosine",
    "ConstantLR": "constant",
    "LinearLR": "linear",
    "StepLR": "step",
    "MultiStepLR": "step",
}


def _read(written: Any) -> Any:
    if isinstance(written, Mapping) and "step" not in written:
        kind = next((key for key in written if key in CURVES), "")
        if kind:
            hint = f"use `schedule: {kind}`; `warmup` and `min_lr` are keys of `train`"
            raise error("wrong-type", f"`{kind}` takes no arguments", hint)
    if isinstance(written, Mapping):
        return {"kind": "step", **dict(Stepwise.model_validate(dict(written)).step)}
    if not isinstance(written, str):
        return written
    if written in CURVES:
        return {"kind": written}
    if written == "step":
        raise error("missing-key", "`step` requires `every` or `at`", f"use `{{step: {STEP}}}`")
    hint = did_you_mean(written, [*CURVES, "step"], "available", _ELSEWHERE)
    raise error("unknown-name", f"unknown schedule `{written[:40]}`", hint)


def _ends_in_time(schedule: Schedule, info: ValidationInfo) -> Conflicts:
    epochs, last = epochs_of(info), max(schedule.every, *schedule.at, 0)
    if last >= epochs:
        message = f"epoch {last} is never reached: training ends after {plural(epochs, 'epoch')}"
        hint = "use an earlier epoch, or train for longer"
        key = "at" if schedule.at else "every"
        yield conflict(message, hint, "epochs", below=("step", key), key=False)


ScheduleField = Annotated[
    Schedule,
    BeforeValidator(_read, json_schema_input_type=Stepwise | Literal[CURVES]),
    check(_ends_in_time),
    Takes(f"{listed(CURVES)}, or `{{step: {STEP}}}`", ""),
]
