"""One check: the reference, the subject, whether it passed, and the details."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """`against` is the reference: the generated source, torch, or a network of another library."""

    against: str
    name: str
    passed: bool
    detail: str
