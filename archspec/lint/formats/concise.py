"""One line a finding, as editors and `grep` like it."""

from __future__ import annotations

from archspec.lint.formats import Format, line
from archspec.lint.report import Report, summary
from archspec.lint.statistics import table
from archspec.lint.style import Style


def render(report: Report, style: Style) -> str:
    return "\n".join([*(line(f, style) for f in report.findings), summary(report)])


FORMAT = Format(render, color=True, statistics=table)
