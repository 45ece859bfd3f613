"""What means nothing: where it stands, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import Hint, Span, closest, did_you_mean, instead
from archspec.expression import Name
from archspec.language.check.findings import Scope
from archspec.language.layers import COMBINATORS
from archspec.language.library import Library
from archspec.language.names import FLOW, PARTS_OF_ALL
from archspec.language.wrong.elsewhere import elsewhere, torch_names
from archspec.ops import OPS
from archspec.record import replace
from archspec.source import Text, locate


def layer_hint(head: str, scope: Scope, library: Library) -> Hint:
    """What to write instead of the head of a layer."""
    torch = torch_names()
    known = {*OPS, *COMBINATORS, *scope.parts, *library.names()}
    near = did_you_mean(head, known | torch.keys(), "there are")
    text = near.split(" there are")[0] if "did you mean" in near else ""
    for word, op in torch.items():
        text = text.replace(f"did you mean `{word}`", f"did you mean `{op}`")
    listed = "`archspec list` names all ops and blocks"
    meant = {torch.get(word, word) for word in closest(head, known | torch.keys())}
    word = elsewhere(head) or (meant.pop() if len(meant) == 1 else "")
    text = _elsewhere_hint(head) or text
    return instead(" ".join(filter(None, [text, listed])), head, word)


def default_hint(name: str, library: Library) -> Hint:
    """What to write instead of a key of `defaults`."""
    if text := _elsewhere_hint(name):
        return instead(text, name, elsewhere(name))
    return did_you_mean(name, [*OPS, *library.names(), *PARTS_OF_ALL])


def _elsewhere_hint(wrong: str) -> str:
    """What to write for an op's name of another framework."""
    ours = elsewhere(wrong)
    if not ours:
        return ""
    norm = ", or `norm` for that of the network" if ours == "batch_norm" else ""
    return f"did you mean `{ours}`{norm}?"


def name_hint(wrong: str, path: tuple[Any, ...], scope: Scope) -> str:
    """What to write instead of a name in an expression."""
    return _padding_hint(wrong, path) or _name_hint(wrong, scope)


def _padding_hint(wrong: str, path: tuple[Any, ...]) -> str:
    if "padding" not in path:
        return ""
    return {
        "same": "leave `padding` out: an odd kernel keeps the size then",
        "valid": "write `padding: 0`",
    }.get(wrong.lower(), "")


def _name_hint(wrong: str, scope: Scope) -> str:
    if wrong in ("none", "None"):
        return "`none` is no layer; here stands a number, or nothing at all for the default"
    if not scope.names:
        return "write a number: no name is known here, for the spec has no `args`"
    if wrong in FLOW:
        return f"`{wrong}` is known inside blocks only"
    return did_you_mean(wrong, scope.names, "known here")


def place_of_name(name: Name, raw: Any, path: tuple[Any, ...]) -> Span | None:
    """The very word within the text of an expression, where it stands on one line."""
    return _pinpoint(locate(raw, path), _value(raw, path), name)


def _pinpoint(span: Span | None, raw: Any, name: Name) -> Span | None:
    if span is None or name.column is None or span.line != span.end_line:
        return span
    if not isinstance(raw, Text) or span.end_column - span.column < len(raw):
        return span
    start = span.column + name.column + (1 if raw.quoted else 0)
    return replace(span, column=start, end_column=start + len(name.id))


def _value(raw: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        if (isinstance(raw, Mapping) and step in raw) or (
            isinstance(raw, list) and isinstance(step, int)
        ):
            raw = raw[step]
    return raw
