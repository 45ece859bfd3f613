"""Lint findings of a spec, for the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archspec import resources
from archspec.diagnostics import Diagnostic
from archspec.language import Spec
from archspec.lint.checked import Suppression, is_fatal
from archspec.lint.comments import suppressions
from archspec.lint.sources import Sources
from archspec.memo import Memo
from archspec.paths import display_path
from archspec.rules import RULES
from archspec.rules.checking import check_spec

Words = list[tuple[bool, str]]  # whether it is code, and the text


class Finding(NamedTuple):
    """One finding: its rule, its message in pieces, and its file and line."""

    code: str
    rule: str
    severity: str
    message: Words
    hint: Words
    where: str
    labels: list[Words]
    file: str
    line: int


def findings_of(spec: Spec, memo: Memo | None) -> list[Finding]:
    """The findings of a spec that no comment suppresses, in order of location."""
    found = check_spec(spec, memo=memo)
    comments = dict[str, tuple[Suppression, ...]]()
    sources = Sources()
    for one in found:
        if one.span and one.span.file not in comments:
            file = one.span.file
            comments[file] = suppressions("\n".join(sources.lines(file)), file)
    return [_shown(one) for one in found if is_fatal(one) or not any(_suppress(one, comments))]


def _suppress(one: Diagnostic, comments: dict[str, tuple[Suppression, ...]]) -> Iterator[bool]:
    """Whether a comment on its line names its rule, its code, or the beginning of its code."""
    span, code = one.span, RULES[one.rule].code
    for comment in comments.get(span.file, ()) if span else ():
        if span and span.line in comment.lines:
            yield any(rule == one.rule or code.startswith(rule) for rule, _ in comment.rules)


def _shown(one: Diagnostic) -> Finding:
    span = one.span
    return Finding(
        RULES[one.rule].code,
        one.rule,
        one.severity,
        _words(one.message),
        _words(one.hint),
        f"{file_name(span.file)}:{span.line}" if span else one.path,
        [
            _words(f"{file_name(label.span.file)}:{label.span.line}: {label.text}")
            for label in one.labels
        ],
        span.file if span else "",
        span.line if span else 0,
    )


def _words(text: str) -> Words:
    """A text in pieces; pieces in backticks are code."""
    parts = enumerate(text.split("`"))
    return [(place % 2 == 1, part) for place, part in parts if part]


def file_name(file: str) -> str:
    """The name of a file on the page: `specs/...` if it is built in, wherever it is installed."""
    inside = file.removeprefix(f"{display_path(resources.SPECS)}/")
    return f"specs/{inside}" if inside != file else file
