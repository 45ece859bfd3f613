"""Malformed layers: no mapping, no layer type, or several layer types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from archspec.diagnostics import alike, did_you_mean, guess, instead, shown
from archspec.ir import Op, fields_of
from archspec.language.problems import Collector, describe, fail
from archspec.language.suggestions.elsewhere import elsewhere
from archspec.language.suggestions.indented import beside, flow, unwrapped, wraps
from archspec.language.words import (
    ANYWHERE,
    COMBINATORS,
    HEADS,
    MODIFIERS,
    OF_BRANCHES,
    OF_RESIDUAL,
    OF_SEQUENCE,
    PARTS_OF_ALL,
)
from archspec.ops import OPS


def no_layer(value: Any, heads: list[str], listed: bool) -> NoReturn:
    """Raises `Problems`; `heads` are the keys that are not modifiers; `listed`: in a list."""
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a layer, found {describe(value)}", _layer_hint(value))
    if not heads:
        _only_modifiers(value)
    if not heads[0]:
        fail("bad-layer", "the key of a layer is empty", "for example, `conv: 64`", "", key=True)
    op = op_in_value(value) or _type_in_value(value)
    if op and (op[0] == heads[0] or not any(map(_known, heads))):
        key, layer = op
        given = {head: value[head] for head in heads if head != key}
        given = unwrapped(given)
        modifiers = {word: value[word] for word in value if word not in heads}
        written = flow({layer: given, **modifiers}) if given or modifiers else layer
        hint = f"use the layer type as the key: `{written}`"
        fail("bad-layer", f"a layer has no key `{key}`", hint, key, key=True)
    _wrapped(heads, value)
    _misspelt_modifiers(heads, value)
    _several(heads, value, listed)


def _only_modifiers(value: Mapping[str, Any]) -> NoReturn:
    if not value:
        fail("bad-layer", "expected an op, block, or combinator", "for example, `conv: 64`")
    key = next(iter(value))
    owner = "residual" if key in OF_RESIDUAL else OF_BRANCHES.get(key)
    hint = f"move it next to `{owner}:`" if owner else "add the layer too; for example, `conv: 64`"
    fail("bad-layer", f"`{key}` has no layer next to it", hint, key, key=True)


# What others call the key of the layer type.
_TYPES = ("type", "op", "layer", "kind", "class_name", "_target_", "uses")


def op_in_value(layer: Mapping[str, Any]) -> tuple[str, str] | None:
    """The key, and our name of the op, in a layer such as `{type: conv, channels: 64}`."""
    for key in _TYPES:
        written = layer.get(key) if isinstance(layer, Mapping) else None
        if isinstance(written, str) and (ours := _op(written)):
            return key, ours
    return None


def _type_in_value(layer: Mapping[str, Any]) -> tuple[str, str] | None:
    """The key, and the layer type, if it may be a block: `{block: basic, channels: 64}`."""
    written = ((key, layer.get(key)) for key in (*_TYPES, "block"))
    return next(((key, shown(name)) for key, name in written if isinstance(name, str)), None)


def _known(head: str) -> bool:
    return head in HEADS or head in PARTS_OF_ALL


def _op(word: str) -> str:
    return word if word in HEADS else elsewhere(word)


def check_entry(key: str, value: Any) -> None:
    """Raises `Problems` if the key of a mapping is a layer, but should be its name."""
    if not _known(key):
        return
    if value is None:
        hint = f"set its layer, for example `{key}: {key}`, or remove the key"
        fail("wrong-type", "expected a layer, found nothing", hint)
    if key in OPS and _are_arguments(value, OPS[key]):
        layer = f"{{{key}: {flow(value)}}}" if value != {} else key
        hint = f"the keys of a mapping are names: `{key}1: {layer}`"
        fail("bad-layer", f"`{key}` is only a name here, and has no layer below it", hint)


def _are_arguments(value: Any, op: type[Op]) -> bool:
    """Whether a value is the one argument of an op, or a mapping of nothing else."""
    if not isinstance(value, Mapping):
        return isinstance(value, (int, float)) and op.first is not None
    return value.keys() <= {name for f in fields_of(op) for name in (f.name, f.torch)}


def check_part(part: str, given: Any) -> None:
    """Raises `Problems` if layers are given where only arguments of the norm are allowed.

    They are written as `norm: GroupNorm`, `norm: {group_norm: 32}`, or `norm: [batch_norm, act]`.
    """
    word, other = _other_layer(given)
    if other:
        hint = f"use `{other}` alone, or for the whole network `defaults: {{{part}: {other}}}`"
        message = f"`{part}` is set by `defaults`, and takes no {word}"
        fail("wrong-type", message, hint)


# The ops that arguments without a layer type are likely meant for.
_USUAL = {"norm": ("batch_norm", "group_norm", "layer_norm"), "act": ("leaky_relu", "elu", "gelu")}


def check_default(part: str, given: Any) -> None:
    """Raises `Problems` if `defaults` has arguments of the norm, instead of a layer."""
    for op in _USUAL[part]:
        if given and isinstance(given, Mapping) and _are_arguments(given, OPS[op]):
            hint = f"use `{part}: {{{op}: {flow(given)}}}`"
            fail("wrong-type", "expected a layer, found only arguments", hint)


def _other_layer(given: Any) -> tuple[str, str]:
    """A description of the value, and the layer that it means, if it means one."""
    if isinstance(given, list):
        return "list of layers", f"{{sequence: {flow(given)}}}"
    if isinstance(given, str) and (op := _op(given)) in OPS:
        return f"`{shown(given)}`", f"{{{op}: 32}}" if op == "group_norm" else op
    if isinstance(given, Mapping) and len(given) == 1:
        ((word, value),) = given.items()
        if (op := _op(word)) in {*OPS, *COMBINATORS}:
            return f"`{shown(word)}`", f"{{{op}: {flow(value)}}}"
    return "", ""


def as_list(value: Any) -> str:
    """The hint for one layer, or for layers by name, where a list of layers is expected."""
    if isinstance(value, Mapping) and (inside := [key for key in value if key in MODIFIERS]):
        return f"use a list of layers, and move `{inside[0]}` out of it, next to the layer type"
    if isinstance(value, Mapping) and value and not any(key in HEADS for key in value):
        items = [layer for layer in value.values() if layer is not None]
    else:
        items = [value] if value and isinstance(value, (str, Mapping)) else []
    return f"use `{flow(items)}`" if items else "for example, `[{conv: 64}, norm, act]`"


def _wrapped(heads: list[str], value: Mapping[str, Any]) -> None:
    """A layer, and its arguments below a key next to it: `{conv: null, with: {kernel: 3}}`."""
    inside = {head: value[head] for head in heads if wraps(head, value[head])}
    owners = [head for head in heads if head not in inside]
    if len(owners) != 1 or not inside or owners[0] in COMBINATORS:
        return
    (head,) = owners
    given = _given(head, value[head]) | unwrapped(inside)
    wrong = next(iter(inside))
    fail("bad-layer", beside(wrong, head)[0], f"use `{head}: {flow(given)}`", wrong, key=True)


def _several(heads: list[str], value: Mapping[str, Any], listed: bool) -> NoReturn:
    known = [head for head in heads if _known(head)]
    others = [head for head in heads if head not in known]
    if len(known) == 1 and known[0] in OPS and _argument_like(others[0], OPS[known[0]]):
        (op,) = known
        given = _given(op, value[op]) | {other: value[other] for other in others}
        message, _ = beside(others[0], op)
        fail("bad-layer", message, f"use `{op}: {flow(given)}`", others[0], key=True)
    if value[heads[0]] is None and heads[0] not in (*OPS, *PARTS_OF_ALL):
        message, hint = beside(heads[1], heads[0])
        if heads[0] in COMBINATORS:
            hint = f"indent the layers that belong to `{heads[0]}`, each after `- `"
        fail("bad-layer", message, hint, heads[1], key=True)
    if not others:
        message = f"found {len(heads)} layers in one mapping: {_quoted(heads)}"
        fail("bad-layer", message, _separate(heads, value, listed), heads[-1], key=True)
    head, first = (known + others)[0], (others if known else others[1:])[0]
    blocks = f"if `{first}` is a block, {_separate([head, first], value, listed)}"
    hint = f"modifiers of `{head}`: {', '.join(_modifiers_of(head))}; {blocks}"
    fail("bad-layer", f"`{first}` is not a modifier of `{head}`", hint, first, key=True)


def _modifiers_of(head: str) -> list[str]:
    of_heads = {
        **dict.fromkeys(OF_RESIDUAL, "residual"),
        **dict.fromkeys(OF_SEQUENCE, "sequence"),
        **OF_BRANCHES,
    }
    return [*ANYWHERE, *(word for word, owner in of_heads.items() if owner == head)]


def _separate(heads: list[str], value: Mapping[str, Any], listed: bool) -> str:
    """The hint for several layers in one mapping, which is in a list or not."""
    items = ", ".join(_item(head, value[head]) for head in heads)
    return f"use one list item per layer: `{items}`" if listed else f"use a list: `[{items}]`"


def _item(head: str, given: Any) -> str:
    """A layer as an item of a list, without the layers below it."""
    if given is None or given == {}:
        return head
    return f"{{{head}: {'...' if isinstance(given, (Mapping, list)) else flow(given)}}}"


def _quoted(words: list[str]) -> str:
    *most, last = (f"`{word}`" for word in words)
    return f"{', '.join(most)} and {last}" if most else last


def _given(head: str, value: Any) -> dict[str, Any]:
    """The arguments of an op or block as a mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    first = OPS[head].first if head in OPS else "channels"
    return {} if value is None or first is None else {first: value}


