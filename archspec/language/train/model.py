"""The base of all models of a recipe: their settings, and the types of their values."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from archspec.records import Record

LARGEST = 1_000_000.0

Epochs = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(ge=0, lt=1)]
Strength = Annotated[float, Field(ge=0, le=LARGEST)]
Factor = Annotated[float, Field(gt=0, le=1000)]


class Model(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def _not_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("null", "null is not a value")
    return value


#: For a key whose default is None: `null` removes an inherited key, and is never a value.
NOT_NULL = BeforeValidator(_not_null)


def error(rule: str, message: str, hint: str = "", **placed: Any) -> PydanticCustomError:
    """A finding for a validator to raise; `problems_of` reads it again."""
    context = {"key": False, "steps": 0, "because": (), **placed}
    return PydanticCustomError(rule, "{message}", {"message": message, "hint": hint, **context})


class Takes(Record):
    """The values that a key accepts, in words, if its type and limits do not say enough."""

    words: str
    hint: str


def alone(key: str, number: Any, model: type[Model]) -> BeforeValidator:
    """A mapping in which `key` may be given alone, as a number."""

    def spelled_out(value: Any) -> Any:
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        return {key: value} if plain else value

    return BeforeValidator(spelled_out, json_schema_input_type=model | number)


def listed(words: Iterable[str]) -> str:
    """Words, listed as in a sentence."""
    *first, last = [f"`{word}`" for word in words]
    comma = "," if len(first) > 1 else ""
    return f"{', '.join(first)}{comma} or {last}" if first else last
