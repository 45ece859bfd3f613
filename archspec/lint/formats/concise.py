"""One line a finding, as editors and `grep` like it."""

from __future__ import annotations

from archspec.lint.formats.style import Style
from archspec.lint.report import Finding, Report, summary
from archspec.lint.visible import visible


def render(report: Report, style: Style) -> str:
    return "\n".join([*(_line(f, style) for f in report.findings), summary(report)])


def _line(finding: Finding, style: Style) -> str:
    diagnostic = finding.diagnostic
    place = style("bold", visible(str(finding.span)))
    code = style(diagnostic.severity, finding.code)
    return f"{place}: {code} [{diagnostic.rule}] {visible(diagnostic.message)}"
