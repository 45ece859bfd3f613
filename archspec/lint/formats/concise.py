"""One line per finding, for `grep`; `[*]` marks fixable ones."""

from __future__ import annotations

from archspec.lint.formats import Format, closing, fixable, line
from archspec.lint.report import Report
from archspec.lint.statistics import table
from archspec.lint.style import Style


def render(report: Report, style: Style) -> str:
    marked = fixable(report)
    lines = [line(f, style, "[*] " if f in marked else "") for f in report.findings]
    return "\n".join([*lines, closing(report, "; [*] ")])


FORMAT = Format(render, color=True, statistics=table)
