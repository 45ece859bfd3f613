"""How many findings each rule has."""

from __future__ import annotations

from collections import Counter

from archspec.lint.formats.style import Style
from archspec.lint.report import Report, summary


def render(report: Report, style: Style) -> str:
    counted = Counter((f.code, f.diagnostic.rule, f.diagnostic.severity) for f in report.findings)
    rows = [
        f"{number:>6}  {style(severity, code)}  {rule}"
        for (code, rule, severity), number in sorted(
            counted.items(), key=lambda row: (-row[1], row[0])
        )
    ]
    return "\n".join([*rows, summary(report)])
