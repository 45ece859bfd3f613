"""Pieces that many specs have in common, read and opened once.

While `sharing`, what is written alike is the same object, whoever wrote it first, so the lines it
points to may be another spec's. That is good enough to tell that a spec has no findings, which is
the rule in a run over thousands; one that has some is checked again by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from archspec.source.data import Map

T = TypeVar("T")

MOST = 10_000  # pieces of a kind; then all are forgotten


class Store:
    """What was read and opened so far, within limits."""

    def __init__(self) -> None:
        self.pieces: dict[Any, Any] = {}
        self.same: dict[Any, tuple[Any, Any]] = {}  # by identity; the object is kept, so it is one
        self.networks: dict[Any, dict[Any, Any]] = {}
        self.opened = 0
        self.checked: dict[Any, Any] = {}
        self.bound: dict[Any, Any] = {}
        self.files: dict[Any, Any] = {}
        self.singles: dict[Any, Any] = {}
        self.stages: dict[Any, Any] = {}
        self.ops: dict[Any, Any] = {}
        self.numbers: dict[Any, int] = {}
        self.numbers_of: dict[int, tuple[object, int]] = {}

    def number(self, key: Any) -> int:
        """A number for each key that differs: cheap to compare, again and again."""
        return self.numbers.setdefault(key, len(self.numbers))

    def numbered(self, value: object, key: Any) -> int:
        """The same for an object that is met again, by its identity."""
        known = self.numbers_of.get(id(value))
        if known is None:
            known = self.numbers_of[id(value)] = value, self.number(key())
        return known[1]

    def within_limits(self) -> None:
        """Between two specs: too much is forgotten, all at once, for pieces lean on others."""
        kinds: list[Any] = [self.pieces, self.same, self.checked, self.bound]
        kinds += [self.files, self.singles, self.stages, self.ops, self.numbers]
        if len(self.numbers_of) > MOST:
            self.numbers_of.clear()
        if max(self.opened, *map(len, kinds)) > MOST:
            self.__init__()  # type: ignore[misc]


_store: Store | None = None


def store() -> Store | None:
    """What is shared at the moment."""
    return _store


@contextmanager
def sharing(with_: Store) -> Iterator[None]:
    """Specs that are read inside the `with` block share their pieces."""
    global _store
    _store, before = with_, _store
    with_.within_limits()
    try:
        yield
    finally:
        _store = before


def shared(kind: Any, value: Any, make: Callable[[], T]) -> T:
    """What `make` gives for this value, made once for all that are written alike."""
    if _store is None or not isinstance(value, (dict, list)):
        return make()
    by_identity = (kind, id(value))
    if by_identity in _store.same:
        made: T = _store.same[by_identity][1]
        return made
    key = (kind, signature(value))
    if key not in _store.pieces:
        _store.pieces[key] = make()
    made = _store.pieces[key]
    if _is_kept(value):
        _store.same[by_identity] = (value, made)
    return made


def shared_file(kind: Any, path: str, make: Callable[[], T]) -> T:
    """What a file is or holds, looked at once."""
    if _store is None:
        return make()
    key = (kind, path)
    if key not in _store.files:
        _store.files[key] = make()
    made: T = _store.files[key]
    return made


def shared_merge(base: Any, over: Any, make: Callable[[], T]) -> T:
    """A spec that others extend, laid over what it extends itself."""
    return shared_pair(base, over, make) if _is_kept(over) else make()


def shared_pair(one: object, other: object, make: Callable[[], T]) -> T:
    """What is made of two objects that are shared themselves."""
    if _store is None:
        return make()
    key = (id(one), id(other))
    if key not in _store.same:
        _store.same[key] = ((one, other), make())
    made: T = _store.same[key][1]
    return made


def _is_kept(value: Any) -> bool:
    """Whether it comes from a file that others extend, and will be met again as it is."""
    span = getattr(value, "span", None)
    return span is not None and span.file != HERE


HERE = "<spec>"  # the name of the file that is read, while pieces are shared


def signature(value: Any) -> Any:
    """Equal for data that is written alike, in the same file or in a spec's own."""
    if isinstance(value, dict):
        spans = value.key_spans if isinstance(value, Map) else {}
        return tuple(
            (key, key in spans and spans[key].file, signature(part)) for key, part in value.items()
        )
    if isinstance(value, list):
        return ("list", *map(signature, value))
    return value.__class__, value
