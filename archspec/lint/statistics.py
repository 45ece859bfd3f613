"""The number of findings per rule."""

from collections import Counter
from typing import Any

from archspec.lint.report import Finding, Report, summary
from archspec.lint.style import Style


def rows(report: Report) -> list[dict[str, Any]]:
    """The rules with findings, most findings first."""
    counted = Counter(map(_rule, report.findings))
    fixable = Counter(_rule(f) for f in report.findings if f.diagnostic.fix)
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    keys = ("code", "rule", "severity", "count", "fixable")
    return [dict(zip(keys, (*rule, n, fixable[rule]), strict=True)) for rule, n in ordered]


def table(report: Report, style: Style) -> str:
    """The counts as text."""
    lines = [
        f"{row['count']:>6}  {style(row['severity'], row['code'])}  {row['rule']}"
        for row in rows(report)
    ]
    return "\n".join([*lines, summary(report)])


def _rule(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.diagnostic.rule, finding.diagnostic.severity
