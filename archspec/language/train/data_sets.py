"""The data sets that a recipe may name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from archspec.records import Record


class DataSet(Record):
    """Facts about a data set before it is available; None for whatever the network expects.

    `kind`: "memory" for tensors that are held in memory, "folder" for image files read on demand.
    """

    title: str
    channels: int | None
    size: int | None
    classes: int | None
    kind: Literal["memory", "folder"]


DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
    {
        "fashion_mnist": DataSet("Fashion-MNIST", 1, 28, 10, "memory"),
        "mnist": DataSet("MNIST", 1, 28, 10, "memory"),
        "kmnist": DataSet("KMNIST", 1, 28, 10, "memory"),
        "cifar10": DataSet("CIFAR-10", 3, 32, 10, "memory"),
        "imagenet": DataSet("ImageNet", 3, None, 1000, "folder"),
        "folder": DataSet("a directory of images", 3, None, None, "folder"),
        "tensors": DataSet("a file of tensors", None, None, None, "memory"),
        "synthetic": DataSet("synthetic images", None, None, None, "memory"),
    }
)

if TYPE_CHECKING:
    DataName: TypeAlias = str
else:
    DataName = Literal[tuple(DATA_SETS)]

# Data with targets of any kind; all other data sets have one class per image.
ANY_TARGET = ("tensors", "synthetic")
