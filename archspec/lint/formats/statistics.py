"""How many findings each rule has."""

from __future__ import annotations

import json
from collections import Counter

from archspec.lint.formats.style import Style
from archspec.lint.report import Finding, Report, summary

FORMATS = ("full", "concise", "json")

Rule = tuple[str, str, str]


def render(report: Report, form: str, style: Style) -> str:
    """Rules by number of findings, as text or as JSON."""
    counted = Counter(map(_rule, report.findings))
    rows = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    if form == "json":
        fixable = Counter(_rule(f) for f in report.findings if f.diagnostic.fix)
        return json.dumps([_row(rule, number, fixable[rule]) for rule, number in rows], indent=2)
    lines = [
        f"{number:>6}  {style(severity, code)}  {name}" for (code, name, severity), number in rows
    ]
    return "\n".join([*lines, summary(report)])


def _rule(finding: Finding) -> Rule:
    return finding.code, finding.diagnostic.rule, finding.diagnostic.severity


def _row(rule: Rule, number: int, fixable: int) -> dict[str, object]:
    code, name, severity = rule
    return {
        "code": code,
        "rule": name,
        "severity": severity,
        "count": number,
        "fixable": fixable,
    }
