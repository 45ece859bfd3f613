"""Keys of a recipe that do not belong together. Each finding is told at the key that does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from archspec.language.problems import Problem, Step
from archspec.language.train.data_sets import ANY_TARGET, DATA_SETS
from archspec.language.train.values import words

Said = Mapping[str, Any]

OF_CLASSES = ("cross_entropy", "bce")  # losses whose targets are classes
OF_VALUES = ("mse", "huber")
MIXABLE = (*OF_CLASSES, "multi_label")
OF_FOLDERS = ("resized_crop", "rand_augment")


def conflicts(said: Said) -> list[Problem]:
    """The findings about keys that are right by themselves, as they are written."""
    checks = (_optimizer, _decay, _loss, _target, _data, _epochs, _batch)
    return [problem for check in checks for problem in check(said)]


def _conflict(
    message: str, hint: str, *path: Step, because: tuple[Step, ...] = (), key: bool = True
) -> Problem:
    return Problem("conflicting-keys", message, hint, path, key, because)


def _gone(key: str) -> str:
    return f"remove it; where it is inherited, `{key}: null` does"


def _optimizer(said: Said) -> Iterator[Problem]:
    optimizer = said.get("optimizer", "sgd")
    momentum = said.get("momentum", 0.9)
    for key in ("momentum", "nesterov"):
        if optimizer != "sgd" and key in said:
            message = f"`{key}` belongs to `sgd`, and the optimizer is `{optimizer}`"
            yield _conflict(message, _gone(key), key, because=("optimizer",))
    if optimizer == "sgd" and said.get("nesterov") and not momentum:
        message = "`nesterov` is a way to use momentum, and there is none"
        yield _conflict(message, "write e.g. `momentum: 0.9`", "nesterov", because=("momentum",))


def _decay(said: Said) -> Iterator[Problem]:
    if said.get("decay_all") and not said.get("weight_decay"):
        message = "`decay_all` says what decays, and nothing does"
        hint = "write e.g. `weight_decay: 1.0e-4`, or remove it"
        yield _conflict(message, hint, "decay_all", because=("weight_decay",))


def _loss(said: Said) -> Iterator[Problem]:
    loss = said.get("loss", "cross_entropy")
    for key, losses in (("label_smoothing", OF_CLASSES), ("mixup", MIXABLE), ("cutmix", MIXABLE)):
        if said.get(key) and loss not in losses:
            message = f"`{key}` goes with {words(losses)}, and the loss is `{loss}`"
            yield _conflict(message, _gone(key), key, because=("loss",))


def _target(said: Said) -> Iterator[Problem]:
    """A loss that wants other targets than classes."""
    loss, data = said.get("loss", "cross_entropy"), said.get("data")
    if loss not in OF_CLASSES and data in DATA_SETS and data not in ANY_TARGET:
        wanted = "a vector of 0 and 1" if loss == "multi_label" else "numbers to predict"
        message = f"`{loss}` wants {wanted} for each image, and `{data}` has classes"
        hint = f"write {words(OF_CLASSES)}, or `data: tensors`"
        yield _conflict(message, hint, "loss", because=("data",), key=False)


def _data(said: Said) -> Iterator[Problem]:
    data, augment = said.get("data", ""), said.get("augment", {})
    if data not in DATA_SETS:
        return
    told = partial(_conflict, because=("data",))
    if DATA_SETS[data].kind == "folder":
        if augment.get("crop"):
            message = f"`crop` is for small images in memory, and `{data}` is a folder of images"
            yield told(message, "write e.g. `resized_crop: [0.08, 1]`", "augment", "crop")
        return
    for key in OF_FOLDERS:
        if key in augment:
            message = f"`{key}` is for a folder of images, and `{data}` is held in memory"
            hint = "write e.g. `crop: 4`" if key == "resized_crop" else _gone(key)
            yield told(message, hint, "augment", key)
    if "test_crop" in said:
        message = f"`test_crop` is for a folder of images, and `{data}` is held in memory"
        yield told(message, _gone("test_crop"), "test_crop")


def _epochs(said: Said) -> Iterator[Problem]:
    epochs = said.get("epochs")
    if epochs is None:
        return
    told = partial(_conflict, because=("epochs",), key=False)
    if said.get("warmup", 0) >= epochs:
        message = f"the warm-up takes all of the {_count(epochs)}"
        yield told(message, "warm up for less, or train for longer", "warmup")
    if said.get("early_stopping", 0) >= epochs:
        message = f"{_count(epochs)} never come to {said['early_stopping']} without a better result"
        yield told(message, "wait for fewer, or train for longer", "early_stopping")
    schedule = said.get("schedule")
    step = schedule["step"] if isinstance(schedule, Mapping) else {}
    for key in ("every", "at"):
        last = max(step[key]) if key == "at" and key in step else step.get(key, 0)
        if last >= epochs:
            message = f"epoch {last} is never begun: training ends after {_count(epochs)}"
            yield told(message, "step earlier, or train for longer", "schedule", "step", key)


def _batch(said: Said) -> Iterator[Problem]:
    size, parts = said.get("batch_size"), said.get("accumulate", 1)
    if size is not None and size % parts:
        message = f"`accumulate: {parts}` does not divide the batch of {size}"
        hint = "each micro-batch has the same number of images"
        yield _conflict(message, hint, "accumulate", because=("batch_size",), key=False)


def _count(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"
