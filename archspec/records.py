"""Immutable records: dataclasses that share their methods.

`@dataclass(frozen=True)` compiles methods for each class, in every run, which takes longer than to
lint a spec. Subclasses of `Record` are dataclasses (`field`, `fields`, `replace`, and `match` work)
that inherit their methods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar, NoReturn, dataclass_transform


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Record:
    """The base of immutable dataclasses. With `eq=False`, only the same object is equal."""

    __match_args__: ClassVar[tuple[str, ...]]
    _required: ClassVar[tuple[str, ...]]
    _factories: ClassVar[dict[str, Callable[[], Any]]]
    _compared: ClassVar[attrgetter[Any]]

    def __init_subclass__(cls, eq: bool = True) -> None:
        own: Any = dataclass(init=False, repr=False, eq=False)(cls)
        known = fields(own)
        cls._factories = {
            f.name: f.default_factory for f in known if f.default_factory is not MISSING
        }
        cls._required = tuple(
            f.name for f in known if f.default is MISSING and f.default_factory is MISSING
        )
        cls._compared = attrgetter("__class__", *(f.name for f in known if f.compare))
        if not eq:
            cls.__eq__, cls.__hash__ = object.__eq__, object.__hash__  # type: ignore[method-assign]

    def __init__(self, *values: Any, **named: Any) -> None:
        """Set the fields; a default stays an attribute of the class."""
        put = object.__setattr__
        for name, value in zip(self.__match_args__, values):  # noqa: B905
            put(self, name, value)
        for name in named:
            put(self, name, named[name])
        for name in self._factories:
            if not hasattr(self, name):
                put(self, name, self._factories[name]())
        if len(values) < len(self._required):
            self._check()

    def _check(self) -> None:
        missing = [name for name in self._required if not hasattr(self, name)]
        if missing:
            raise TypeError(f"{type(self).__name__} requires {', '.join(missing)}")

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
