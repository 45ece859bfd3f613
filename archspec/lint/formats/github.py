"""Commands that GitHub Actions shows as annotations of a pull request."""

from __future__ import annotations

from archspec.diagnostics import visible
from archspec.lint.formats import Format, help_line, line, place_inside
from archspec.lint.report import Finding, Report
from archspec.lint.style import Style


def render(report: Report, style: Style) -> str:
    return "\n".join(_command(finding) for finding in report.findings)


def _command(finding: Finding) -> str:
    diagnostic, span = finding.diagnostic, place_inside(finding)
    properties = {
        "title": f"{finding.code} {diagnostic.rule}",
        "file": visible(span.file),
        "line": span.line,
        "col": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    if span.end_line != span.line:  # GitHub only accepts columns within one line
        del properties["col"], properties["endColumn"]
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = line(finding) + help_line(finding)  # with its location: the log shows nothing else
    return f"::{diagnostic.severity} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")


FORMAT = Format(render)
