"""What stands where a layer should: no map, no head, or several heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from archspec.diagnostics import alike, closest, did_you_mean
from archspec.ir import Op, fields_of
from archspec.language.problems import Collector, describe, fail
from archspec.language.words import ANYWHERE, HEADS, OF_RESIDUAL
from archspec.ops import OPS


def no_layer(value: Any, heads: list[str]) -> NoReturn:
    """Raises `Problems`; `heads` are the keys that are no modifiers."""
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a layer, found {describe(value)}", _layer_hint(value))
    if not heads:
        fail("bad-layer", "this layer has no op, block or combinator", "write e.g. `conv: 64`")
    _misspelt_modifiers(heads, value)
    _several(heads)


def _several(heads: list[str]) -> NoReturn:
    listed = ", ".join(f"`{head}`" for head in heads)
    ops = [head for head in heads if head in OPS]
    other = next((head for head in heads if head not in OPS), heads[-1])
    hint = "one layer a map: make a list `[...]` of several"
    if len(ops) == 1 and _argument_like(other, OPS[ops[0]]):
        hint = f"an argument stands below its op: `{ops[0]}: {{{other}: ...}}`"
    fail("bad-layer", f"one layer is expected here, found {listed}", hint, other, key=True)


def _misspelt_modifiers(heads: list[str], value: Mapping[str, Any]) -> None:
    """All heads but one, where they are nearly words that may stand beside it."""
    known = [*ANYWHERE, *(OF_RESIDUAL if "residual" in value else ())]
    free = [word for word in known if word not in value]
    wrong = [head for head in heads if head not in HEADS and closest(str(head), free)]
    if len(wrong) != len(heads) - 1:
        return
    found = Collector()
    for word in wrong:
        hint = did_you_mean(word, free, "beside a layer may stand")
        found.add("unknown-key", f"`{word}` is no modifier of a layer", hint, word, key=True)
    found.finish()


def _argument_like(word: str, op: type[Op]) -> bool:
    """Whether `word` is, or resembles, an argument of the op."""
    known = [name for f in fields_of(op) for name in (f.name, f.torch)]
    return bool(alike(word, known, 0.6))


def _layer_hint(value: Any) -> str:
    if value is None:
        return "write `none` for no layer; `null` deletes what is inherited"
    if isinstance(value, list):
        return "a list of layers stands only where several may"
    return "write its op or block too, e.g. `conv: 64`"
