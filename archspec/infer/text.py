"""A spec as YAML, in the fewest lines: only the differences from its base spec."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from archspec.source.extends import NOT_INHERITED
from archspec.source.scalars import reads_as_text

WIDTH = 88
BLOCK = ("args", "defaults", "stem", "stages", "head")
_QUOTED = frozenset(",{}[]:#&*!|'\"%@`")


def written(spec: Mapping[str, Any], comments: Iterable[str]) -> str:
    """The YAML of a spec, under its comments."""
    lines = []
    for comment in comments:
        lines += textwrap.wrap(comment, WIDTH, initial_indent="# ", subsequent_indent="#   ")
    for key, value in spec.items():
        tall = key in BLOCK and isinstance(value, dict) and len(value) > 1
        lines += _entry(key, value, "", tall)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: str, tall: bool = False) -> list[str]:
    flat = f"{indent}{key}: {_flow(value)}"
    if isinstance(value, list) and len(flat) > WIDTH and not all(map(_is_plain, value)):
        return [f"{indent}{key}:", *(f"{indent}  - {_item(layer)}" for layer in value)]
    if not isinstance(value, dict) or not value or (not tall and len(flat) <= WIDTH):
        return [flat]
    inside = [line for k, v in value.items() for line in _entry(k, v, f"{indent}  ")]
    return [f"{indent}{key}:", *inside]


def _item(layer: Any) -> str:
    """A layer in a list: one key needs no braces."""
    text = _flow(layer)
    return text[1:-1] if isinstance(layer, dict) and len(layer) == 1 else text


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = str(value)
    odd = _QUOTED & set(text) or not text.isprintable() or not reads_as_text(text)
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) and odd else text


def difference(base: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping to merge into `base` to get `wanted` (docs/language.md, "extends")."""
    over: dict[str, Any] = {}
    for key, value in wanted.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and set(old) & set(value):
            if inner := difference(old, value):
                over[key] = inner
        elif key not in base or plain(old) != value:
            over[key] = value
    return over | {key: None for key in base if key not in wanted}


def plain(value: Any) -> Any:
    """Located data as plain dicts, lists and scalars."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


def inherited(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a spec inherits if it extends `data` and has no recipe."""
    whole: dict[str, Any] = plain(data)
    left = (*NOT_INHERITED, "train")
    return {key: value for key, value in whole.items() if key not in left}
