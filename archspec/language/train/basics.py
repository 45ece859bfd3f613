"""The first keys of every recipe; regularizers depend on no others."""

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
from archspec.language.train.model import LARGEST, Epochs, Share, Strength, Takes

Batch = Annotated[int, Field(ge=1, le=1_000_000)]


class Part:
    """Keys of a recipe, as fields of the model `Train`, which is made of all parts."""

    order: ClassVar[int]  # the position of the keys among those of other parts

    @classmethod
    def place(cls) -> tuple[int, str]:
        """The order in which parts are sorted."""
        return cls.order, cls.__name__


class Basics(Part):
    """The data, the length of training, and the optimizer."""

    data: DataName = Field(description="The data set to train on.")
    epochs: Epochs = Field(description="The number of passes over the training data.")
    batch_size: Batch = Field(description="Samples per step, across all processes.")
    lr: float = Field(gt=0, le=LARGEST, description="The peak learning rate.")
    loss: Annotated[
        Literal["cross_entropy", "bce", "multi_label", "mse", "huber"],
        check(has_its_targets),
    ] = Field(
        "cross_entropy",
        examples=["bce"],
        description=(
            "`bce` is binary cross-entropy with one-hot targets (Wightman et al., 2021), and "
            "`multi_label` with vectors of 0 and 1; `mse` and `huber` are for regression."
        ),
    )
    loss_weights: Annotated[
        dict[str, Strength],
        Takes("a mapping from outputs to numbers of at least 0", "for example, `{aux: 0.3}`"),
    ] = Field(
        {},
        examples=[{"aux": 0.3}],
        description=(
            "For several outputs: the weight of each in the loss. The first output in evaluation "
            "mode, which is the one evaluated, has weight 1 by default."
        ),
    )
    optimizer: Literal["sgd", "adamw", "lamb"] = Field(
        "sgd", examples=["adamw"], description="`lamb`: You et al. (2020)."
    )
    momentum: Annotated[Share, check(belongs_to_sgd)] = Field(
        0.9, examples=[0.85], description="Only for `sgd`."
    )
    nesterov: Annotated[bool, check(belongs_to_sgd), check(has_momentum)] = Field(
        False, examples=[True], description="Only for `sgd` with momentum."
    )

    @property
    def of_classes(self) -> bool:
        """Whether the targets are classes."""
        return self.loss in OF_CLASSES

    @property
    def of_values(self) -> bool:
        """Whether the targets are numbers to predict."""
        return self.loss in OF_VALUES
