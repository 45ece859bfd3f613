"""What stands where a layer should: no map, no head, or several heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from archspec.diagnostics import alike, closest, did_you_mean, shown
from archspec.ir import Op, fields_of
from archspec.language.problems import Collector, describe, fail
from archspec.language.suggestions.elsewhere import elsewhere
from archspec.language.words import ANYWHERE, COMBINATORS, HEADS, OF_RESIDUAL, PARTS_OF_ALL
from archspec.ops import OPS


def no_layer(value: Any, heads: list[str]) -> NoReturn:
    """Raises `Problems`; `heads` are the keys that are no modifiers."""
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a layer, found {describe(value)}", _layer_hint(value))
    if not heads:
        fail("bad-layer", "this layer has no op, block or combinator", "write e.g. `conv: 64`")
    if op := op_in_value(value):
        key, layer = op
        given = {head: value[head] for head in heads if head != key}
        written = f"{{{layer}: {flow(given)}}}" if given else layer
        hint = f"the key is the layer: `{written}`"
        fail("bad-layer", f"a layer has no `{key}`", hint, key, key=True)
    _misspelt_modifiers(heads, value)
    _several(heads)


def op_in_value(layer: Mapping[str, Any]) -> tuple[str, str] | None:
    """The key and our name of the op, in a layer such as `{type: conv, channels: 64}`."""
    for key in ("type", "op", "layer", "kind"):
        written = layer.get(key) if isinstance(layer, Mapping) else None
        if isinstance(written, str) and (ours := _op(written)):
            return key, ours
    return None


def _op(word: str) -> str:
    return word if word in HEADS else elsewhere(word)


def check_entry(key: str, value: Any) -> None:
    """Raises `Problems` where the key of a map is a layer, and should be its name."""
    if key not in HEADS and key not in PARTS_OF_ALL:
        return
    if value is None:
        hint = f"a map has entries `name: layer`, e.g. `{key}: {key}`"
        fail("wrong-type", "expected a layer, found nothing", hint)
    if key in OPS and _are_arguments(value, OPS[key]):
        layer = f"{{{key}: {flow(value)}}}" if value != {} else key
        hint = f"the keys of a map are names: `{key}1: {layer}`"
        fail("bad-layer", f"`{key}` is only a name here, and no layer is below it", hint)


def _are_arguments(value: Any, op: type[Op]) -> bool:
    """Whether a value is the one argument of an op, or a map of nothing else."""
    if not isinstance(value, Mapping):
        return isinstance(value, (int, float)) and op.first is not None
    return value.keys() <= {name for f in fields_of(op) for name in (f.name, f.torch)}


def check_part(part: str, given: Any) -> None:
    """Raises `Problems` for other layers where only arguments of the norm can be.

    They are written as `norm: GroupNorm`, `norm: {group_norm: 32}` or `norm: [batch_norm, act]`.
    """
    word, other = _other_layer(given)
    if other:
        hint = f"write `{other}` alone, or for all of the network `defaults: {{{part}: {other}}}`"
        message = f"`{part}` is what `defaults` makes it, and takes no {word}"
        fail("wrong-type", message, hint)


def _other_layer(given: Any) -> tuple[str, str]:
    """What stands there, and the layer that it means, if it means one."""
    if isinstance(given, list):
        return "list of layers", f"{{sequence: {flow(given)}}}"
    if isinstance(given, str) and (op := _op(given)) in OPS:
        return f"`{shown(given)}`", f"{{{op}: 32}}" if op == "group_norm" else op
    if isinstance(given, Mapping) and len(given) == 1:
        ((word, value),) = given.items()
        if (op := _op(word)) in {*OPS, *COMBINATORS}:
            return f"`{shown(word)}`", f"{{{op}: {flow(value)}}}"
    return "", ""


def flow(value: Any) -> str:
    """A value as YAML on one line, cut short."""
    if isinstance(value, Mapping):
        text = ", ".join(f"{key}: {flow(part)}" for key, part in value.items())
        return f"{{{text}}}" if len(text) < 60 else "{...}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else shown(str(value))


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
