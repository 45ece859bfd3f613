"""Numbers and shapes as the page shows them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from archspec.receptive import ReceptiveField

SPACE, TIMES, DASH = "\u00a0", "\u00d7", "\u2013"  # shapes do not break
UNITS = ("", "k", "M", "G", "T", "P")


def short(number: float) -> str:
    """Three digits and a unit: `9.54k`, `1.22M`, `4.09G`."""
    size = min(int(math.log10(abs(number))) // 3, len(UNITS) - 1) if abs(number) >= 1000 else 0
    text = f"{number / 1000**size:.3g}" if size or number % 1 else str(int(number))
    if text == "1e+03":  # rounded up
        return f"1.00{UNITS[size + 1]}"
    if size and len(text.replace(".", "")) < 3:
        digits = 2 - len(text.partition(".")[0]) + 1
        text = f"{number / 1000**size:.{digits}f}"
    return text + UNITS[size]


def exact(number: int) -> str:
    """All digits; a dash for zero."""
    return f"{number:,}" if number else DASH


def sizes(shape: Iterable[int | None]) -> str:
    """`64 x 56 x 56` with signs that do not break."""
    listed = ("whole" if size is None else str(size) for size in shape)
    return f"{SPACE}{TIMES}{SPACE}".join(listed)


def mebibytes(count: float) -> str:
    """Bytes, in MiB or GiB."""
    mib = count / 2**20
    unit, value = ("GiB", mib / 1024) if mib >= 1024 else ("MiB", mib)
    return f"{value:,.1f}{SPACE}{unit}" if value < 100 else f"{value:,.0f}{SPACE}{unit}"


def field_of(field: ReceptiveField | None) -> str:
    """A receptive field, a dash if there is none."""
    if field is None:
        return DASH
    return sizes(field.sizes) if any(field.sizes) else str(field)
