"""Words in what is written: names, whatever they stand for."""

from __future__ import annotations

import re
from typing import Any

from archspec.memo import Memo, remember

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def words_of(raw: Any, keys: bool) -> set[str]:
    """Every word in the texts of a value; those of its keys too if `keys`."""
    found: set[str] = set()
    if isinstance(raw, dict):
        for key, value in raw.items():
            found |= words_of(value, keys)
            if keys:
                found.add(key)
    elif isinstance(raw, list):
        for value in raw:
            found |= words_of(value, keys)
    elif isinstance(raw, str):
        found.update(_WORD.findall(raw))
    return found


@remember
def words_in(written: Any, *, memo: Memo | None) -> frozenset[str]:
    """Every word in the values of what was read from a spec (`written.raw`)."""
    return frozenset(words_of(written.raw, keys=False))
