"""Functions that the formats for people share."""

from __future__ import annotations

from archspec.diagnostics import plural
from archspec.diff.comparison import Comparison
from archspec.diff.fold import listed
from archspec.diff.lines import Line

MOST_LINES = 5
MOST_PLACES = 5  # patterns per line


def shown(comparison: Comparison, every: bool) -> tuple[list[Line], int]:
    """The lines to print, and the number of the others."""
    lines = comparison.lines
    few = lines if every or len(lines) <= MOST_LINES else lines[:MOST_LINES]
    return few, len(lines) - len(few)


def told(comparison: Comparison, line: Line) -> str:
    """The text of a line, with a note if it causes the whole difference in MACs."""
    lines = comparison.lines
    total = comparison.facts.after.macs - comparison.facts.before.macs
    others = any(one.macs for one in lines if one is not line)
    if not total or line.macs != total or others or len(lines) == 1 or "MACs" in line.text:
        return line.text
    return f"{line.text}; all of the {'added' if total > 0 else 'saved'} MACs"


def place(line: Line) -> str:
    """The location of a line."""
    more = len(line.where) - MOST_PLACES
    return listed(line.where[:MOST_PLACES]) + (f" and {more} more" if more > 0 else "")


def one_name(comparison: Comparison) -> str:
    """The common name of both networks; "" if they differ."""
    before, after = comparison.facts.before.name, comparison.facts.after.name
    return before if before == after else ""


def unchanged(comparison: Comparison) -> str:
    """The size of a network without changes."""
    facts = comparison.facts
    return (
        f"{plural(len(facts.before.rows), 'layer')}, {plural(facts.before.params, 'parameter')}, "
        f"{facts.before.macs:,} MACs; checkpoint: {comparison.survival}"
    )
