"""archspec's own JSON, for scripts."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import Fix, Label, Span, visible, visible_json
from archspec.lint.formats import Format
from archspec.lint.report import Finding, Report
from archspec.lint.statistics import rows
from archspec.lint.style import Style

VERSION = 1


def render(report: Report, style: Style) -> str:
    whole = {
        "version": VERSION,
        "files": len(report.files),
        "errors": report.errors,
        "warnings": report.warnings,
        "findings": [_finding(f) for f in report.findings],
    }
    return visible_json(whole, indent=2)


def _finding(finding: Finding) -> dict[str, Any]:
    diagnostic = finding.diagnostic
    return {
        "code": finding.code,
        "rule": diagnostic.rule,
        "severity": diagnostic.severity,
        "message": visible(diagnostic.message),
        "help": visible(diagnostic.hint) or None,
        "location": _place(finding.span),
        "related": [_label(label) for label in diagnostic.labels],
        "fix": _fix(diagnostic.fix),
        "fingerprint": finding.fingerprint,
    }


def _place(span: Span) -> dict[str, Any]:
    return {key: value for key, value in span._asdict().items() if key != "path"}


def _label(label: Label) -> dict[str, Any]:
    return {"message": visible(label.text), **_place(label.span)}


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [{"text": edit.text, **_place(edit.span)} for edit in fix.edits]
    return {"message": visible(fix.message), "edits": edits}


def statistics(report: Report, style: Style) -> str:
    return visible_json(rows(report), indent=2)


FORMAT = Format(render, statistics=statistics)
