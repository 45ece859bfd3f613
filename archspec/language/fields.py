"""Fields of models: plain functions read them, and pydantic tells what is wrong.

Building pydantic's validators takes longer than all else that lint does for a clean spec. So a
model is read by the functions of its fields first, and by pydantic if anything does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from operator import ge, le
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticUndefined, core_schema

from archspec.language.problems import Problems, to_pydantic
from archspec.source.shared import shared

Read = Callable[[Any], Any]
Limits = Sequence[tuple[Callable[[Any, Any], bool], Any]]

_SCALARS = (bool, int, str)
_LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "ge": ge,
    "le": le,
    "min_length": lambda value, limit: len(value) >= limit,
    "max_length": lambda value, limit: len(value) <= limit,
}


class Unfit(Exception):
    """A value that is wrong, or that pydantic alone can tell."""


class Value:
    """What a key takes. A validator and no more: pydantic's own looks at signatures and at what
    is annotated."""

    def read(self, value: Any) -> Any:
        """The value of what is written; raises `Problems`."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """The JSON Schema; `archspec.schema` says it where this is empty."""
        return {}

    def _validate(self, value: Any) -> Any:
        try:
            return self.read(value)
        except Problems as error:
            raise to_pydantic(error) from None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return self.schema()


class Reads(Value):
    """What a function reads."""

    def __init__(self, read: Any, *how: Any) -> None:
        self._read, self._how = read, how

    def read(self, value: Any) -> Any:
        return shared(self, value, partial(self._read, value, *self._how))


class ReadsParts(Reads):
    """The same for what is seldom written alike, while its parts may be."""

    def read(self, value: Any) -> Any:
        return self._read(value, *self._how)


class Model(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, defer_build=True
    )

    def agree(self) -> None:
        """Raises `Problems` for fields that do not go together."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        try:
            self.agree()
        except Problems as error:
            raise to_pydantic(error) from None
        return self

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """As `model_validate`, in a fraction of the time where nothing is wrong."""
        step = _step.get()
        if step == "telling":
            return cls.model_validate(dict(given))
        if step == "reading":  # what does not fit ends the whole of it
            return cls._read(given)
        try:
            with _as("reading"):
                return cls._read(given)
        except Unfit:
            with _as("telling"):
                return cls.model_validate(dict(given))

    @classmethod
    def _read(cls, given: Mapping[str, Any]) -> Self:
        fields = _fields(cls)
        if not given.keys() <= fields.keys():
            raise Unfit
        values: dict[str, Any] = {}
        try:
            for key, (name, read, default) in fields.items():
                values[name] = read(given[key]) if key in given else _default(default)
            written = {fields[key][0] for key in given}
            model = cls.model_construct(written, **values)
            model.agree()
        except Problems:
            raise Unfit from None
        return model


_step: ContextVar[str] = ContextVar("step", default="")


@contextmanager
def _as(step: str) -> Iterator[None]:
    token = _step.set(step)
    try:
        yield
    finally:
        _step.reset(token)


def _default(value: Any) -> Any:
    if value is PydanticUndefined:
        raise Unfit
    return dict(value) if type(value) is dict else value


@cache
def _fields(model: type[Model]) -> dict[str, tuple[str, Read, Any]]:
    """Key -> name of the field, its reader, its default."""
    return {
        field.alias or name: (name, _reader(field.annotation, field.metadata), field.default)
        for name, field in model.model_fields.items()
    }


def _reader(kind: Any, marks: Sequence[Any] = ()) -> Read:
    """A function that takes what pydantic takes in silence, and raises `Unfit` for the rest."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _reader(
            inner[0], [m for mark in inner[1:] for m in getattr(mark, "metadata", [mark])]
        )
    if own := next((mark for mark in marks if isinstance(mark, Value)), None):
        return own.read
    if origin in (Union, UnionType) and len(inner) == 2 and inner[1] is NoneType:
        return partial(_optional, _reader(inner[0], marks))
    limits = [
        (fits, getattr(m, name))
        for m in marks
        for name, fits in _LIMITS.items()
        if hasattr(m, name)
    ]
    if origin is list:
        return partial(_list, _reader(inner[0]), limits)
    if origin is dict and inner[0] is str:
        return partial(_dict, _reader(inner[1]), limits)
    if isinstance(kind, type) and issubclass(kind, Model):
        return lambda value: kind.read(_checked(value, isinstance(value, dict)))
    if kind in _SCALARS:
        return lambda value: _checked(value, type(value) is kind, limits)
    choices = inner if origin is Literal else ()
    return lambda value: _checked(value, kind is Any or value in choices)


def _optional(read: Read, value: Any) -> Any:
    return None if value is None else read(value)


def _list(read: Read, limits: Limits, value: Any) -> list[Any]:
    return [read(part) for part in _checked(value, isinstance(value, list), limits)]


def _dict(read: Read, limits: Limits, value: Any) -> dict[str, Any]:
    found = _checked(value, isinstance(value, dict), limits)
    return {_checked(key, type(key) is str): read(part) for key, part in found.items()}


def _checked(value: Any, right: bool, limits: Limits = ()) -> Any:
    if not right or not all(fits(value, limit) for fits, limit in limits):
        raise Unfit
    return value
