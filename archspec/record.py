"""Values with named fields: what `dataclass(frozen=True)` makes, in a sixth of the time.

Most of a lint of one file is imports, and each dataclass compiles up to six functions. A record
compiles one, `__init__`; the others stand below. That nothing is changed, type checkers see.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


class _Factory:
    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:
    """A field whose default is made anew for each value."""
    return _Factory(default_factory)


@overload
def record(cls: type[T]) -> type[T]: ...
@overload
def record(*, eq: bool = True, frozen: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T] | None = None, *, eq: bool = True, frozen: bool = True) -> Any:
    """Gives a class its annotations as fields.

    Values compare and hash by them, without `eq` each is equal to itself alone. `frozen` is for
    type checkers.
    """
    if cls is None:
        return lambda later: _record(later, eq)
    return _record(cls, eq)


def replace(value: T, **changes: Any) -> T:
    """The value with other fields."""
    names: tuple[str, ...] = type(value).__match_args__  # type: ignore[attr-defined]
    return type(value)(**({name: getattr(value, name) for name in names} | changes))


def _record(cls: type[T], eq: bool) -> type[T]:
    own = [name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")]
    names = tuple(dict.fromkeys([*getattr(cls, "__match_args__", ()), *own]))
    methods = {"__init__": _init(cls, names), "__repr__": shown, "__match_args__": names}
    if eq and "__eq__" not in cls.__dict__:
        methods |= {"__eq__": equal, "__hash__": hashed}
    for name, method in methods.items():
        if name not in cls.__dict__ or name == "__hash__":
            setattr(cls, name, method)
    return cls


def _init(cls: type, names: tuple[str, ...]) -> Any:
    defaults = {f"_{name}": getattr(cls, name) for name in names if hasattr(cls, name)}
    parameters = [f"{name}=_{name}" if f"_{name}" in defaults else name for name in names]
    lines = [f"def __init__(self, {', '.join(parameters)}):"]
    for name in names:
        fresh = isinstance(defaults.get(f"_{name}"), _Factory)
        value = f"_{name}.make() if {name} is _{name} else {name}" if fresh else name
        lines.append(f" self.{name} = {value}")
    exec("\n".join(lines), defaults)
    return defaults["__init__"]


def equal(one: Any, other: object) -> Any:
    """`==` by the fields, between values of one class."""
    return one.__dict__ == other.__dict__ if other.__class__ is one.__class__ else NotImplemented


def hashed(value: Any) -> int:
    """`hash` by the fields."""
    return hash((*value.__dict__.values(),))


def shown(value: Any) -> str:
    """`repr`, as the call that makes the value."""
    fields = ", ".join(f"{name}={getattr(value, name)!r}" for name in value.__match_args__)
    return f"{type(value).__qualname__}({fields})"
