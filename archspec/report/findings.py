"""Lint findings of a spec, for the page."""

from __future__ import annotations

from typing import NamedTuple

from archspec import resources
from archspec.diagnostics import Diagnostic
from archspec.language import Spec
from archspec.lint.check import check_loaded
from archspec.lint.comments import suppressions
from archspec.lint.deferred import checker
from archspec.lint.lookup import project_settings
from archspec.lint.run import report_of
from archspec.lint.sources import Sources
from archspec.memo import Memo
from archspec.paths import display_path

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
    """What `archspec lint` reports about a spec, with the settings of its project, in order.

    Raises `SettingsError` for invalid settings.
    """
    file, sources, codes = spec.document.file, Sources(), checker().codes
    checked = check_loaded(spec, file, suppressions(sources.text(file), file), memo=memo)
    settings = project_settings([file], codes=codes)
    report = report_of([checked], settings, codes, sources)
    return [_shown(one.code, one.diagnostic) for one in report.findings]


def _shown(code: str, one: Diagnostic) -> Finding:
    span, places = one.span, [(label.span, label.text) for label in one.labels]
    where = f"{file_name(span.file)}:{span.line}" if span else one.path
    labels = [_words(f"{file_name(at.file)}:{at.line}: {text}") for at, text in places]
    message, hint = _words(one.message), _words(one.hint)
    file, line = (span.file, span.line) if span else ("", 0)
    return Finding(code, one.rule, one.severity, message, hint, where, labels, file, line)


def _words(text: str) -> Words:
    """A text in pieces; pieces in backticks are code."""
    parts = enumerate(text.split("`"))
    return [(place % 2 == 1, part) for place, part in parts if part]


def file_name(file: str) -> str:
    """The name of a file on the page: `specs/...` if it is built in, wherever it is installed."""
    inside = file.removeprefix(f"{display_path(resources.SPECS)}/")
    return f"specs/{inside}" if inside != file else file
