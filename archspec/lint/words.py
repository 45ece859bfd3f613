"""Numbers of things in words."""

from __future__ import annotations


def count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def clean(specs: int, blocks: int) -> str:
    """What is said where nothing is found: "14 specs are clean"."""
    kinds = " and ".join(count(n, w) for n, w in ((specs, "spec"), (blocks, "block")) if n)
    return f"{kinds} {'is' if specs + blocks == 1 else 'are'} clean"
