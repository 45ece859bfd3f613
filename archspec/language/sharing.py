"""`share` as written: the name of a layer that is applied again."""

from __future__ import annotations

from typing import Any

from archspec.language.templates import LayerName, name_of

LAYER = "layer"


def shared_of(given: Any) -> dict[str, LayerName]:
    """The argument of a `share`."""
    return {LAYER: name_of(given, "the name of a layer")}