# What others call modifiers.
_MODIFIERS = {
    **dict.fromkeys(("skip", "identity_conv", "downsample", "projection"), "shortcut"),
    **dict.fromkeys(("times", "repeats", "num_layers", "count"), "repeat"),
    **dict.fromkeys(("if", "condition"), "when"),
    **dict.fromkeys(("dim", "axis"), "along"),
    **dict.fromkeys(("id", "label"), "name"),
    **dict.fromkeys(("input", "inputs"), "from"),
    **dict.fromkeys(("initializer", "weight_init"), "init"),
}


def _misspelt_modifiers(heads: list[str], value: Mapping[str, Any]) -> None:
    """All layer types except one, if they are almost names of modifiers."""
    free = [word for head in heads for word in _modifiers_of(head) if word not in value]
    wrong = [head for head in heads if head not in HEADS and guess(head, free, _MODIFIERS).word]
    if len(wrong) != len(heads) - 1:
        return
    found = Collector()
    for word in wrong:
        hint = did_you_mean(word, free, "available modifiers", _MODIFIERS)
        if word in _MODIFIERS:  # its value may mean something else
            hint = instead(hint, word, "")
        found.add("unknown-key", f"unknown layer modifier `{word}`", hint, word, key=True)
    found.finish()


def _argument_like(word: str, op: type[Op]) -> bool:
    """Whether `word` is, or resembles, an argument of the op."""
    known = [name for f in fields_of(op) for name in (f.name, f.torch)]
    return bool(alike(word, known, 0.6))


def _layer_hint(value: Any) -> str:
    if value is None:
        return "use `none` to skip the layer; `null` removes an inherited key"
    if isinstance(value, list):
        return "a list of layers is not allowed here"
    return "add its op or block too; for example, `conv: 64`"
