"""Places: where something is written, as a path into a document.

What is read, expanded and remembered holds no line of any file, so that equal text is an equal
value whoever wrote it. Lines are looked up when a finding is reported (`archspec.language.lines`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Path = tuple[str | int, ...]


class At(NamedTuple):
    """A path into the document of a block, or of the spec itself (`block` is "").

    `parts` is not empty where the layers that fill a part are meant, wherever the user of the
    block wrote them: the path then starts there. Of several parts, each is one of the place where
    the part before it was written. `key` means the key of the path, not its value.
    """

    path: Path = ()
    block: str = ""
    parts: tuple[str, ...] = ()
    key: bool = False

    def below(self, *steps: str | int, key: bool = False) -> At:
        """A place further down."""
        return At((*self.path, *steps), self.block, self.parts, key)


class Origin(NamedTuple):
    """Where the layers that fill a part are written, and where the parts that they name are."""

    at: At | None = None
    inner: Mapping[str, Origin] | None = None

    def inside(self, part: str) -> Origin:
        """The origin of a part that is named where this one is written."""
        if self.inner is not None:
            return self.inner.get(part, NOWHERE)
        if self.at is None or not self.at.parts:
            return NOWHERE
        return Origin(At(parts=(*self.at.parts, part)))


NOWHERE = Origin()
Given = At | str | None  # where an argument is given: there, as an argument of the block around


class Use(NamedTuple):
    """The use of a block: where it is named, and where its parts and arguments are given."""

    at: At
    block: str
    parts: Mapping[str, Origin]
    args: Mapping[str, Given]

    def outside(self, at: At) -> At | None:
        """A place inside the block as a place of its user; None if nobody wrote it."""
        if not at.parts:
            return at
        first, *rest = at.parts
        origin = self.parts.get(first, NOWHERE)
        for part in rest:
            origin = origin.inside(part)
        if origin.at is None:
            return None
        return origin.at.below(*at.path, key=at.key)


class Finding(NamedTuple):
    """A finding inside a block or the spec, before its lines are looked up.

    `named` is where a body names the part that the place is in, in case nobody wrote that. `given`
    is the argument whose value is at fault: a name while the finding is inside the block
    that has it, a place once that is known. `uses` are the uses of blocks that led here, the
    innermost first.
    """

    rule: str
    message: str
    at: At | None
    hint: str = ""
    labels: tuple[tuple[At, str], ...] = ()
    given: Given = None
    uses: tuple[tuple[At, str], ...] = ()
    named: At | None = None

    def outside(self, use: Use) -> Finding:
        """The finding as the user of the block sees it."""
        given = use.args.get(self.given) if isinstance(self.given, str) else self.given
        labels = ((use.outside(at), text) for at, text in self.labels)
        uses = [(use.outside(at) or use.at, block) for at, block in self.uses]
        places = (use.outside(at) for at in (self.at, self.named) if at)
        return self._replace(
            at=next(filter(None, places), use.at),
            named=None,
            labels=tuple((at, text) for at, text in labels if at),
            given=given,
            uses=(*uses, (use.at, use.block)),
        )
