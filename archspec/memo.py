"""What many specs have in common, worked out once: results of pure functions, by their arguments.

A key holds every argument of a function by value, so a result never depends on who asked first,
nor on a file. `Memo` is passed in; without one (None) everything is worked out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

MOST = 5000  # results; then all are forgotten


class Memo:
    """Results by function and arguments. Threads may share one: a result is at worst made twice."""

    def __init__(self, known: dict[Any, Any] | None = None) -> None:
        self.known: dict[Any, Any] = {} if known is None else known

    def trimmed(self) -> Memo:
        """The memo, which forgets everything if it is too much. Call it between two specs."""
        if len(self.known) > MOST:
            self.known = {}
        return self

    def session(self) -> Memo:
        """The same results, of which nothing is forgotten in the middle of a network."""
        return Memo(self.known)


def canonical(memo: Memo | None, key: Any, value: T) -> T:
    """The first of all values with an equal key, so that equal values are one object.

    Keys that hold them are then compared by identity, which is cheap and never wrong.
    """
    kept: T = value if memo is None else memo.known.setdefault(key, value)
    return kept


def remember(function: F) -> F:
    """Remembers a pure function of hashable arguments in the `memo` that is passed to it."""

    @wraps(function)
    def remembered(*args: Any, memo: Memo | None, **ambient: Any) -> Any:
        if memo is None:
            return function(*args, memo=memo, **ambient)
        known, key = memo.known, (function, args)
        if key in known:
            return known[key]
        return known.setdefault(key, function(*args, memo=memo, **ambient))

    return remembered  # type: ignore[return-value]


def remember_by_reads(function: F) -> F:
    """The same for a function whose last argument is a mapping that is read in part.

    The result says in `.reads` which names were read; only their values tell results apart.
    """

    @wraps(function)
    def remembered(*args: Any, memo: Memo | None, **ambient: Any) -> Any:
        if memo is None:
            return function(*args, memo=memo, **ambient)
        *others, names = args
        known, key = memo.known, (function, *others)
        for reads in known.get(key, ()):
            seen = (key, reads, _seen(reads, names))
            if seen in known:
                return known[seen]
        result = function(*args, memo=memo, **ambient)
        reads = tuple(sorted(result.reads))
        known[key] = (*(r for r in known.get(key, ()) if r != reads), reads)
        return known.setdefault((key, reads, _seen(reads, names)), result)

    return remembered  # type: ignore[return-value]


def _seen(reads: Iterable[str], names: Any) -> tuple[Any, ...]:
    """What is read, where a name that means nothing is None."""
    return tuple(names.get(name) for name in reads)


def frozen(data: Any) -> Any:
    """Plain data as a key. Strict in type: 1, 1.0 and `true` differ, as they do in a spec."""
    if isinstance(data, str):
        return data
    if data is None or isinstance(data, (int, float)):
        return data.__class__, data
    if isinstance(data, (dict, Mapping)):
        return ("map", *data, *map(frozen, data.values()))
    if isinstance(data, (list, tuple)):
        return ("list", *map(frozen, data))
    return data.__class__, data
