"""`share` as it is written: the name of a layer that is applied again."""

from __future__ import annotations

from typing import Any

from archspec.language import identifiers

LAYER = "layer"


def shared_of(given: Any) -> dict[str, str]:
    """The argument of a `share`."""
    return {LAYER: identifiers.place(given, "the name of a layer")}
