"""Locations in a document, as paths.

Values that are read, expanded, and memoized contain no line of any file, so that equal text is an
equal value in every file. Lines are looked up when a finding is reported
(`archspec.language.lines`).
"""

from collections.abc import Mapping
from typing import NamedTuple

Path = tuple[str | int, ...]


class At(NamedTuple):
    """A path into the document of a block, or of the spec itself (`block` is "").

    `parts` is not empty for the layers given for a part, wherever the caller of the block wrote
    them:
    the path then starts there. Of several parts, each is a part in the place where the part before
    it
    was written. `key` means the key of the path, not its value.
    """

    path: Path = ()
    block: str = ""
    parts: tuple[str, ...] = ()
    key: bool = False

    def below(self, *steps: str | int, key: bool = False) -> "At":
        """A location further down."""
        return At((*self.path, *steps), self.block, self.parts, key)


class Origin(NamedTuple):
    """Where the layers given for a part are written, and where the parts that they name are."""

    at: At | None = None
    inner: "Mapping[str, Origin] | None" = None

    def inside(self, part: str) -> "Origin":
        """The origin of a part that is named where this one is written."""
        if self.inner is not None:
            return self.inner.get(part, NOWHERE)
        if self.at is None or not self.at.parts:
            return NOWHERE
        return Origin(At(parts=(*self.at.parts, part)))


NOWHERE = Origin()
Given = At | str | None  # where an argument is set: there, as an argument of the enclosing block


class Use(NamedTuple):
    """The use of a block: where it is named, and where its parts and arguments are set."""

    at: At
    block: str
    parts: Mapping[str, Origin]
    args: Mapping[str, Given]

    def outside(self, at: At) -> At | None:
        """A location inside the block as one of its caller; None if it is not written anywhere."""
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

    `named` is where a body names the part that the location is in, in case that is not written
    anywhere. `given` is the argument whose value is wrong: a name while the finding is inside the
    block
    that has it, and a location once that is known. `uses` are the uses of blocks that led here,
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

    def outside(self, use: Use) -> "Finding":
        """The finding for the caller of the block."""
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
