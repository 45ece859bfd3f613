"""GitLab's code quality report, for the widget of a merge request."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import visible, visible_json
from archspec.lint.formats import Format, place_inside
from archspec.lint.report import Finding, Report
from archspec.lint.style import Style

_SEVERITY = {"error": "major", "warning": "minor"}


def render(report: Report, style: Style) -> str:
    return visible_json([_issue(f) for f in report.findings], indent=2)


def _issue(finding: Finding) -> dict[str, Any]:
    diagnostic, span = finding.diagnostic, place_inside(finding)
    path = span.file.encode(errors="backslashreplace").decode()  # or only our parser accepts it
    hint = f" (help: {visible(diagnostic.hint)})" if diagnostic.hint else ""
    return {
        "description": f"{finding.code} {diagnostic.rule}: {visible(diagnostic.message)}{hint}",
        "check_name": diagnostic.rule,
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITY[diagnostic.severity],
        "location": {"path": path, "lines": {"begin": span.line, "end": span.end_line}},
    }


FORMAT = Format(render)
