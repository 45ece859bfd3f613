"""One check: against what, what is checked, whether it holds, and what was seen."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """`against` is the witness: the generated source, torch, or a network of another library."""

    against: str
    name: str
    passed: bool
    detail: str
