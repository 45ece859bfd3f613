"""`interpolate` as written: the tensor whose size it matches, and the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import did_you_mean
from archspec.ir import Field
from archspec.language import arguments
from archspec.language.problems import Collector, describe, fail
from archspec.ops.resizing import MODES

LIKE = "like"
HOW = {"mode": Field("choice", choices=tuple(MODES)), "align_corners": Field("flag")}
BY_NUMBERS = ("scale", "scale_factor", "size")  # the arguments of `upsample`


def interpolation_of(given: Any) -> dict[str, Any]:
    """The arguments of an `interpolate`; a name alone is the tensor whose size it matches."""
    given = given if isinstance(given, Mapping) else {LIKE: given}
    found, result = Collector(), dict[str, Any]()
    for key, value in given.items():
        if key != LIKE and key not in HOW:
            hint: str = did_you_mean(str(key), (LIKE, *HOW), "available")
            if key in BY_NUMBERS:
                hint = "to resize by a number, use `upsample: {scale: 2}` or `{size: [14, 14]}`"
            found.add("unknown-key", f"`interpolate` has no argument `{key}`", hint, key, key=True)
            continue
        with found.trying(key):
            result[key] = _tensor(value) if key == LIKE else arguments.value_of(value, HOW[key])
    if LIKE not in given:
        message = "missing argument `like` for `interpolate`"
        found.lacks(LIKE, message, "add `interpolate: {like: ...}`")
    found.finish()
    return result


def _tensor(value: Any) -> str:
    if not isinstance(value, str) or not value:
        hint = "name the tensor whose size it matches; to resize by a number, use `upsample`"
        fail("wrong-type", f"expected the name of a tensor, found {describe(value)}", hint)
    return str(value)
