"""The section as a pydantic model: the keys of every recipe, and those of the regularizers."""

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from archspec.language.problems import Problems, describe, fail, problems_of
from archspec.language.train.basics import Basics, Batch, Part
from archspec.language.train.conflicts import (
    check,
    divides_the_batch,
    ends_in_time,
    has_an_end,
    has_warmup,
    is_below_the_peak,
    is_for_folders,
)
from archspec.language.train.model import LARGEST, NOT_NULL, Model, Share, Takes
from archspec.language.train.regularisers import REGULARISERS, Regulariser
from archspec.language.train.schedule import Schedule, ScheduleField
from archspec.language.train.words import problem_of

EXAMPLE = "train: {data: fashion_mnist, epochs: 30, batch_size: 256, lr: 0.1}"
MEMORY = r"^(?:([1-9][0-9]{0,4}) ?x ?)?([0-9]{1,6}(?:\.[0-9]{1,3})?)([MG])$"
Side = Annotated[int | None, Field(ge=1, le=65_536), NOT_NULL]

# Other programs' names of a key.
ELSEWHERE = {
    "dataset": "data",
    "learning_rate": "lr",
    "batch": "batch_size",
    "criterion": "loss",
    "loss_weight": "loss_weights",
    "aux_weight": "loss_weights",
    "aux_loss_weight": "loss_weights",
    "opt": "optimizer",
    "optim": "optimizer",
    "sched": "schedule",
    "scheduler": "schedule",
    "lr_schedule": "schedule",
    "lr_scheduler": "schedule",
    "warmup_epochs": "warmup",
    "lr_warmup_epochs": "warmup",
    "lr_min": "min_lr",
    "eta_min": "min_lr",
    "num_epochs": "epochs",
    "max_epochs": "epochs",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "image_size": "size",
    "aa": "augment",
    "auto_augment": "augment",
    "drop": "dropout",
    "val_split": "validation",
    "validation_split": "validation",
    "val_fraction": "validation",
    "valid_size": "validation",
}
# Keys of other programs' recipes that are options of the training script here.
OPTIONS = {
    "device": "--device",
    "gpu": "--device",
    "amp": "--precision",
    "use_amp": "--precision",
    "precision": "--precision",
    "fp16": "--precision",
    "bf16": "--precision",
    "num_workers": "--workers",
    "workers": "--workers",
    "dataloader_num_workers": "--workers",
    "resume": "--resume",
    "output_dir": "--out",
    "out": "--out",
    "data_path": "--data",
    "data_dir": "--data",
    "compile": "--compile",
    "torchcompile": "--compile",
    "tensorboard": "--tensorboard",
    "log_interval": "--log-every",
    "log_every": "--log-every",
    "print_freq": "--log-every",
    "max_steps": "--steps",
    "steps": "--steps",
}
for _part in REGULARISERS:
    ELSEWHERE |= _part.elsewhere


class Pace(Basics):
    order = 20

    schedule: ScheduleField = Field(
        default_factory=lambda: Schedule(kind="cosine"),
        examples=[{"step": {"at": [30, 60], "factor": 0.1}}],
        description=(
            "The learning rate after the warmup: `linear` and `cosine` decay to zero; `{step: "
            "{every: 30, factor: 0.1}}` and `{step: {at: [30, 60], factor: 0.1}}` multiply it by "
            "`factor` after these epochs."
        ),
    )
    min_lr: Annotated[
        float, Field(ge=0, le=LARGEST), check(has_an_end), check(is_below_the_peak)
    ] = Field(
        0.0,
        examples=[1e-5],
        description="The final learning rate of `linear` and `cosine`.",
    )
    warmup: Annotated[float, Field(ge=0, le=100_000), check(ends_in_time)] = Field(
        0.0,
        examples=[5],
        description="Epochs in which the learning rate rises linearly; may be a fraction.",
    )
    warmup_lr: Annotated[
        float, Field(ge=0, le=LARGEST), check(has_warmup), check(is_below_the_peak)
    ] = Field(0.0, examples=[1e-4], description="The learning rate at the start of the warmup.")
    warmup_inside: Annotated[bool, check(has_warmup)] = Field(
        False,
        examples=[True],
        description=(
            "The schedule starts at the first step, in parallel with the warmup, as in timm. By "
            "default it starts after the warmup."
        ),
    )
    by_epoch: bool = Field(
        False,
        examples=[True],
        description=(
            "Change the learning rate after each epoch instead of after each step, as in "
            "torchvision's and timm's scripts."
        ),
    )
    accumulate: Annotated[Batch, check(divides_the_batch)] = Field(
        1, examples=[4], description="Micro-batches per step and process; divides `batch_size`."
    )


class Validation(Part):
    order = 30

    validation: Share = Field(
        0.1,
        examples=[0],
        description=(
            "The fraction of the training samples to hold out for selecting the weights, if the "
            "data has no validation part. With 0, no weights are selected and training runs to "
            "the end."
        ),
    )


class Sizes(Part):
    """The sides of images; None means the size of the spec's input."""

    order = 40

    size: Side = Field(None, examples=[160], description="The side of the square training images.")
    test_size: Side = Field(
        None, examples=[224], description=("The side of the square evaluation images.")
    )
    test_crop: Annotated[float, Field(gt=0, le=1), check(is_for_folders)] = Field(
        0.875,
        examples=[0.95],
        description=(
            "For directories of images: the fraction of the side that the center crop of "
            "evaluation keeps."
        ),
    )


class Device(Pace):
    order = 50

    memory: Annotated[
        str | None,
        Field(pattern=MEMORY),
        Takes("a size such as `24G`, or `8 x 24G`", "set the memory of a device: `memory: 24G`"),
        NOT_NULL,
    ] = Field(
        None,
        examples=["24G"],
        description=(
            "The memory of a device (`24G` is 24 GiB), or `8 x 24G` for eight devices that share "
            "a batch. Lint reports a recipe that needs more. The script does not use it."
        ),
    )

    @property
    def devices(self) -> tuple[int, int]:
        """The number of devices, and the bytes of each; 0 if `memory` is not set."""
        found = re.fullmatch(MEMORY, self.memory or "0G")
        assert found is not None
        return int(found[1] or 1), int(float(found[2]) * 2 ** {"M": 20, "G": 30}[found[3]])

    @property
    def device_batch(self) -> int:
        """The samples that one device takes at once."""
        devices, _ = self.devices
        return -(-self.batch_size // (self.accumulate * devices))


class Seed(Part):
    order = 1000

    seed: int = Field(
        0,
        ge=0,
        le=2**32 - 1,
        examples=[1],
        description=("The seed of the weights, the order of the data, and everything else random."),
    )


_PARTS: list[type[Part]] = [Pace, Validation, Sizes, Device, Seed, *REGULARISERS]
_PARTS.sort(key=lambda part: part.place(), reverse=True)  # the keys of the last base are first

if TYPE_CHECKING:

    class Keys(Seed, Device, Sizes, Validation, Pace, Regulariser): ...

else:
    Keys = type("Keys", tuple(_PARTS), {})


class Train(Keys, Model):
    """A training recipe. A regularizer with a value of 0 is off."""


def train_of(value: Any) -> Train | None:
    """The section from its YAML value; raises `Problems`."""
    if value is None or isinstance(value, Train):
        return value
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a mapping, found {describe(value)}", f"use `{EXAMPLE}`")
    try:
        return Train.model_validate(dict(value))
    except ValidationError as error:
        worded = partial(problem_of, model=Train, elsewhere=ELSEWHERE, options=OPTIONS)
        raise Problems(problems_of(error, worded=worded)) from None
