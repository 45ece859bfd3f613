"""Findings as users see them: values, never a traceback.

Every finding of archspec is a `Diagnostic`. In Python, functions raise `SpecError`, whose
`.diagnostics` are these values; the command line prints them.
"""

# Without `annotations` from `__future__`: `lint.serialize` reads the types of fields.

import json
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

from archspec.known import known, plain, words

LONGEST_MESSAGE = 1000
MOST_LABELS = 5
MOST_PAIRS = 40_000  # of letters that are compared for one suggestion
LONGEST_WORD = 60
# `::error::` starts a command of GitHub's; `##[error]` and `##vso[...]` do so anywhere in a line.
COMMAND = re.compile(r"^\s*::|##(?=\w*\[)")
CODES: dict[str, str] = {}  # rule -> its code, once the rules are imported
LATER: list[Callable[[], object]] = []  # functions that import them, when a code is first needed
Severity = Literal["error", "warning"]


class Span(NamedTuple):
    """A range of text in a file. Lines and columns count from 1; `end_column` is exclusive.

    For a value of `--set`, `file` is the option. For data that is not from a file, `path` is the
    location (`stages.layer2.channels`), or the keyword argument (`classes=10`).
    """

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    path: str = ""

    def __str__(self) -> str:
        in_file = f"{self.file}:{self.line}:{self.column}"
        return self.path or (self.file if self.file.startswith("--set ") else in_file)


class Label(NamedTuple):
    """A second location of a finding, and its description."""

    span: Span
    text: str


class Edit(NamedTuple):
    """New text for a range of a file."""

    span: Span
    text: str


class Fix(NamedTuple):
    """Edits that fix a finding and change nothing else; `lint --fix` applies them."""

    message: str
    edits: tuple[Edit, ...]


class Diagnostic(NamedTuple):
    """One finding: its rule, its location, what was found, and how to fix it.

    `path` is the location in data that is not from a file (`stages.layer2.channels`), or a keyword
    argument (`classes=10`).
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
        """The code of the rule (`AS112`), or "" for a finding without a rule."""
        for learn in LATER if self.rule not in CODES else ():
            learn()
        return CODES.get(self.rule, "")

    def __str__(self) -> str:
        place = f"{self.span or self.path}: " if self.span or self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        rule = f"{self.code} {self.rule}".strip()
        return visible(f"{place}{self.severity} [{rule}] {self.message}{hint}")


class ArchspecError(Exception):
    """An input that archspec cannot use: what was found, and in `hint` what to do.

    The command line prints `message`, the lines in `more` or the line of `span`, and `hint`, and
    exits with `exit_code`. All are escaped.
    """

    exit_code = 2

    def __init__(
        self, message: str, hint: str = "", span: Span | None = None, more: Iterable[str] = ()
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.span = visible(message), visible(hint), span
        self.more = tuple(map(visible, more))

    def __reduce__(self) -> tuple[Any, ...]:  # `args` are not those of a subclass's constructor
        return Exception.__new__, (type(self), *self.args), vars(self)

    def __str__(self) -> str:
        text = "\n".join([self.message, *self.more])
        return f"{text} ({self.hint})" if self.hint else text


class SpecError(ArchspecError):
    """A spec that cannot be used. `.diagnostics` holds every finding, in order of location."""

    exit_code = 1

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        self.readable: Any = None  # the spec without its mistakes, if its shapes are still valid
        super().__init__("the spec has errors")

    def __str__(self) -> str:
        return "\n".join(map(str, self.diagnostics))


def in_order(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each finding once, in order of location."""
    return tuple(sorted({_by_path(shortened(one)) for one in findings}, key=_place))


class WeightsError(ArchspecError):
    """Weights that do not match a network; nothing was loaded.

    `missing` has the names that only the network has, and `unexpected` those that only the file
    has. `mismatched` maps each name to its shape in the file and its shape in the network.
    """

    def __init__(
        self,
        message: str,
        missing: Iterable[str] = (),
        unexpected: Iterable[str] = (),
        mismatched: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] | None = None,
        more: Iterable[str] = (),
    ) -> None:
        super().__init__(message, more=more)
        self.missing, self.unexpected = tuple(missing), tuple(unexpected)
        self.mismatched = dict(mismatched or {})


