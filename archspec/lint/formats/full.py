"""Findings as a compiler tells them: what, where, the line itself, and what to write."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic
from archspec.lint.formats.excerpt import Mark, excerpt
from archspec.lint.formats.style import Style
from archspec.lint.report import Finding, Report, summary
from archspec.lint.sources import Sources
from archspec.lint.visible import visible


def render(report: Report, style: Style) -> str:
    parts = [finding(f, report.sources, style) for f in report.findings]
    return "\n\n".join([*parts, summary(report) + _fixable(report)])


def finding(found: Finding, sources: Sources, style: Style) -> str:
    """One finding, over several lines."""
    return diagnostic(found.diagnostic, found.code, sources, style)


def diagnostic(one: Diagnostic, code: str, sources: Sources, style: Style) -> str:
    """A diagnostic, over several lines; without a code it is not one of a rule."""
    head, said = f"{one.severity}[{code}]", f" {one.rule}: {visible(one.message)}"
    if not code:
        head, said = one.severity, f": {visible(one.message)}"
    lines = [style(one.severity, head) + style("bold", said)]
    if one.span:
        marks = [Mark(one.span, primary=True)]
        marks += [Mark(label.span, label.text) for label in one.labels]
        lines += excerpt(marks, sources, style, one.severity)
    if one.hint:
        lines.append(f"{style('help', 'help')}: {visible(one.hint)}")
    return "\n".join(lines)


def _fixable(report: Report) -> str:
    """How many `--fix` would mend: those in files that are linted."""
    files = frozenset(report.files)
    number = sum(f.diagnostic.fix is not None for f in report.findings if f.span.file in files)
    return f"\n{number} can be fixed with `--fix`" if number else ""
