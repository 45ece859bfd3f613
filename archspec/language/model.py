"""The base of all models of a spec: strict, closed, immutable; fields that a function reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationInfo, model_validator

from archspec.language.problems import Problems, to_pydantic
from archspec.memo import Memo, canonical, frozen

T = TypeVar("T")


class Model(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, defer_build=True
    )

    def agree(self) -> None:
        """Raises `Problems` for fields that conflict."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        try:
            self.agree()
        except Problems as error:
            raise to_pydantic(error) from None
        return self


def reads(function: Callable[..., Any], *how: Any) -> PlainValidator:
    """A field that a function reads; it raises `Problems`."""

    def validate(value: Any) -> Any:
        try:
            return function(value, *how)
        except Problems as error:
            raise to_pydantic(error) from None

    return PlainValidator(validate)


def reads_pieces(function: Callable[[Any, Memo | None], Any]) -> PlainValidator:
    """The same for a function whose results specs share."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        return reads(partial(function, memo=info.context)).func(value)  # type: ignore[call-arg]

    return PlainValidator(validate)


def piece(read: Callable[[Any], T], value: Any, memo: Memo | None) -> T:
    """The result of a function for a value, computed once for equal values."""
    if memo is None:
        return read(value)
    key = (read, frozen(value))
    known: dict[Any, T] = memo.known
    return known[key] if key in known else canonical(memo, key, read(value))
