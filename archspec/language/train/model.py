"""What the models of a recipe have in common: their settings, and the types of their values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

LARGEST = 1_000_000.0

Epochs = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(ge=0, lt=1)]
Strength = Annotated[float, Field(ge=0, le=LARGEST)]
Factor = Annotated[float, Field(gt=0, le=1000)]


class Model(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_null(cls, value: Any) -> Any:
        """`null` deletes what is inherited; it is never a value, not even where None is one."""
        if value is None:
            raise PydanticCustomError("null", "null is no value")
        return value


def error(rule: str, message: str, hint: str = "", **placed: Any) -> PydanticCustomError:
    """A finding, to be raised by a validator; `problems_of` reads it again."""
    context = {"key": False, "steps": 0, "because": (), **placed}
    return PydanticCustomError(rule, "{message}", {"message": message, "hint": hint, **context})


class Takes(NamedTuple):
    """Says what a key takes, where its type and its limits say too little."""

    words: str
    hint: str


def alone(key: str, number: Any, model: type[Model]) -> BeforeValidator:
    """A map in which `key` may be written alone, as a number."""

    def spelled_out(value: Any) -> Any:
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        return {key: value} if plain else value

    return BeforeValidator(spelled_out, json_schema_input_type=model | number)


def listed(words: Iterable[str]) -> str:
    """Words as a person lists them."""
    *first, last = [f"`{word}`" for word in words]
    return f"{', '.join(first)} or {last}" if first else last
