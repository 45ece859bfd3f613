"""Syntax of other languages in YAML: a tuple, a constructor call, `$name`, `50%`, `3x3`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING
from typing import Any

from archspec.ir import Op, fields_of
from archspec.language.suggestions.elsewhere import elsewhere, unsupported
from archspec.ops import OPS
from archspec.source.scalars import list_of

_WORD = r"([A-Za-z_]\w{0,40})"
_SIDE = r"(\d{1,5}|[A-Za-z_]\w{0,40})"
# Notations elsewhere, and ours.
_NOTATIONS: dict[str, Callable[..., str]] = {
    r"\$?\{{1,2} ?(?:args\.)?" + _WORD + r" ?\}{1,2}": str,  # `{name}`, `${{ args.name }}`
    r"\$(?:args\.)?" + _WORD: str,
    r"(?:args|self|config|cfg)\." + _WORD: str,
    r"(\d{1,3}(?:\.\d{1,3})?) ?%": lambda part: f"{float(part) / 100:g}",
    r"(\d{1,5}) ?x ?(\d{1,5})": "[{}, {}]".format,
    _SIDE + " x " + _SIDE: "{} * {}".format,
    r"(\d{1,5})k": "{}000".format,
    r"(\d{1,5})" + _WORD: "{} * {}".format,
}
_WITH_VALUE = r"([A-Za-z_]\w{0,40}) ?[( :] ?(\d{1,9}(?:\.\d{1,6})?)\)?"
_CALL = r"(?:torch\.)?nn\.(\w+)\((.*)\)"


def pythonic_hint(text: str) -> str:
    """The hint, or ""."""
    if listed := list_of(text):
        return f"use `{listed}`"
    if found := re.fullmatch(_CALL, text.strip()):
        ours = elsewhere(found[1])
        return f"use `{_layer(OPS[ours], found[2])}`" if ours in OPS else unsupported(found[1])
    for pattern, written in _NOTATIONS.items():
        if found := re.fullmatch(pattern, text.strip()):
            return f"use `{written(*found.groups())}`"
    return ""


def layer_with_value(text: str) -> str:
    """The layer that `linear(10)`, `linear 10`, or `'linear: 10'` means; "" for other text."""
    found = re.fullmatch(_WITH_VALUE, text.strip())
    if not found:
        return ""
    ours = found[1] if found[1] in OPS else elsewhere(found[1])
    return f"{ours}: {found[2]}" if ours in OPS and OPS[ours].first else ""


def positional(op: type[Op], given: Any) -> str:
    """The layer that several values of an op mean, as a list or `64, 3`; "" for other values."""
    values = given.split(",") if isinstance(given, str) and "(" not in given else given
    fields = [f for f in fields_of(op) if f.how.kind not in ("dims", "axis", "fixed", "arrives")]
    if not isinstance(values, list) or not 1 < len(values) <= len(fields) or fields[0].how.many:
        return ""
    listed = (f"{f.name}: {str(value).strip()}" for f, value in zip(fields, values, strict=False))
    return f"{op.key}: {{{', '.join(listed)}}}"


def _layer(op: type[Op], written: str) -> str:
    """The layer that a call of torch's constructor means, with the language's argument names.

    The input size is left out, unless the call does not have it anyway.
    """
    parts = [part.strip() for part in re.split(r",(?![^()]*\))", written) if part.strip()]
    placed = [part for part in parts if "=" not in part]
    fields = [f for f in fields_of(op) if f.how.kind not in ("dims", "axis", "fixed")]
    named = dict(part.replace(" ", "").split("=", 1) for part in parts if "=" in part)
    required = [f for f in fields if f.default is MISSING]
    if len(placed) + sum(f.torch in named for f in required) < len(required):
        fields = [f for f in fields if f.how.kind != "arrives"]
    given = list(zip(fields, placed, strict=False))
    given += [(f, named[f.torch]) for f in fields if f.torch in named]
    listed = [f"{f.name}: {_value(part)}" for f, part in given if f.how.kind != "arrives"]
    return f"{op.key}: {{{', '.join(listed)}}}" if listed else op.key


def _value(text: str) -> str:
    return {"True": "true", "False": "false"}.get(text, list_of(text) or text)
