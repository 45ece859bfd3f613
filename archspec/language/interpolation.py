"""`interpolate` as it is written: to the size of which tensor, and how."""

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
BY_NUMBERS = ("scale", "scale_factor", "size")  # what `upsample` takes


def interpolation_of(given: Any) -> dict[str, Any]:
    """The arguments of an `interpolate`; a name alone is the tensor whose size it takes."""
    given = given if isinstance(given, Mapping) else {LIKE: given}
    found, result = Collector(), dict[str, Any]()
    for key, value in given.items():
        if key != LIKE and key not in HOW:
            hint: str = did_you_mean(str(key), (LIKE, *HOW), "it has")
            if key in BY_NUMBERS:
                hint = "by a number: `upsample: {scale: 2}`, or `{size: [14, 14]}`"
            found.add("unknown-key", f"`interpolate` has no argument `{key}`", hint, key, key=True)
            continue
        with found.trying(key):
            result[key] = _tensor(value) if key == LIKE else arguments.value_of(value, HOW[key])
    if LIKE not in given:
        message = "`interpolate` is not told whose size it takes"
        found.add("missing-key", message, "write `interpolate: {like: ...}`")
    found.finish()
    return result


def _tensor(value: Any) -> str:
    if not isinstance(value, str) or not value:
        hint = "write the tensor whose size it takes; by a number, write `upsample`"
        fail("wrong-type", f"expected the name of a tensor, found {describe(value)}", hint)
    return str(value)
