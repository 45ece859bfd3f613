"""A report as text: one module a format, imported when it is asked for.

Each has `render(report, style) -> str`, valid on a clean run too.
"""

from __future__ import annotations

from importlib import import_module

from archspec.lint.formats.style import PLAIN, Style
from archspec.lint.report import Report
from archspec.lint.settings import FORMATS

TEXT = ("full", "concise")


def render(report: Report, form: str, style: Style = PLAIN) -> str:
    """The report in one of `FORMATS`, without a last line end."""
    assert form in FORMATS, form
    module = import_module(f"archspec.lint.formats.{form}")
    text: str = module.render(report, style)
    return text


__all__ = ["PLAIN", "TEXT", "Style", "render"]
