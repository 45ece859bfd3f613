"""What a key takes: one object checks it, and says it to people and to editors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from archspec.diagnostics import did_you_mean
from archspec.language.fields import Model, Value
from archspec.language.problems import Collector, Problems, describe, fail, problems_of
from archspec.source import boolean_hint

LARGEST = 1e6


@dataclass(frozen=True)
class Number(Value):
    """A number from `low` to `high`; `above` and `below`: the end itself is not taken."""

    low: float
    high: float = LARGEST
    whole: bool = False
    above: bool = False
    below: bool = False

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = f"{'above' if self.above else 'of at least'} {self.low:,}"
        if self.high == LARGEST:
            return f"{kind} {low}"
        if self.above or self.below:
            return f"{kind} {low} and {'below' if self.below else 'at most'} {self.high:,}"
        return f"{kind} from {self.low:,} to {self.high:,}"

    def read(self, value: Any) -> int | float:
        kinds = (int,) if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            fail("wrong-type", f"expected {self}, found {describe(value)}", self._hint(value))
        if not self._takes(value):
            fail("out-of-range", f"expected {self}, found {describe(value)}", self._limit(value))
        return int(value) if self.whole else float(value)

    def _takes(self, value: float) -> bool:
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        return low and high

    def _hint(self, value: Any) -> str:
        if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
            return f"write `{int(value)}`"
        if value is None:
            return "leave it out; `null` deletes what is inherited"
        return "a recipe has plain numbers, no expressions" if isinstance(value, str) else ""

    def _limit(self, value: float) -> str:
        return f"at most {self.high:,.0f} is taken" if value > self.high == LARGEST else ""

    def schema(self) -> dict[str, Any]:
        low = "exclusiveMinimum" if self.above else "minimum"
        high = "exclusiveMaximum" if self.below else "maximum"
        kind = "integer" if self.whole else "number"
        return {"type": [kind, "null"], low: self.low, high: self.high}


@dataclass(frozen=True)
class Flag(Value):
    """`true` or `false`."""

    def __str__(self) -> str:
        return "`true` or `false`"

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            hint = boolean_hint(value) if isinstance(value, str) else ""
            fail("wrong-type", f"expected {self}, found {describe(value)}", hint)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": ["boolean", "null"]}


@dataclass(frozen=True)
class Word(Value):
    """One of a few words; `what` they name."""

    what: str
    choices: tuple[str, ...]

    def __str__(self) -> str:
        return words(self.choices)

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            fail("wrong-type", f"expected {self}, found {describe(value)}")
        if value not in self.choices:
            hint = did_you_mean(value, self.choices, "there are")
            fail("unknown-name", f"there is no {self.what} `{value[:40]}`", hint)
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"enum": [*self.choices, None]}


def words(choices: Iterable[str]) -> str:
    """The choices as a person lists them."""
    *first, last = [f"`{choice}`" for choice in choices]
    return f"{', '.join(first)} or {last}" if first else last


def numbers(values: Iterable[Any], how: Number) -> list[int | float]:
    """A list of numbers, each told at its place."""
    found, read = Collector(), []
    for place, value in enumerate(values):
        with found.trying(place):
            read.append(how.read(value))
    found.finish()
    return read


M = TypeVar("M", bound=Model)


def of_map(model: type[M], value: Any, expected: str, hint: str = "") -> M:
    """A map read by its model."""
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected {expected}, found {describe(value)}", hint)
    try:
        return model.read(value)
    except ValidationError as error:
        raise Problems(problems_of(error, model.model_fields)) from None


def takes(model: type[Model], key: str) -> Value:
    """What a key of a model takes."""
    (value,) = (part for part in model.model_fields[key].metadata if isinstance(part, Value))
    return value
