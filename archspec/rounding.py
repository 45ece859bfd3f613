"""Numbers that are read, not compared: three digits and a unit."""

from __future__ import annotations

UNITS = ("", "k", "M", "G", "T", "P")


def rounded(number: int) -> str:
    """Three digits: `0`, `999`, `1.00k`, `22.1M`, `412G`."""
    if number < 1000:
        return str(number)
    digits, exponent = f"{number:.2e}".split("e")  # rounded here: 999,950 has the unit M
    size = min(int(exponent) // 3, len(UNITS) - 1)
    places = int(exponent) - 3 * size
    return f"{float(digits) * 10**places:.{max(0, 2 - places)}f}{UNITS[size]}"
