"""Numbers in options; a lint from the cache imports no other options."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """Parse a number of at least 1, for argparse."""
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, found {text!r}")
    return int(text)
