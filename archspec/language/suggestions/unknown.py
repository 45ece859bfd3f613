"""Hints for names that are not defined."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence, Set
from typing import Any

from archspec.diagnostics import Hint, did_you_mean, guess, instead
from archspec.language.problems import Problem
from archspec.language.suggestions.elsewhere import elsewhere, torch_names, unsupported
from archspec.language.suggestions.indented import flow
from archspec.language.suggestions.pythonic import layer_with_value, pythonic_hint
from archspec.language.words import COUNTED, FLOW, HEADS, PARTS_OF_ALL, TURN
from archspec.ops import OPS

CLASSES = ("num_classes", "n_classes", "nb_classes")  # other frameworks' names of `args.classes`
# Other programs' keys of the network that a configuration starts from, and of its norm and act.
BASES = ("model", "arch", "architecture", "backbone", "network")
PARTS = {
    **dict.fromkeys(("norm", "norm_layer"), "norm"),
    **dict.fromkeys(("act", "act_layer", "activation"), "act"),
}
# Where an index is defined.
WHERE = {
    **dict.fromkeys(
        TURN, "it is available in stages and layers with `repeat`, and in the blocks they use"
    ),
    **dict.fromkeys(
        COUNTED, "it is available in stages, and in a block with `repeat` in stem, stages, or head"
    ),
}
# The hint for an argument of the spec in a block.
PASSED = "blocks have arguments of their own: add `args: {{{0}: required}}`, and set it in each use"
MOST_LISTED = 10
# Other names of `FLOW`.
_FLOW_ELSEWHERE = {
    **dict.fromkeys(("out_channels", "out_planes", "planes", "filters", "cout"), "channels"),
    **dict.fromkeys(("inplanes", "in_planes", "in_features", "cin"), "in_channels"),
    "strides": "stride",
}
LIST = "run `archspec list` to see all ops and blocks"


def layer_hint(head: str, here: Set[str]) -> Hint:
    """The hint for an unknown layer type."""
    text = pythonic_hint(head)
    if layer := layer_with_value(head):
        text = f"use `{layer}`"
    elif head == "input":
        text = "to read a tensor, use `{from: input}`"
    return instead(text, head, "") if text else _meant(head, {*HEADS, "from", "none", *here}, LIST)


def name_in_list(head: str, raw: Any, known: Set[str]) -> str:
    """The hint for `{conv1: {conv: 64}}` where layers have no names, or ""."""
    inside = raw.get(head) if isinstance(raw, Mapping) else None
    if isinstance(inside, list) and not guess(head, known | {*HEADS}).word and not elsewhere(head):
        return f"items of a list have no names: use `{{sequence: [...], name: {head}}}`"
    layers = inside if isinstance(inside, Mapping) else [inside] if isinstance(inside, str) else ()
    layer = next((word for word in layers if word in known or word in HEADS), "")
    if not layer:
        return ""
    if head.lower() in PARTS:  # `Activation: relu`
        return f"use `{layer}`"
    return (
        f"items of a list have no names: remove `{head}`, or add `name: {head}` next to `{layer}`"
    )


def default_hint(name: str, blocks: Iterable[str]) -> Hint:
    """The hint for an unknown key of `defaults`."""
    known = {*OPS, *blocks, *PARTS_OF_ALL}
    listed = f"expected one of: {', '.join(sorted(known))}" if len(known) < 60 else LIST
    return _meant(name, known, listed)


def _meant(wrong: str, known: Set[str], rest: str) -> Hint:
    """Our name or torch's; the name elsewhere; or that archspec has no such layer."""
    found, ours = guess(wrong, known, torch_names()), elsewhere(wrong)
    if not (ours or found.sure) and (none := unsupported(wrong)):
        return instead("; ".join(filter(None, (none, rest))), wrong, "")
    text = str(found)
    if ours and not found.sure:
        text = f"did you mean `{ours}`?"
    if ours == "batch_norm":
        text = f"did you mean `{ours}` (or `norm` to use the network's norm)?"
    text = " ".join(filter(None, (text, "" if found.sure else rest)))
    return instead(text, wrong, found.word or ours, found.sure)


