"""The keys that open every recipe; regularisers depend on no others."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archspec.language.train.conflicts import (
    OF_CLASSES,
    OF_VALUES,
    belongs_to_sgd,
    check,
    has_its_targets,
    has_momentum,
)
from archspec.language.train.data_sets import DataName
from archspec.language.train.model import LARGEST, Epochs, Model, Share, Strength, Takes

Batch = Annotated[int, Field(ge=1, le=1_000_000)]


class Part(Model):
    """Keys of a recipe."""

    order: ClassVar[int]  # where they stand among those of other parts

    @classmethod
    def place(cls) -> tuple[int, str]:
        """What parts are sorted by."""
        return cls.order, cls.__name__


class Basics(Part):
    """What is trained on, for how long, and how."""

    data: DataName = Field(description="What is learned: one of the data sets below.")
    epochs: Epochs = Field(description="How often training goes through the data.")
    batch_size: Batch = Field(description="Images a step, over all processes.")
    lr: Annotated[float, Field(gt=0, le=LARGEST)] = Field(
        description="The learning rate at its peak."
    )
    loss: Annotated[
        Literal["cross_entropy", "bce", "multi_label", "mse", "huber"],
        check(has_its_targets),
    ] = Field(
        "cross_entropy",
        examples=["bce"],
        description="`bce` is binary cross-entropy on classes as one-hot vectors (Wightman et al., "
        "2021), `multi_label` the same on vectors of 0 and 1, `mse` and `huber` are for numbers.",
    )
    loss_weights: Annotated[
        dict[str, Strength],
        Takes("a map from outputs to numbers of at least 0", "write e.g. `{aux: 0.3}`"),
    ] = Field(
        {},
        examples=[{"aux": 0.3}],
        description="Several outputs: what each counts in the loss. The first of evaluation, which "
        "is judged, counts 1 if it is not said.",
    )
    optimizer: Literal["sgd", "adamw", "lamb"] = Field(
        "sgd", examples=["adamw"], description="`lamb`: You et al. (2020)."
    )
    momentum: Annotated[Share, check(belongs_to_sgd)] = Field(
        0.9, examples=[0.85], description="`sgd` alone."
    )
    nesterov: Annotated[bool, check(belongs_to_sgd), check(has_momentum)] = Field(
        False, examples=[True], description="`sgd` alone; with momentum."
    )

    @property
    def of_classes(self) -> bool:
        """Whether the targets are classes."""
        return self.loss in OF_CLASSES

    @property
    def of_values(self) -> bool:
        """Whether they are numbers to predict."""
        return self.loss in OF_VALUES
