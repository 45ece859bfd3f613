"""Findings on standard error, as `lint` prints them."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from archspec.diagnostics import Diagnostic
from archspec.lint.formats.full import diagnostic
from archspec.lint.sources import Sources
from archspec.lint.style import style_for
from archspec.rules import RULES


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Each finding with its location, its line, and its hint."""
    sources, style = Sources(), style_for(sys.stderr)
    for one in diagnostics:
        print(diagnostic(one, RULES[one.rule].code, sources, style), end="\n\n", file=sys.stderr)
