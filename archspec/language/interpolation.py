"""`interpolate` as written: the tensor whose size it matches, and the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import did_you_mean
from archspec.ir import Field
from archspec.language import arguments
from archspec.language.problems import describe, fail
from archspec.ops.resizing import MODES

LIKE = "like"
HOW = {"mode": Field("choice", choices=tuple(MODES)), "align_corners": Field("flag")}
BY_NUMBERS = ("scale", "scale_factor", "size")  # the arguments of `upsample`


def interpolation_of(given: Any) -> dict[str, Any]:
    """The arguments of an `interpolate`; a name alone is the tensor whose size it matches."""
    given = given if isinstance(given, Mapping) else {LIKE: given}
    return arguments.given_to("interpolate", given, (LIKE, *HOW), _read, _unknown, [LIKE])


def _read(key: str, value: Any) -> Any:
    return _tensor(value) if key == LIKE else arguments.value_of(value, HOW[key])


def _unknown(key: str) -> str:
    if key in BY_NUMBERS:
        return "to resize by a number, use `upsample: {scale: 2}` or `{size: [14, 14]}`"
    return did_you_mean(key, (LIKE, *HOW), "available")


def _tensor(value: Any) -> str:
    if not isinstance(value, str) or not value:
        hint = "name the tensor whose size it matches; to resize by a number, use `upsample`"
        fail("wrong-type", f"expected the name of a tensor, found {describe(value)}", hint)
    return str(value)
