"""Numbers and shapes as text, for the page."""

from __future__ import annotations

import math
from collections.abc import Iterable

from archspec.picture.words import THIN, TIMES, sizes as shape_text
from archspec.receptive import ReceptiveField
from archspec.rounding import UNITS, rounded

DASH = "\u2013"


def round_number(number: float) -> str:
    """A round number for a tick: `500k`, `2.5M`."""
    size = min(int(math.log10(number) + 1e-9) // 3, len(UNITS) - 1) if number >= 1000 else 0
    return f"{number / 1000**size:g}{UNITS[size]}"


def brief(number: int) -> str:
    """A number with three digits; a dash for zero."""
    return rounded(number) if number else DASH


def exact(number: int) -> str:
    """A number with all digits; a dash for zero."""
    return f"{number:,}" if number else DASH


def sizes(shape: Iterable[int | None]) -> str:
    """A shape; a size of None is that of the whole input."""
    return shape_text(tuple("whole" if size is None else size for size in shape))


def mebibytes(count: float) -> str:
    """Bytes in MiB or GiB."""
    mib = count / 2**20
    unit, value = ("GiB", mib / 1024) if mib >= 1024 else ("MiB", mib)
    return f"{value:,.1f}{THIN}{unit}" if value < 100 else f"{value:,.0f}{THIN}{unit}"


def field_of(field: ReceptiveField | None) -> str:
    """A receptive field, or a dash if there is none."""
    if field is None:
        return DASH
    return sizes(field.sizes) if any(field.sizes) else str(field)


__all__ = ["DASH", "TIMES", "brief", "exact", "field_of", "mebibytes", "round_number", "sizes"]
