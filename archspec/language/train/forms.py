"""Values that are written in more than one way, and the one form that they are read to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from archspec.diagnostics import did_you_mean
from archspec.language.fields import Model, Value
from archspec.language.problems import Problem, Problems, describe, fail
from archspec.language.train.values import Flag, Number, numbers, of_map, words

EPOCHS = Number(1, 100_000, whole=True)
OFF_OR_SHARE = Number(0, 1, below=True)
STRENGTH = Number(0)
CURVES = ("constant", "linear", "cosine")


@dataclass(frozen=True)
class Form(Value):
    """A value that a function reads; `said` is it in words."""

    function: Callable[[Any], Any]
    said: str

    def __str__(self) -> str:
        return self.said

    def read(self, value: Any) -> Any:
        return self.function(value)


# Schedule -----------------------------------------------------------------------------


def _epochs(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 100:
        fail("wrong-type", f"expected a list of epochs, found {describe(value)}", "`at: [30, 60]`")
    read = tuple(map(int, numbers(value, EPOCHS)))
    if any(one >= other for one, other in pairwise(read)):
        fail("out-of-range", "these epochs do not rise", "write each once, the first one first")
    return read


FACTOR = Number(0, 1, above=True, below=True)


class Step(Model):
    """`schedule: {step: ...}` as it is written: `every` so many epochs, or `at` these."""

    every: Annotated[int, EPOCHS] = 0
    at: Annotated[tuple[int, ...], Form(_epochs, "a list of epochs")] = ()
    factor: Annotated[float, FACTOR] = 0.1

    def agree(self) -> None:
        if bool(self.every) == bool(self.at):
            raise Problems([self._problem()])

    def _problem(self) -> Problem:
        hint = "write `every: 30` or `at: [30, 60]`"
        if not self.every:
            return Problem("missing-key", "`every` is missing", hint)
        message = "a step schedule has `every` or `at`, and this has both"
        hint = "remove one of the two; where it is inherited, `null` does"
        return Problem("conflicting-keys", message, hint, ("every",), True, ("at",))


class Schedule(Model):
    """The learning rate over the epochs, without the warm-up.

    Of a "step": it is multiplied with `factor` every `every` epochs, or after the epochs `at`.
    """

    kind: Literal["constant", "linear", "cosine", "step"]
    every: int = 0
    at: tuple[int, ...] = ()
    factor: float = 0.1


def schedule_of(value: Any) -> Schedule:
    """A schedule from what is written; raises `Problems`."""
    example = "`{step: {every: 30, factor: 0.1}}`"
    expected = f"{words(CURVES)}, or {example}"
    if isinstance(value, str):
        if value not in CURVES:
            near = did_you_mean(value, [*CURVES, "step"], "there are")
            hint = f"write {example}" if value == "step" else str(near)
            fail("unknown-name", f"there is no schedule `{value[:40]}`", hint)
        return Schedule.model_construct(kind=value)
    step = of_map(_Stepwise, value, expected).step
    return Schedule.model_construct(kind="step", **dict(step))


def _step_of(value: Any) -> Step:
    return of_map(Step, value, "`{every: 30, factor: 0.1}`")


class _Stepwise(Model):
    step: Annotated[Step, Form(_step_of, "")]


# Noise --------------------------------------------------------------------------------


class Noise(Model):
    """Standard deviations of Gaussian noise; 0 is none.

    Attributes:
        inputs: on the normalised images.
        activations: on what leaves each stage.
    """

    inputs: Annotated[float, STRENGTH] = 0.0
    activations: Annotated[float, STRENGTH] = 0.0


def noise_of(value: Any) -> Noise:
    """Noise from what is written; a number alone is on the inputs. Raises `Problems`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Noise.model_construct(inputs=STRENGTH.read(value))
    return of_map(Noise, value, f"{STRENGTH} or a map", "write `{inputs: 0.05, activations: 0.1}`")


# Augmentation -------------------------------------------------------------------------


class RandAugment(Model):
    """RandAugment (Cubuk et al., 2020): `layers` operations an image, of a strength of ten."""

    layers: Annotated[int, Number(1, 10, whole=True)] = 2
    magnitude: Annotated[float, Number(0, 10)]


def rand_augment_of(value: Any) -> RandAugment:
    """A magnitude alone, or with the number of operations; raises `Problems`."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return RandAugment.read({"magnitude": value})
    return of_map(RandAugment, value, "a magnitude or a map", "write `{layers: 2, magnitude: 6}`")


def resized_crop_of(value: Any) -> tuple[float, float]:
    """The least and the greatest share of the area; raises `Problems`."""
    if not isinstance(value, list) or len(value) != 2:
        hint = "write `resized_crop: [0.08, 1]`"
        fail("wrong-type", f"expected two shares of the area, found {describe(value)}", hint)
    low, high = numbers(value, AREA)
    if low > high:
        fail("out-of-range", f"`{value[0]}` to `{value[1]}` is no range", "the smaller one first")
    return low, high


AREA = Number(0, 1, above=True)


class Augment(Model):
    """Changes of the training images, at random.

    Attributes:
        flip: mirrored left to right, half of the time.
        crop: pixels of padding, of which a random window is cut.
        erase: probability that a rectangle is blotted out (Zhong et al., 2017).
        resized_crop: the share of the area that is cut out and resized (the Inception crop).
        rand_augment: RandAugment, if it is asked for.
    """

    flip: Annotated[bool, Flag()] = False
    crop: Annotated[int, Number(0, 1024, whole=True)] = 0
    erase: Annotated[float, Number(0, 1)] = 0.0
    resized_crop: Annotated[
        tuple[float, float] | None, Form(resized_crop_of, "two shares of the area")
    ] = None
    rand_augment: Annotated[
        RandAugment | None, Form(rand_augment_of, "a magnitude, or `{layers, magnitude}`")
    ] = None


def augment_of(value: Any) -> Augment:
    """Augmentation from what is written; raises `Problems`."""
    return of_map(Augment, value, "a map", "write e.g. `{flip: true, crop: 4}`")
