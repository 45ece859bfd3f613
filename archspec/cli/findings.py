"""Findings and errors on standard error, as `lint` prints them."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from archspec.diagnostics import ArchspecError, Diagnostic
from archspec.lint.deferred import checker
from archspec.lint.formats.full import diagnostic
from archspec.lint.sources import Sources
from archspec.lint.style import style_for


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Each finding with its location, its line, and its hint."""
    codes, sources, style = checker().codes, Sources(), style_for(sys.stderr)
    for one in diagnostics:
        print(diagnostic(one, codes[one.rule], sources, style), end="\n\n", file=sys.stderr)


def print_error(error: ArchspecError, color: str = "auto") -> None:
    """An error that is not a finding, with its line or its other lines, and its hint."""
    style = style_for(sys.stderr, color)
    first = diagnostic(Diagnostic("", error.message, error.span), "", Sources(), style)
    hint = [f"{style('help', 'help')}: {error.hint}"] if error.hint else []
    print("\n".join([first, *error.more, *hint]), file=sys.stderr)
