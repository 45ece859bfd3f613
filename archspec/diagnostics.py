"""What a person sees when something is wrong: a value, never a traceback.

Every finding of archspec is a `Diagnostic`. In Python, functions raise `SpecError`, whose
`.diagnostics` are these values; the command line prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from archspec.record import record, replace

LONGEST_MESSAGE = 1000
MOST_LABELS = 5
MOST_CHOICES = 300
LONGEST_WORD = 60
Severity = Literal["error", "warning"]


class Span(NamedTuple):
    """A stretch of a file. Lines and columns count from 1, `end_column` is exclusive."""

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@record
class Label:
    """A second place that a finding speaks of, and what is to be seen there."""

    span: Span
    text: str


@record
class Edit:
    """New text for a stretch of a file."""

    span: Span
    text: str


@record
class Fix:
    """Edits that mend a finding and change nothing else; `lint --fix` applies them."""

    message: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: which rule, where, what was found, and what to write instead."""

    rule: str
    message: str
    span: Span | None = None
    hint: str = ""
    labels: tuple[Label, ...] = ()
    severity: Severity = "error"
    fix: Fix | None = None

    def __post_init__(self) -> None:
        if len(self.message) > LONGEST_MESSAGE:  # it quotes a stranger's file
            object.__setattr__(self, "message", self.message[:LONGEST_MESSAGE] + "...")

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.severity} [{self.rule}] {self.message}{hint}"


class SpecError(Exception):
    """A spec that cannot be used. `.diagnostics` holds every finding, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(set(diagnostics), key=_place))
        super().__init__("\n".join(map(str, self.diagnostics)))


class WeightsError(Exception):
    """Weights that do not fit a network; nothing was loaded.

    `missing` are the names that the network has and the file has not, `unexpected` the other way
    round; `mismatched` says the shapes of the file and of the network by name.
    """

    def __init__(
        self,
        message: str,
        missing: Iterable[str] = (),
        unexpected: Iterable[str] = (),
        mismatched: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] | None = None,
    ) -> None:
        super().__init__(message)
        self.missing, self.unexpected = tuple(missing), tuple(unexpected)
        self.mismatched = dict(mismatched or {})


class UnreadableFile(Exception):
    """A file that cannot be opened (exit code 2 on the command line)."""


def merged(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One finding of a rule at a place: the first, with the places that led to the others."""
    first: dict[tuple[str, Span | str], Diagnostic] = {}
    for finding in findings:
        key = finding.rule, finding.span or finding.message
        first[key] = _with_places(first[key], finding) if key in first else finding
    return list(first.values())


def _with_places(first: Diagnostic, other: Diagnostic) -> Diagnostic:
    known = {first.span, *(label.span for label in first.labels)}
    more = [label for label in other.labels if label.span not in known]
    room = max(0, MOST_LABELS - len(first.labels))
    return replace(first, labels=(*first.labels, *more[:room])) if more and room else first


def _place(diagnostic: Diagnostic) -> tuple[Span, str, str]:
    return diagnostic.span or Span(""), diagnostic.rule, diagnostic.message


class Hint(str):
    """What to write instead; `instead` is the very word, where only one comes into question."""

    wrong: str = ""
    instead: str = ""

    def at(self, span: Span | None) -> Fix | None:
        """The fix that writes that word at `span`, where the wrong one stands, maybe quoted."""
        width = span.end_column - span.column if span and span.line == span.end_line else 0
        if not self.instead or not span or width - len(self.wrong) not in (0, 2):
            return None
        if not self.wrong.replace("-", "_").isidentifier():  # `kernel 7` says more than `kernel`
            return None
        return Fix(f"write `{self.instead}`", (Edit(span, self.instead),))


def instead(text: str, wrong: str, word: str) -> Hint:
    """A hint that knows the word to write."""
    hint = Hint(text)
    hint.wrong, hint.instead = wrong, word
    return hint


def closest(wrong: str, choices: Iterable[str]) -> list[str]:
    """The choices that differ from `wrong` in a letter or two."""
    return alike(wrong.lower(), choices, 0.75)[:9]


def did_you_mean(wrong: str, choices: Iterable[str], what: str = "choose from") -> Hint:
    """A hint that names the nearest of `choices`, and all of them if they are few."""
    known = sorted(set(choices))
    near = alike(wrong.lower(), known, 0.6)[:2]
    close = closest(wrong, near)
    listed = f"{what}: {', '.join(known)}" if 0 < len(known) <= 60 else ""
    asked = f"did you mean `{near[0]}`?" if near else ""
    text = " ".join(filter(None, [asked, listed]))
    return instead(text, wrong, close[0] if len(close) == 1 else "")


def alike(wrong: str, choices: Iterable[str], least: float) -> list[str]:
    """The choices of which so large a part is in `wrong`, letter after letter; most alike first.

    Of too many choices, as only a hostile file has them, those that begin alike are looked at.
    """
    known = list(choices)
    if len(known) > MOST_CHOICES:
        known = [word for word in known if word[:1] == wrong[:1]][:MOST_CHOICES]
    if len(wrong) > LONGEST_WORD:
        return []
    places: dict[str, int] = {}
    for place, letter in enumerate(wrong):
        places[letter] = places.get(letter, 0) | 1 << place
    parts = [(_alike(word, places, len(wrong), least), word) for word in known]
    return [word for part, word in sorted(parts, reverse=True) if part >= least]


def _alike(word: str, places: Mapping[str, int], length: int, least: float) -> float:
    """Twice the longest common subsequence, a part of both lengths (Hyyrö, 2004: bit-parallel)."""
    both = length + len(word)
    if not both or 2 * min(length, len(word)) < least * both:
        return 0.0
    row = every = (1 << length) - 1
    for letter in word:
        met = row & places.get(letter, 0)
        row = ((row + met) | (row - met)) & every
    return 2 * (length - row.bit_count()) / both
