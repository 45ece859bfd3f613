"""What a person sees when something is wrong: a value, never a traceback.

Every finding of archspec is a `Diagnostic`. In Python, functions raise `SpecError`, whose
`.diagnostics` are these values; the command line prints them.
"""

# Without `annotations` from `__future__`: `lint.serialize` reads the types of fields.

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

LONGEST_MESSAGE = 1000
MOST_LABELS = 5
MOST_PAIRS = 40_000  # of letters that are compared for one suggestion
LONGEST_WORD = 60
# `::error::` begins a line of GitHub's; `##[error]` and `##vso[...]` count anywhere in one.
COMMAND = re.compile(r"^\s*::|##(?=\w*\[)")
CODES: dict[str, str] = {}  # rule -> its code, once the rules are imported
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


class Label(NamedTuple):
    """A second place that a finding speaks of, and what is to be seen there."""

    span: Span
    text: str


class Edit(NamedTuple):
    """New text for a stretch of a file."""

    span: Span
    text: str


class Fix(NamedTuple):
    """Edits that fix a finding and change nothing else; `lint --fix` applies them."""

    message: str
    edits: tuple[Edit, ...]


class Diagnostic(NamedTuple):
    """One finding: which rule, where, what was found, and what to write instead.

    `path` says where in data that is in no file: `stages.layer2.chanels`.
    """

    rule: str
    message: str
    span: Span | None = None
    hint: str = ""
    labels: tuple[Label, ...] = ()
    severity: Severity = "error"
    fix: Fix | None = None
    path: str = ""

    @property
    def code(self) -> str:
        """The code of the rule (`AS112`), "" if it has none."""
        return CODES.get(self.rule, "")

    def __str__(self) -> str:
        place = f"{self.span or self.path}: " if self.span or self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        rule = f"{self.code} {self.rule}".strip()
        return visible(f"{place}{self.severity} [{rule}] {self.message}{hint}")


class SpecError(Exception):
    """A spec that cannot be used. `.diagnostics` holds every finding, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(set(map(shortened, diagnostics)), key=_place))
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

    def __str__(self) -> str:
        return visible(super().__str__())


def dotted(path: Iterable[str | int]) -> str:
    """A path into data, as it is written for `--set`: `stem.0.conv`."""
    return shown(".".join(map(str, path)))


def shortened(finding: Diagnostic) -> Diagnostic:
    """The finding, with a message of bounded length: it may quote a stranger's file."""
    if len(finding.message) <= LONGEST_MESSAGE:
        return finding
    return finding._replace(message=finding.message[:LONGEST_MESSAGE] + "...")


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
    return first._replace(labels=(*first.labels, *more[:room])) if more and room else first


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
    """The choices with at least this share of letters in common with `wrong`, closest first.

    Of too many choices, as only a hostile file has them, those that begin alike are compared.
    """
    known = list(choices)
    if not known or len(wrong) > LONGEST_WORD:
        return []
    room = MOST_PAIRS // max(1, len(wrong))
    if sum(map(len, known)) > room:
        known = [word for word in known if word[:1] == wrong[:1]]
        known = known[: room // max(map(len, known), default=1)]
    return get_close_matches(wrong, known, len(known) or 1, least)


def shown(text: str) -> str:
    """Text of a stranger, short and with nothing in it that a terminal obeys."""
    return visible(text if len(text) <= 60 else f"{text[:57]}...")


def visible(text: str) -> str:
    """Text from outside as one line that neither a terminal nor a log of CI obeys.

    Line ends, control, bidi, and invisible characters, and bytes of a file name that are not
    text, become escapes; so does the beginning of what CI services read as commands.
    """
    if not text.isprintable():
        text = "".join(map(character, text))
    return COMMAND.sub(lambda found: escape(found[0][0]) + found[0][1:], text)


def visible_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, which escapes by itself all but a log's commands."""
    return json.dumps(value, indent=indent).replace("##", "#\\u0023")


def character(one: str) -> str:
    """One character as it is shown."""
    return one if one.isprintable() else one.encode("unicode_escape").decode()


def escape(one: str) -> str:
    """An ASCII character that has a meaning where it stands, as an escape."""
    return f"\\x{ord(one):02x}"
