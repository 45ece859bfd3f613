"""The base of all models of a spec: strict, closed, immutable; fields that a function reads."""

from collections.abc import Callable
from typing import Any, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic_core import CoreSchema, core_schema

from archspec.language.problems import Problems, to_pydantic
from archspec.memo import Memo, canonical, frozen

T = TypeVar("T")


class Model(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    def agree(self) -> None:
        """Raises `Problems` for fields that conflict."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        try:
            self.agree()
        except Problems as error:
            raise to_pydantic(error) from None
        return self


class ReadField(NamedTuple):
    """A field that a function reads; pydantic does not inspect its type."""

    validate: Callable[..., Any]
    plain: Callable[..., CoreSchema] = core_schema.no_info_plain_validator_function

    def __get_pydantic_core_schema__(self, *_: Any) -> CoreSchema:
        return self.plain(self.validate, json_schema_input_schema=core_schema.any_schema())


def reads(function: Callable[..., Any], *how: Any) -> ReadField:
    """A field that a function reads; it raises `Problems`."""

    def validate(value: Any) -> Any:
        return _read(function, value, *how)

    return ReadField(validate)


def reads_pieces(function: Callable[[Any, Memo | None], Any]) -> ReadField:
    """The same for a function whose results specs share."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        return _read(function, value, info.context)

    return ReadField(validate, core_schema.with_info_plain_validator_function)


def _read(function: Callable[..., Any], *values: Any) -> Any:
    try:
        return function(*values)
    except Problems as error:
        raise to_pydantic(error) from None


def piece(read: Callable[[Any], T], value: Any, memo: Memo | None) -> T:
    """The result of a function for a value, computed once for equal values."""
    if memo is None:
        return read(value)
    key = (read, frozen(value))
    known: dict[Any, T] = memo.known
    return known[key] if key in known else canonical(memo, key, read(value))
