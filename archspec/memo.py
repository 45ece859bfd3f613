"""Work that many specs share, done once: results of pure functions, by their arguments.

A key holds every argument of a function by value, so a result never depends on the first caller or
on a file. `Memo` is passed in; without one (None), everything is computed again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

MOST = 12000  # results; then all are dropped
_MISSING: Any = object()


class Memo:
    """Results by function and arguments. Threads may share one: at worst, they compute a result
    twice.
    """

    def __init__(self, known: dict[Any, Any] | None = None) -> None:
        self.known: dict[Any, Any] = {} if known is None else known

    def trimmed(self) -> Memo:
        """The memo, cleared if it is too large. Call it between two specs."""
        if len(self.known) > MOST:
            self.known = {}
            gc.collect()  # expanded networks contain cycles
        return self

    def session(self) -> Memo:
        """The same results, which are not cleared in the middle of a network."""
        return Memo(self.known)


def canonical(memo: Memo | None, key: Any, value: T) -> T:
    """The first of all values with an equal key, so that equal values are one object.

    Keys that contain them are then compared by identity, which is cheap and always correct.
    """
    kept: T = value if memo is None else memo.known.setdefault(key, value)
    return kept


def remember(function: F) -> F:
    """Memoize a pure function of hashable arguments in the `memo` that is passed to it."""

    @wraps(function)
    def remembered(*args: Any, memo: Memo | None, **ambient: Any) -> Any:
        if memo is None:
            return function(*args, memo=memo, **ambient)
        known, key = memo.known, (function, args)
        found = known.get(key, _MISSING)  # one lookup, because keys are slow to hash
        if found is _MISSING:
            found = known.setdefault(key, function(*args, memo=memo, **ambient))
        return found

    return remembered  # type: ignore[return-value]


def remember_by_reads(function: F) -> F:
    """The same for a function that only reads part of its last argument, a mapping.

    The result lists the names it read in `.reads`; only their values distinguish results.
    """

    @wraps(function)
    def remembered(*args: Any, memo: Memo | None, **ambient: Any) -> Any:
        if memo is None:
            return function(*args, memo=memo, **ambient)
        *others, names = args
        known, key = memo.known, (function, *others)
        for reads in known.get(key, ()):
            found = known.get((key, reads, _seen(reads, names)), _MISSING)
            if found is not _MISSING:
                return found
        result = function(*args, memo=memo, **ambient)
        reads = tuple(sorted(result.reads))
        known[key] = (*(r for r in known.get(key, ()) if r != reads), reads)
        return known.setdefault((key, reads, _seen(reads, names)), result)

    return remembered  # type: ignore[return-value]


def _seen(reads: Iterable[str], names: Any) -> tuple[Any, ...]:
    """The values that were read; None for a name that is not defined."""
    return tuple(map(names.get, reads))


def frozen(data: Any) -> Any:
    """Plain data as a key. Strict in type: 1, 1.0, and `true` differ, as they do in a spec."""
    if isinstance(data, str):
        return data
    if data is None or isinstance(data, (int, float)):
        return data.__class__, data
    if isinstance(data, (dict, Mapping)):
        return ("map", *data, *map(frozen, data.values()))
    if isinstance(data, (list, tuple)):
        return ("list", *map(frozen, data))
    return data.__class__, data
