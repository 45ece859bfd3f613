"""What to write instead of a name that means nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from archspec.diagnostics import Hint, did_you_mean, guess, instead
from archspec.language.problems import Problem
from archspec.language.suggestions.elsewhere import elsewhere, torch_names, unsupported
from archspec.language.suggestions.layers import flow
from archspec.language.suggestions.pythonic import pythonic_hint
from archspec.language.words import COUNTED, FLOW, HEADS, PARTS_OF_ALL
from archspec.ops import OPS

CLASSES = ("num_classes", "n_classes", "nb_classes")  # what others call `args.classes`
WHERE_COUNTED = "it is known in stages, and at a block with `repeat` in stem, stages or head"
LIST = "`archspec list` names all ops and blocks"


def layer_hint(head: str, here: Set[str]) -> Hint:
    """What to write instead of the head of a layer."""
    text = pythonic_hint(head)
    return instead(text, head, "") if text else _meant(head, {*HEADS, "from", *here}, LIST)


def name_in_list(head: str, raw: Any, known: Set[str]) -> str:
    """What to write instead of `{conv1: {conv: 64}}` where layers have no names; or ""."""
    inside = raw.get(head) if isinstance(raw, Mapping) else None
    layers = inside if isinstance(inside, Mapping) else [inside] if isinstance(inside, str) else ()
    layer = next((word for word in layers if word in known or word in HEADS), "")
    if not layer:
        return ""
    return f"a list has no names: leave out `{head}`, or write `name: {head}` beside `{layer}`"


def default_hint(name: str, blocks: Iterable[str]) -> Hint:
    """What to write instead of a key of `defaults`."""
    known = {*OPS, *blocks, *PARTS_OF_ALL}
    return _meant(
        name, known, f"choose from: {', '.join(sorted(known))}" if len(known) < 60 else ""
    )


def _meant(wrong: str, known: Set[str], rest: str) -> Hint:
    """Our name, or torch's; what others call it; or that we have no such layer."""
    found = guess(wrong, known, torch_names())
    ours = elsewhere(wrong)
    text = str(found)
    if ours and not found.sure:
        text = f"did you mean `{ours}`?"
    if ours == "batch_norm":
        text = f"did you mean `{ours}`, or `norm` for that of the network?"
    word = found.word or ours
    if not text and (none := unsupported(wrong)):
        text = f"{none};"
    return instead(" ".join(filter(None, [text, rest])).rstrip(";"), wrong, word, found.sure)


def argument_hints(problems: list[Problem], data: Mapping[str, Any]) -> list[Problem]:
    """Unknown keys of a spec that are arguments of its network, with what to write instead."""
    return [_in_args(problem, data) for problem in problems]


def _in_args(problem: Problem, data: Mapping[str, Any]) -> Problem:
    if problem.rule != "unknown-key" or len(problem.path) != 1:
        return problem
    key, args = str(problem.path[0]), data.get("args")
    known = args if isinstance(args, Mapping) else {}
    word = "classes" if key in CLASSES and key not in known else key
    if word not in known and word != "classes":
        return problem
    return problem._replace(hint=f"write `args: {{{word}: {flow(data.get(key))}}}`")


def name_hint(wrong: str, path: tuple[Any, ...], names: Set[str]) -> str:
    """What to write instead of a name in an expression, where these names are known."""
    if path[:1] == ("call",) and not guess(wrong, names).word:
        return f"{_name_hint(wrong, names)}; a text is written `{{text: {wrong}}}`"
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
    if wrong in COUNTED:
        return WHERE_COUNTED
    if not names:
        return "write a number: no name is known here, for the spec has no `args`"
    if wrong in FLOW:
        return f"`{wrong}` is known inside blocks only"
    return did_you_mean(wrong, names, "known here")
