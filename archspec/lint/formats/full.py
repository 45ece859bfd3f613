"""Each finding with its location, its source line, and a hint."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic, visible
from archspec.lint.excerpt import Mark, excerpt
from archspec.lint.formats import Format, closing
from archspec.lint.report import Report
from archspec.lint.sources import Sources
from archspec.lint.statistics import table
from archspec.lint.style import Style


def render(report: Report, style: Style) -> str:
    parts = [diagnostic(f.diagnostic, f.code, report.sources, style) for f in report.findings]
    return "\n\n".join([*parts, closing(report)])


def diagnostic(one: Diagnostic, code: str, sources: Sources, style: Style) -> str:
    """A diagnostic on several lines; without a code, it is not from a rule."""
    head, text = f"{one.severity}[{code}]", f" {one.rule}: {visible(one.message)}"
    if not code:
        head, text = one.severity, f": {visible(one.message)}"
    lines = [style(one.severity, head) + style("bold", text)]
    if one.span:
        marks = [Mark(one.span, primary=True)]
        marks += [Mark(label.span, label.text) for label in one.labels]
        lines += excerpt(marks, sources, style, one.severity)
    if one.hint:
        lines.append(f"{style('help', 'help')}: {visible(one.hint)}")
    return "\n".join(lines)


FORMAT = Format(render, color=True, statistics=table)
