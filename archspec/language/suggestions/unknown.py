"""What to write instead of a name that means nothing."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

from archspec.diagnostics import Hint, closest, did_you_mean, instead
from archspec.language.suggestions.elsewhere import elsewhere, torch_names
from archspec.language.words import COMBINATORS, FLOW, PARTS_OF_ALL
from archspec.ops import OPS


def layer_hint(head: str, parts: Iterable[str], blocks: Iterable[str]) -> Hint:
    """What to write instead of the head of a layer."""
    torch = torch_names()
    known = {*OPS, *COMBINATORS, *parts, *blocks}
    near = did_you_mean(head, known | torch.keys(), "there are")
    text = near.split(" there are")[0] if "did you mean" in near else ""
    for word, op in torch.items():
        text = text.replace(f"did you mean `{word}`", f"did you mean `{op}`")
    listed = "`archspec list` names all ops and blocks"
    meant = {torch.get(word, word) for word in closest(head, known | torch.keys())}
    word = elsewhere(head) or (meant.pop() if len(meant) == 1 else "")
    text = _elsewhere_hint(head) or text
    return instead(" ".join(filter(None, [text, listed])), head, word)


def default_hint(name: str, blocks: Iterable[str]) -> Hint:
    """What to write instead of a key of `defaults`."""
    if text := _elsewhere_hint(name):
        return instead(text, name, elsewhere(name))
    return did_you_mean(name, [*OPS, *blocks, *PARTS_OF_ALL])


def _elsewhere_hint(wrong: str) -> str:
    """What to write for an op's name of another framework."""
    ours = elsewhere(wrong)
    if not ours:
        return ""
    norm = ", or `norm` for that of the network" if ours == "batch_norm" else ""
    return f"did you mean `{ours}`{norm}?"


def name_hint(wrong: str, path: tuple[Any, ...], names: Set[str]) -> str:
    """What to write instead of a name in an expression, where these names are known."""
    return _padding_hint(wrong, path) or _name_hint(wrong, names)


def _padding_hint(wrong: str, path: tuple[Any, ...]) -> str:
    if "padding" not in path:
        return ""
    return {
        "same": "leave `padding` out: an odd kernel keeps the size then",
        "valid": "write `padding: 0`",
    }.get(wrong.lower(), "")


def _name_hint(wrong: str, names: Set[str]) -> str:
    if wrong in ("none", "None"):
        return "`none` is no layer; here stands a number, or nothing at all for the default"
    if not names:
        return "write a number: no name is known here, for the spec has no `args`"
    if wrong in FLOW:
        return f"`{wrong}` is known inside blocks only"
    return did_you_mean(wrong, names, "known here")
