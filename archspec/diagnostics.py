"""What a person sees when something is wrong: a value, never a traceback.

Every finding of archspec is a `Diagnostic`. In Python, functions raise `SpecError`, whose
`.diagnostics` are these values; the command line prints them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file. Lines and columns count from 1, `end_column` is exclusive."""

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that a finding speaks of, and what is to be seen there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """New text for a stretch of a file."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
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

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.severity} [{self.rule}] {self.message}{hint}"


class SpecError(Exception):
    """A spec that cannot be used. `.diagnostics` holds every finding, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(set(diagnostics), key=_place))
        super().__init__("\n".join(map(str, self.diagnostics)))


class UnreadableFile(Exception):
    """A file that cannot be opened (exit code 2 on the command line)."""


def _place(diagnostic: Diagnostic) -> tuple[Span, str, str]:
    return diagnostic.span or Span(""), diagnostic.rule, diagnostic.message


class Hint(str):
    """What to write instead; `instead` is the very word, where only one comes into question."""

    instead: str = ""

    def at(self, span: Span | None) -> Fix | None:
        """The fix that writes that word at `span`."""
        if not self.instead or span is None:
            return None
        return Fix(f"write `{self.instead}`", (Edit(span, self.instead),))


def instead(text: str, word: str) -> Hint:
    hint = Hint(text)
    hint.instead = word
    return hint


def did_you_mean(wrong: str, choices: Iterable[str], what: str = "choose from") -> Hint:
    """A hint that names the nearest of `choices`, and all of them if they are few."""
    known = sorted(set(choices))
    near = difflib.get_close_matches(wrong.lower(), known, n=2, cutoff=0.6)
    close = difflib.get_close_matches(wrong.lower(), near, n=2, cutoff=0.75)
    listed = f"{what}: {', '.join(known)}" if 0 < len(known) <= 60 else ""
    asked = f"did you mean `{near[0]}`?" if near else ""
    text = " ".join(filter(None, [asked, listed]))
    return instead(text, close[0] if len(close) == 1 else "")
