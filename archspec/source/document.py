"""Plain data, and where it is written.

Data is only dicts, lists, and scalars. Its locations are stored next to it in a `Document`, and are
looked up when a finding is reported. Documents share data: read it, never change it.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

from archspec.diagnostics import Span, dotted

Step = str | int


class Mark(NamedTuple):
    """The location of a value; for a mapping, those of its keys and values too."""

    span: Span
    keys: Mapping[str, Span] | None = None
    parts: "Mapping[str, Mark] | Sequence[Mark]" = ()
    quoted: bool = False


class Document:
    """A mapping and the locations of everything in it; `top` is None for data from Python.

    `gone` are the paths of what was removed from it because it has findings.
    """

    gone: Set[tuple[Step, ...]] = frozenset()

    def __init__(self, data: Mapping[str, Any], top: Mark | None = None) -> None:
        self.data = data
        self.top = top

    @property
    def file(self) -> str:
        """The file as displayed, "" if there is none."""
        return self.top.span.file if self.top else ""

    @property
    def extended(self) -> Span | None:
        """The location of `extends`."""
        return None

    @property
    def older(self) -> "Document | None":
        """The document that this one overrides, by `extends` or settings."""
        return None

    def span(self, path: Sequence[Step] = (), key: bool = False) -> Span | None:
        """The location of the value (or key) at a path, or of its last part that exists.

        A path may lead further if the document uses a shorthand (`conv: 64`), and a missing key is
        reported where it is missing. Data from Python has no lines: its location is the path
        itself.
        """
        if self.top is None:
            return Span("", path=dotted(path)) if path else None
        mark: Mark | None = self.top
        place = self.top.span
        for step in path:
            below = _below(mark, step)
            if mark is None or below is None:
                break
            place = mark.keys[step] if key and mark.keys is not None else below.span  # type: ignore[index]
            mark = below
        return place

    def mark(self, path: Sequence[Step]) -> Mark | None:
        """The mark of exactly the value at a path."""
        mark = self.top
        for step in path:
            mark = _below(mark, step)
        return mark

    def is_own(self, path: Sequence[Step]) -> bool:
        """Whether this is written in the document's own file, not in a base spec."""
        span = self.span(path)
        return span is None or span.file == self.file


def _below(mark: Mark | None, step: Step) -> Mark | None:
    if mark is None:
        return None
    if mark.keys is not None:
        return mark.parts.get(step) if isinstance(step, str) else None  # type: ignore[union-attr]
    parts: Any = mark.parts
    return parts[step] if isinstance(step, int) and step < len(parts) else None


class Part(Document):
    """A value inside a document, as a separate document: a block of a spec."""

    def __init__(self, whole: Document, *path: Step) -> None:
        data: Any = whole.data
        for step in path:
            data = data[step]
        super().__init__(data, whole.mark(path))
        self.whole, self.path = whole, path

    def span(self, path: Sequence[Step] = (), key: bool = False) -> Span | None:
        return self.whole.span((*self.path, *path), key)

    def mark(self, path: Sequence[Step]) -> Mark | None:
        return self.whole.mark((*self.path, *path))


class Inside(Document):
    """A document as if it were below a path of a larger one: a block's file as part of a spec."""

    def __init__(self, part: Document, *path: Step) -> None:
        data: Any = part.data
        for step in reversed(path):
            data = {step: data}
        super().__init__(data, part.top)
        self.part, self.path = part, path

    def span(self, path: Sequence[Step] = (), key: bool = False) -> Span | None:
        return self.part.span(path[len(self.path) :], key)

    def mark(self, path: Sequence[Step]) -> Mark | None:
        return self.part.mark(path[len(self.path) :])


class Merged(Document):
    """A document merged over another. `ours` marks, key by key, the values from `over`.

    A value of `ours` is True if everything comes from `over`, and a mapping if both have values;
    missing keys are inherited. Paths are the same in all three documents. `deletions` are the keys
    that `over` removes but that do not exist.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        base: Document,
        over: Document,
        ours: Mapping[str, Any],
        deletions: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(data, over.top)
        self.base, self.over, self.ours, self.deletions = base, over, ours, deletions

    @property
    def extended(self) -> Span | None:
        return self.over.span(("extends",)) if "extends" in self.over.data else None

    @property
    def older(self) -> Document:
        return self.base

    def span(self, path: Sequence[Step] = (), key: bool = False) -> Span | None:
        owner, path = self._owner(path)
        return owner.span(path, key)

    def mark(self, path: Sequence[Step]) -> Mark | None:
        owner, _ = self._owner(path)
        return owner.mark(path)

    def _owner(self, path: Sequence[Step]) -> tuple[Document, Sequence[Step]]:
        """The document with the value at a path, and the path as far as it exists."""
        here: Any = self.ours
        data: Any = self.data
        for place, step in enumerate(path):
            if not isinstance(data, Mapping) or step not in data:
                return self.over, path[:place]
            if step not in here:
                return self.base, path
            if here[step] is True:
                return self.over, path
            here, data = here[step], data[step]
        return self.over, path


class Changed(Document):
    """A document with some values overridden, at locations of their own, and some removed."""

    def __init__(
        self,
        data: Mapping[str, Any],
        before: Document,
        places: Mapping[tuple[Step, ...], Span | tuple[Step, ...]],
        gone: Set[tuple[Step, ...]] = frozenset(),
    ) -> None:
        super().__init__(data, before.top)
        self.before, self.places, self.gone = before, places, before.gone | gone

    @property
    def extended(self) -> Span | None:
        return self.before.extended

    @property
    def older(self) -> Document:
        return self.before.older or self.before

    def span(self, path: Sequence[Step] = (), key: bool = False) -> Span | None:
        for length in range(len(path), 0, -1):
            place = self.places.get(tuple(path[:length]))
            if isinstance(place, Span):
                return place
            if place is not None:  # it had another name
                return self.before.span((*place, *path[length:]), key)
        return self.before.span(path, key)

    def mark(self, path: Sequence[Step]) -> Mark | None:
        return self.before.mark(path)


def copied(data: Any) -> Any:
    """Copies of mappings and lists, which may be changed."""
    if isinstance(data, Mapping):
        return {key: copied(value) for key, value in data.items()}
    return [copied(value) for value in data] if isinstance(data, list) else data


def holds(data: Any, step: Step) -> bool:
    """Whether a mapping has a key, or a list an index; nothing else has any."""
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, Mapping) and step in data
