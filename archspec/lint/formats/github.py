"""Commands that GitHub Actions shows as annotations of a pull request."""

from __future__ import annotations

from archspec.lint.formats.style import Style
from archspec.lint.report import Finding, Report
from archspec.lint.visible import visible


def render(report: Report, style: Style) -> str:
    return "\n".join(_command(finding) for finding in report.findings)


def _command(finding: Finding) -> str:
    diagnostic, span = finding.diagnostic, finding.span
    properties = {
        "title": f"{finding.code} {diagnostic.rule}",
        "file": span.file,
        "line": span.line,
        "col": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    if span.end_line != span.line:  # GitHub takes columns within one line only
        del properties["col"], properties["endColumn"]
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    help_line = [f"help: {visible(diagnostic.hint)}"] if diagnostic.hint else []
    message = "\n".join([_where(finding), *help_line])
    return f"::{diagnostic.severity} {listed}::{_data(message)}"


def _where(finding: Finding) -> str:
    """The message with its place, for the log shows nothing else."""
    place = visible(str(finding.span))
    return (
        f"{place}: {finding.code} [{finding.diagnostic.rule}] {visible(finding.diagnostic.message)}"
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