class UnreadableFile(ArchspecError):
    """A file that does not exist or cannot be read."""


def dotted(path: Iterable[str | int]) -> str:
    """A path into data, as written for `--set`: `stem.0.conv`."""
    return shown(".".join(map(str, path)))


def shortened(finding: Diagnostic) -> Diagnostic:
    """The finding, with a message of bounded length: it may quote an untrusted file."""
    if len(finding.message) <= LONGEST_MESSAGE:
        return finding
    return finding._replace(message=finding.message[:LONGEST_MESSAGE] + "...")


def _by_path(finding: Diagnostic) -> Diagnostic:
    """The finding, with a path instead of lines if its data is not from a file."""
    labels = tuple(label for label in finding.labels if not label.span.path)
    if finding.span and finding.span.path:
        return finding._replace(span=None, path=finding.span.path, labels=labels, fix=None)
    return finding._replace(labels=labels)


def merged(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One finding of a rule at a location: the first, with the labels of the others."""
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
    """A hint; `instead` is the exact word to use, if only one is possible.

    `sure`: that word is meant, and `lint --fix` may insert it. Otherwise it is a guess.
    """

    wrong: str = ""
    instead: str = ""
    sure: bool = False

    def at(self, span: Span | None) -> Fix | None:
        """The fix that replaces the wrong word at `span`, which may be quoted."""
        width = span.end_column - span.column if span and span.line == span.end_line else 0
        if not self.sure or not span or width - len(self.wrong) not in (0, 2):
            return None
        if not self.wrong.replace(
            "-", "_"
        ).isidentifier():  # `kernel 7` contains more than `kernel`
            return None
        return Fix(f"replace with `{self.instead}`", (Edit(span, self.instead),))


def instead(text: str, wrong: str, word: str, sure: bool = False) -> Hint:
    """A hint with the word to use."""
    hint = Hint(text)
    hint.wrong, hint.instead, hint.sure = wrong, word, sure and bool(word)
    return hint


class Guess(NamedTuple):
    """The possible meanings of a word: the candidates, and the one that it must be, if any.

    `sure`: it must be that one.
    """

    asked: tuple[str, ...] = ()
    word: str = ""
    sure: bool = False

    def __str__(self) -> str:
        listed = " or ".join(f"`{word}`" for word in self.asked)
        return f"did you mean {listed}?" if listed else ""


def guess(wrong: str, choices: Iterable[str], aliases: Mapping[str, str] | None = None) -> Guess:
    """The meaning of a word that is none of `choices`; `aliases` are other names of some.

    It is sure of the same word in another spelling, and of a typo of one letter in one of `choices`
    that is not a known name elsewhere (`archspec.known`) and resembles no other word.
    """
    names = {**(aliases or {}), **{word: word for word in choices}}
    spelled = plain(wrong)
    same = _meant(names, (word for word in names if plain(word) == spelled))
    if same:
        return _one_of(same)
    if known(wrong) is not None:
        return Guess()
    small = wrong.lower()
    like = [word for word in _comparable(small, names) if is_slip(small, word.lower())]
    if slips := _meant(names, like):
        own = any(names[word] == word for word in like)
        ours = {plain(word) for word in names}
        other = (word for word in words() if word not in ours and is_slip(spelled, word))
        return _one_of(slips)._replace(sure=own and len(slips) == 1 and not any(other))
    near = _meant(names, alike(small, names, 0.6))[:2]
    close = closest(wrong, near)
    return Guess(near[:1], close[0] if len(close) == 1 else "")


def _one_of(found: tuple[str, ...]) -> Guess:
    return Guess(found[:2], found[0] if len(found) == 1 else "", len(found) == 1)


def _meant(names: Mapping[str, str], found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names[word] for word in found))


def is_slip(wrong: str, right: str) -> bool:
    """Whether one letter of `right` is missing, doubled, swapped with the next, or replaced."""
    longer = len(wrong) - len(right)
    if len(wrong) <= 2 or abs(longer) > 1:
        return False
    pairs = enumerate(zip(wrong, right, strict=False))
    at = next((n for n, (a, b) in pairs if a != b), min(len(wrong), len(right)))
    left, due = wrong[at:], right[at:]
    if longer < 0:  # a letter is missing
        return left == due[1:] and due.isidentifier() and len(_part_at(right, at)) != 1
    if longer:  # a letter is doubled
        return left[1:] == due and left.isidentifier() and wrong[at - 1 : at] == left[0]
    if left[1:] == due[1:]:  # a letter is replaced
        return left[:1].isalpha() and due[:1].isalpha() and len(_part_at(right, at)) > 3
    return left[1::-1] + left[2:] == due and left[:2].replace("_", "a").isalpha()


def _part_at(word: str, place: int) -> str:
    """The letters around an index, up to the next `_` or digit: `max` of `max_pool`."""
    return re.split("[^a-z]", word[:place])[-1] + re.split("[^a-z]", word[place:])[0]


def closest(wrong: str, choices: Iterable[str]) -> list[str]:
    """The choices that differ from `wrong` in a letter or two; none for a known name."""
    return [] if known(wrong) is not None else alike(wrong.lower(), choices, 0.75)[:9]


def did_you_mean(
    wrong: str,
    choices: Iterable[str],
    what: str = "expected one of",
    aliases: Mapping[str, str] | None = None,
) -> Hint:
    """A hint with the closest of `choices`, and all of them if it is a guess and they are few."""
    choices = sorted(set(choices))
    found = guess(wrong, choices, aliases)
    listed = f"{what}: {', '.join(choices)}" if 0 < len(choices) <= 60 and not found.sure else ""
    text = " ".join(filter(None, [str(found), listed]))
    return instead(text, wrong, found.word, found.sure)


def alike(wrong: str, choices: Iterable[str], least: float) -> list[str]:
    """The choices that share at least this fraction of letters with `wrong`, closest first.

    Of too many choices, as only in a hostile file, those with the same start are compared.
    """
    near = _comparable(wrong, choices)
    return get_close_matches(wrong, near, len(near) or 1, least)


def _comparable(wrong: str, choices: Iterable[str]) -> list[str]:
    """The choices, or of too many, those that start like `wrong`; none for a long word."""
    words = list(choices)
    if not words or len(wrong) > LONGEST_WORD:
        return []
    room = MOST_PAIRS // max(1, len(wrong))
    if sum(map(len, words)) > room:
        words = [word for word in words if word[:1] == wrong[:1]]
        words = words[: room // max(map(len, words), default=1)]
    return words


def plural(number: float, noun: str) -> str:
    """A number with its noun: `1 spec`, `3 classes`, `2,000 specs`."""
    ending = "es" if noun.endswith(("class", "branch")) else "s"
    return f"{number:,} {noun}{ending * (number != 1)}"


def shown(text: str) -> str:
    """Untrusted text, shortened and without characters that a terminal interprets."""
    return visible(text if len(text) <= 60 else f"{text[:57]}...")


def visible(text: str) -> str:
    """Untrusted text as one line that neither a terminal nor a CI log interprets.

    Line ends, control, bidi, and invisible characters, and bytes of a file name that are not text,
    become escapes; so does the start of what CI services read as commands.
    """
    if not text.isprintable():
        text = "".join(map(character, text))
    return COMMAND.sub(lambda found: escape(found[0][0]) + found[0][1:], text)


def visible_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, which itself escapes everything except the commands of CI logs."""
    return json.dumps(value, indent=indent).replace("##", "#\\u0023")


def character(one: str) -> str:
    """One character, escaped if necessary."""
    return one if one.isprintable() else one.encode("unicode_escape").decode()


def escape(one: str) -> str:
    """An ASCII character with a special meaning, as an escape."""
    return f"\\x{ord(one):02x}"