def tensor_hint(wrong: str, earlier: Sequence[str]) -> Hint:
    """The hint for an unknown tensor, if these are defined before it, in this order."""
    found = guess(wrong, earlier)
    text = " ".join(filter(None, [str(found), "" if found.sure else tensors_listed(earlier)]))
    return instead(text, wrong, found.word, found.sure)


def passed_in(name: str) -> str:
    """The hint for a tensor of the network in a block."""
    return f"a block has tensors of its own: add `inputs: [{name}]`, and set `{name}` in each use"


def tensors_listed(earlier: Sequence[str]) -> str:
    """The tensors that are available, the nearest first."""
    return f"available here: {', '.join(earlier[: -MOST_LISTED - 1 : -1])}"


def section_hints(
    problems: list[Problem], data: Mapping[str, Any], train: Container[str]
) -> list[Problem]:
    """Unknown keys of a spec that are keys of `train`, or arguments of its network, with hints."""
    return [_in_section(problem, data, train) for problem in problems]


def belongs_on_top(key: str) -> str:
    """The hint for an entry of stem, stages, or head with the name of a key of the spec."""
    return f"`{key}` is a key of the spec: move it to the top level of the file"


def not_nested(problems: list[Problem], data: Mapping[str, Any]) -> list[Problem]:
    """The findings, without those for missing keys that are in a whole spec under another key."""
    inner = {key for value in data.values() if _is_spec(value) for key in value}
    return [problem for problem in problems if problem.missing not in inner]


def _is_spec(value: Any) -> bool:
    """Whether a value has the keys of a whole spec."""
    return isinstance(value, Mapping) and len(value.keys() & {"name", "input", "extends"}) > 1


def _in_section(problem: Problem, data: Mapping[str, Any], train: Container[str]) -> Problem:
    if problem.rule == "bad-name" and problem.path[1:] == ("train",):  # also of `nn.Module`
        return problem._replace(hint=belongs_on_top("train"))
    if problem.rule != "unknown-key" or len(problem.path) != 1:
        return problem
    key, args = str(problem.path[0]), data.get("args")
    if key in BASES and isinstance(data[key], str):
        return problem._replace(hint=f"use `extends: {flow(data[key])}`")
    if (part := PARTS.get(key)) and data[key] is not None:
        return problem._replace(hint=f"use `defaults: {{{part}: {flow(data[key])}}}`")
    if _is_spec(data[key]):
        return problem._replace(hint="move its keys to the top level of the file")
    if key in train:
        return problem._replace(hint=f"use `train: {{{key}: {flow(data[key])}}}`")
    known = args if isinstance(args, Mapping) else {}
    word = "classes" if key in CLASSES and key not in known else key
    if word not in known and word != "classes":
        return problem
    return problem._replace(hint=f"use `args: {{{word}: {flow(data.get(key))}}}`")


def name_hint(wrong: str, path: tuple[Any, ...], names: Set[str]) -> str:
    """The hint for an unknown name in an expression, if these names are defined."""
    if path[:1] == ("call",) and not guess(wrong, names).word:
        return f"for a string, use `{{text: {wrong}}}`; {_name_hint(wrong, names)}"
    return _padding_hint(wrong, path) or _name_hint(wrong, names)


def _padding_hint(wrong: str, path: tuple[Any, ...]) -> str:
    if "padding" not in path:
        return ""
    return {
        "same": "remove `padding`: an odd kernel then keeps the size",
        "valid": "use `padding: 0`",
    }.get(wrong.lower(), "")


def _name_hint(wrong: str, names: Set[str]) -> str:
    if wrong in ("none", "None"):
        return "`none` is only for layers; use a number here, or remove the key for the default"
    if wrong in WHERE:
        return WHERE[wrong]
    if (ours := _FLOW_ELSEWHERE.get(wrong, "")) in names:
        return instead(f"use `{ours}`", wrong, ours)
    if wrong in FLOW:
        return f"`{wrong}` is available only inside blocks"
    if not names:
        return f"use a number, or define it with `args: {{{wrong}: ...}}`"
    return did_you_mean(wrong, names, "available names")
