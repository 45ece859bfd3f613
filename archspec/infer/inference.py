"""The result of an inference, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.records import Record

MOST_SKIPPED = 12
UNKNOWN = (
    "strides, and with them the size of the input",
    "activations, and whether they are in place",
    "pools and anti-aliasing",
    "padding and dilation",
    "dropout and stochastic depth",
    "eps and momentum of norms",
)


class Inference(Record):
    """The result of an inference.

    `text` is a spec with exactly these names and shapes, or None if none was found; then `reasons`
    explains why. The spec extends `base`, which is in `file` if it is the user's own; `unchanged`
    is True if the base itself has these names and shapes. `alternatives` are specs with the same
    names and shapes that may compute something else. `guesses` are choices made for this spec,
    `unknown` is what shapes never determine, and `skipped` are files that may be specs but were not
    read.
    """

    text: str | None = None
    base: str | None = None
    alternatives: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    unknown: tuple[str, ...] = UNKNOWN
    reasons: tuple[str, ...] = ()
    file: str | None = None
    unchanged: bool = False
    skipped: tuple[str, ...] = ()

    @property
    def notes(self) -> str:
        """Everything except the text, for people."""
        if self.text is None:
            lines = ["no spec matches these names and shapes:"]
            lines += [f"  - {reason}" for reason in self.reasons]
        else:
            lines = list(self._found())
        lines += [f"skipped: {reason}" for reason in self.skipped[:MOST_SKIPPED]]
        more = len(self.skipped) - MOST_SKIPPED
        return "\n".join([*lines, f"skipped: {more} more"] if more > 0 else lines)

    def _found(self) -> Iterator[str]:
        itself = ", which itself has these names and shapes" if self.unchanged else ""
        yield f"extends {self.file or self.base}{itself}" if self.base else "extends no other spec"
        if self.alternatives:
            listed = ", ".join(self.alternatives)
            yield f"same names and shapes, but possibly a different computation: {listed}"
        yield from (f"guessed: {guess}" for guess in self.guesses)
        yield f"shapes do not determine: {'; '.join(self.unknown)}"
