"""Plain text, in ASCII."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import visible
from archspec.diff.comparison import Comparison, Metric
from archspec.diff.formats.common import one_name, place, shown, told, unchanged

WIDEST = 36  # of what comes before a line's text


def render(comparison: Comparison, every: bool = False) -> str:
    """The report; `every` line of it, or the first few."""
    old, new = map(visible, comparison.names)
    if comparison.facts.equal:
        head = visible(same) if (same := one_name(comparison)) else f"{old} -> {new}"
        texts = [f"  The text differs: {visible(', '.join(map(str, comparison.texts)))}."]
        lines = [f"{head}: {comparison.verdict}", "", f"  {unchanged(comparison)}"]
        return "\n".join(lines + texts * bool(comparison.texts))
    parts = [
        [f"{old} -> {new}: {comparison.verdict}"],
        _changes(comparison, every),
        [*_table([Metric("", old, new, "change"), *comparison.metrics])],
        [
            f"  checkpoint: {comparison.survival}",
            *(f"  note: {note}".replace("`", "") for note in comparison.notes),
        ],
    ]
    return "\n\n".join("\n".join(map(visible, part)) for part in parts if part)


def _changes(comparison: Comparison, every: bool) -> list[str]:
    lines, more = shown(comparison, every)
    widths = [len(place(line)) for line in lines]
    wide = max((width for width in widths if width <= WIDEST), default=0)
    rows = [
        f"  {line.mark} {place(line):{wide}}   {told(comparison, line).replace('`', '')}"
        for line in lines
    ]
    return [*rows, f"  ... and {more} more (--all)"] if more else rows


def _table(rows: list[Metric]) -> Iterator[str]:
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        right = (f"{cell:>{wide}}" for cell, wide in zip(cells, others, strict=True))
        yield "   ".join([f"  {name:{first}}", *right])
