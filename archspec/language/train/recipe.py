"""The section as a pydantic model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator

from archspec.language.fields import Model, Unfit
from archspec.language.problems import Problems, describe, fail, problems_of, to_pydantic
from archspec.language.train.data_sets import DATA_SETS
from archspec.language.train.forms import (
    CURVES,
    EPOCHS,
    OFF_OR_SHARE,
    STRENGTH,
    Augment,
    Form,
    Noise,
    Schedule,
    augment_of,
    noise_of,
    schedule_of,
)
from archspec.language.train.together import MIXABLE, OF_CLASSES, OF_VALUES, conflicts
from archspec.language.train.values import Flag, Number, Word, words

LOSSES = (*MIXABLE, *OF_VALUES)
OPTIMIZERS = ("sgd", "adamw", "lamb")
EXAMPLE = "train: {data: fashion_mnist, epochs: 30, batch_size: 256, lr: 0.1}"

POSITIVE = Number(0, above=True)
BATCH = Number(1, 1_000_000, whole=True)
SIDE = Number(1, 65_536, whole=True)

# What other programs call a key.
ELSEWHERE = {
    "dataset": "data",
    "learning_rate": "lr",
    "batch": "batch_size",
    "criterion": "loss",
    "opt": "optimizer",
    "optim": "optimizer",
    "wd": "weight_decay",
    "l2": "weight_decay",
    "scheduler": "schedule",
    "lr_schedule": "schedule",
    "lr_scheduler": "schedule",
    "warmup_epochs": "warmup",
    "grad_clip": "clip",
    "clip_grad": "clip",
    "smoothing": "label_smoothing",
    "drop_path": "stochastic_depth",
    "model_ema": "ema",
    "patience": "early_stopping",
    "image_size": "size",
    "augmentation": "augment",
}


class Train(Model):
    """A training recipe. A number of 0 is a regulariser that is off.

    `size` and `test_size` are None where the spec's input is meant.
    """

    data: Annotated[str, Word("data set", tuple(DATA_SETS))]
    epochs: Annotated[int, EPOCHS]
    batch_size: Annotated[int, BATCH]
    lr: Annotated[float, POSITIVE]
    loss: Annotated[str, Word("loss", LOSSES)] = "cross_entropy"
    optimizer: Annotated[str, Word("optimizer", OPTIMIZERS)] = "sgd"
    momentum: Annotated[float, OFF_OR_SHARE] = 0.9
    nesterov: Annotated[bool, Flag()] = False
    weight_decay: Annotated[float, STRENGTH] = 0.0
    decay_all: Annotated[bool, Flag()] = False
    schedule: Annotated[Schedule, Form(schedule_of, f"{words(CURVES)}, or `{{step: ...}}`")] = (
        Schedule.model_construct(kind="cosine")
    )
    warmup: Annotated[float, Number(0, 100_000)] = 0.0
    accumulate: Annotated[int, BATCH] = 1
    clip: Annotated[float, STRENGTH] = 0.0
    size: Annotated[int | None, SIDE] = None
    test_size: Annotated[int | None, SIDE] = None
    test_crop: Annotated[float, Number(0, 1, above=True)] = 0.875
    label_smoothing: Annotated[float, OFF_OR_SHARE] = 0.0
    dropout: Annotated[float, OFF_OR_SHARE] = 0.0
    stochastic_depth: Annotated[float, OFF_OR_SHARE] = 0.0
    noise: Annotated[Noise, Form(noise_of, "a number, or `{inputs, activations}`")] = (
        Noise.model_construct()
    )
    augment: Annotated[Augment, Form(augment_of, "a map")] = Augment.model_construct()
    mixup: Annotated[float, STRENGTH] = 0.0
    cutmix: Annotated[float, STRENGTH] = 0.0
    l1: Annotated[float, STRENGTH] = 0.0
    ema: Annotated[float, OFF_OR_SHARE] = 0.0
    early_stopping: Annotated[int, Number(0, 100_000, whole=True)] = 0
    seed: Annotated[int, Number(0, 2**32 - 1, whole=True)] = 0

    @property
    def of_classes(self) -> bool:
        """Whether the targets are classes."""
        return self.loss in OF_CLASSES

    @property
    def of_values(self) -> bool:
        """Whether they are numbers to predict."""
        return self.loss in OF_VALUES

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> Self:
        train = super()._read(given)
        if conflicts(given):
            raise Unfit
        return train

    @model_validator(mode="wrap")
    @classmethod
    def _all_findings(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """What is wrong with single keys, and with those that are right beside one another."""
        train = None
        problems = []
        try:
            train = handler(data)
        except ValidationError as error:
            problems = problems_of(error, cls.model_fields, ELSEWHERE)
        wrong = {problem.path[0] for problem in problems if problem.path}
        if isinstance(data, Mapping):
            problems += conflicts({key: data[key] for key in data if key not in wrong})
        if train is None or problems:
            raise to_pydantic(Problems(problems))
        return train


def train_of(value: Any) -> Train | None:
    """The section from what is written; raises `Problems`."""
    if value is None or isinstance(value, Train):
        return value
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a map, found {describe(value)}", f"write `{EXAMPLE}`")
    try:
        return Train.read(value)
    except ValidationError as error:
        raise Problems(problems_of(error)) from None
