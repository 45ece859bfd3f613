"""Keys of a recipe that cannot be combined.

A check belongs to the key at which it is reported: `Annotated[..., check(function)]`. It sees
the valid keys before that one (`info.data`). Keys that are not set are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import AfterValidator, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails

from archspec.diagnostics import plural
from archspec.language.train.data_sets import ANY_TARGET, DATA_SETS
from archspec.language.train.model import error, listed

T = TypeVar("T")
Conflicts = Iterator[InitErrorDetails]

OF_CLASSES = ("cross_entropy", "bce")  # losses whose targets are classes
OF_VALUES = ("mse", "huber")
MIXABLE = (*OF_CLASSES, "multi_label")


def check(find: Callable[[Any, ValidationInfo], Conflicts]) -> AfterValidator:
    """A validator that rejects a value if this function finds conflicts."""

    def validate(value: T, info: ValidationInfo) -> T:
        if found := [*find(value, info)]:
            raise ValidationError.from_exception_data("train", found)
        return value

    return AfterValidator(validate)


def conflict(
    message: str, hint: str, other: str, below: tuple[str, ...] = (), key: bool = True
) -> InitErrorDetails:
    """A key that conflicts with the key `other` (a path: `step.at`).

    The finding is at the key, or `below` it; at the key itself, not at its value, if `key`.
    """
    placed = {"key": key, "steps": len(below) + 1, "because": tuple(other.split("."))}
    kind = error("conflicting-keys", message, hint, **placed)
    return InitErrorDetails(type=kind, loc=below, input=None)


def remove(key: str | None) -> str:
    """The hint for a key that does not belong in this recipe."""
    return f"remove it; if it is inherited, set `{key}: null`"


def needs_loss(*losses: str) -> AfterValidator:
    """For a key that requires one of these losses, unless it is off."""

    def find(value: Any, info: ValidationInfo) -> Conflicts:
        loss, key = info.data.get("loss", losses[0]), info.field_name
        if value and loss not in losses:
            message = f"`{key}` requires {listed(losses)}, but the loss is `{loss}`"
            yield conflict(message, remove(key), "loss")

    return check(find)


def has_its_targets(loss: str, info: ValidationInfo) -> Conflicts:
    data = info.data.get("data", ANY_TARGET[0])
    if loss not in OF_CLASSES and data not in ANY_TARGET:
        wanted = "a vector of 0 and 1" if loss == "multi_label" else "numbers to predict"
        message = f"`{loss}` expects {wanted} for each image, but `{data}` has classes"
        hint = f"use {listed(OF_CLASSES)}, or `data: tensors`"
        yield conflict(message, hint, "data", key=False)


def belongs_to_sgd(_: Any, info: ValidationInfo) -> Conflicts:
    optimizer, key = info.data.get("optimizer", "sgd"), info.field_name
    if optimizer != "sgd":
        message = f"`{key}` requires `optimizer: sgd`, but the optimizer is `{optimizer}`"
        yield conflict(message, remove(key), "optimizer")


def has_momentum(nesterov: bool, info: ValidationInfo) -> Conflicts:
    if nesterov and not info.data.get("momentum", True):
        message = "`nesterov` requires a nonzero `momentum`"
        yield conflict(message, "for example, `momentum: 0.9`", "momentum")


def divides_the_batch(parts: int, info: ValidationInfo) -> Conflicts:
    size = info.data.get("batch_size", 0)
    if size % parts:
        message = f"the batch of {size} is not divisible by `accumulate: {parts}`"
        hint = "all micro-batches must have the same number of images"
        yield conflict(message, hint, "batch_size", key=False)


def is_for_folders(_: Any, info: ValidationInfo) -> Conflicts:
    data, key = info.data.get("data"), info.field_name
    if data and DATA_SETS[data].kind == "memory":
        message = f"`{key}` requires a directory of images, but `{data}` is held in memory"
        yield conflict(message, remove(key), "data")


def ends_in_time(warmup: float, info: ValidationInfo) -> Conflicts:
    if warmup >= (epochs := epochs_of(info)):
        message = f"warmup lasts for all {plural(epochs, 'epoch')}"
        hint = "use a shorter warmup, or train for longer"
        yield conflict(message, hint, "epochs", key=False)


def has_warmup(value: Any, info: ValidationInfo) -> Conflicts:
    if value and not info.data.get("warmup", True):
        key = info.field_name
        message = f"`{key}` requires a nonzero `warmup`"
        yield conflict(message, f"for example, `warmup: 5`, or {remove(key)}", "warmup")


def has_an_end(rate: float, info: ValidationInfo) -> Conflicts:
    kind = getattr(info.data.get("schedule"), "kind", "cosine")
    if rate and kind not in ("linear", "cosine"):
        message = (
            f"`min_lr` is the final rate of `linear` and `cosine`, but the schedule is `{kind}`"
        )
        yield conflict(message, remove("min_lr"), "schedule")


def is_below_the_peak(rate: float, info: ValidationInfo) -> Conflicts:
    if rate > (peak := info.data.get("lr", rate)):
        message = f"{rate:g} is above the peak learning rate, `lr: {peak:g}`"
        yield conflict(message, "use a lower value, or a higher `lr`", "lr", key=False)


def epochs_of(info: ValidationInfo) -> Any:
    """The number of epochs in the recipe; infinite if it is not known."""
    return info.data.get("epochs", float("inf"))
