"""Findings on standard error, as `lint` prints them."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from archspec.diagnostics import Diagnostic


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Each finding with its place, its line and its hint."""
    for diagnostic in diagnostics:
        print(diagnostic, file=sys.stderr)
