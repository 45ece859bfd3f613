"""Immutable records: dataclasses that share their methods.

`@dataclass(frozen=True)` compiles methods for each class, in every run, which takes longer than
linting a spec. Subclasses of `Record` are dataclasses that inherit their methods: `field`,
`fields`, `replace`, and `match` work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields, is_dataclass
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar, NoReturn, dataclass_transform


def _default(f: Field[Any]) -> Callable[[], Any]:
    """What makes the value of a field that is not given."""
    if f.default_factory is not MISSING:
        return f.default_factory
    return partial(_missing, f.name) if f.default is MISSING else lambda: f.default


def _missing(name: str) -> NoReturn:
    raise TypeError(f"missing required argument: {name!r}")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Record:
    """The base of immutable dataclasses. With `eq=False`, only the same object is equal."""

    _defaults: ClassVar[tuple[tuple[str, Callable[[], Any]], ...]]
    __match_args__: ClassVar[Any]
    _compared: ClassVar[attrgetter[Any]]

    def __init_subclass__(cls, eq: bool = True) -> None:
        if cls.__annotations__ or not is_dataclass(cls):  # else it has the fields of its base
            own: Any = dataclass(init=False, repr=False, eq=False)(cls)
            known = sorted(fields(own), key=attrgetter("kw_only"))
            cls._defaults = tuple((f.name, _default(f)) for f in known)
            cls._compared = attrgetter("__class__", *(f.name for f in known if f.compare))
        same = Record if eq else object
        if "__eq__" not in cls.__dict__ and cls.__eq__ is not same.__eq__:
            cls.__eq__, cls.__hash__ = same.__eq__, same.__hash__  # type: ignore[method-assign]

    def __init__(self, *values: Any, **named: Any) -> None:
        put, defaults = object.__setattr__, self._defaults
        for (name, _), value in zip(defaults, values):  # noqa: B905
            put(self, name, value)
        for name, default in defaults[len(values) :]:
            put(self, name, named.pop(name) if name in named else default())
        if named or len(values) > len(self.__match_args__):  # `kw_only` fields are not in it
            wrong = [*map(repr, values[len(self.__match_args__) :]), *named]
            raise TypeError(f"unexpected arguments: {', '.join(wrong)}")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        same: bool = self._compared(self) == self._compared(other)
        return same

    def __hash__(self) -> int:
        return hash(self._compared(self))

    def __repr__(self) -> str:
        shown = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)  # type: ignore[arg-type]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __setattr__(self, name: str, _: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
