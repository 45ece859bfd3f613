"""A spec without its mistakes, so that users see the findings in the rest at once.

A value with a finding is corrected if the correction is known (a misspelled key), replaced by a
value that is valid anywhere (1, `none`), or left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archspec.diagnostics import Diagnostic, Hint
from archspec.language.problems import Problem
from archspec.language.suggestions.indented import unwrapped, wraps
from archspec.language.words import COMBINATORS, HEADS, MODIFIERS, ONE_BODY, WITH_ARGUMENTS
from archspec.places import Path
from archspec.source.document import Changed, Document, Step, copied, holds

NEEDED = {"name": "net", "input": [1]}
ASIDE = ("class", "doc", "init", "expect", "train")  # no layer or shape depends on them
WHOLE = (*ASIDE, "names", "outputs")
# Rules that may be reported elsewhere only because these sections are left out.
FOLLOWS = {
    "args": ("unknown-name",),
    "blocks": ("unknown-layer", "unknown-block", "unknown-default", "unknown-key"),
    "defaults": ("missing-key",),
    **dict.fromkeys(("stem", "stages", "head"), ("unknown-tensor",)),
}
LAYERS = ("else", "shortcut", "before")
NOTHING = ("none",)  # a list without layers
NEVER_REPORTED = ("no-layers",)  # may be reported only because something was left out
NOT_OF_STAGES = ("channels-shrink", "wrong-length")


class _Kept(Exception):
    """Cannot be left out, because the rest would mean something else."""


def without(document: Document, problems: Iterable[Problem]) -> Document | None:
    """A copy without the values that have findings; None if that is not possible."""
    rest = copied(document.data)
    renamed: dict[Path, Path] = {}
    problems = list(problems)
    try:
        for problem in problems:
            _leave_out(rest, problem, renamed)
    except _Kept:
        return None
    gone = {p.path for p in problems if len(p.path) == 2 and _is_gone(p)}
    return Changed(rest, document, renamed, gone)


def of_the_rest(found: Iterable[Diagnostic], problems: Iterable[Problem]) -> list[Diagnostic]:
    """The findings that were not caused by leaving something out."""
    problems = list(problems)
    sections = [p.path[0] for p in problems if len(p.path) == 1 and _is_gone(p)]
    never = {*NEVER_REPORTED, *(rule for top in sections for rule in FOLLOWS[str(top)])}
    never |= {*NOT_OF_STAGES} if any(map(_of_a_stage, problems)) else set()
    return [finding for finding in found if finding.span and finding.rule not in never]


def is_aside(problem: Problem) -> bool:
    """Whether the mistakes affect no layers or shapes of a spec."""
    if not problem.path:
        return problem.missing == "name"
    return problem.path[0] in ("name", *ASIDE)


def _is_gone(problem: Problem) -> bool:
    """Whether a whole section, block, or argument is left out."""
    top, depth = problem.path[:1], len(problem.path)
    if problem.rule == "unknown-key" or not top or top[0] not in FOLLOWS:
        return False
    return depth == 1 or (depth == 2 and (top == ("blocks",) or (top == ("args",) and problem.key)))


def _of_a_stage(problem: Problem) -> bool:
    """Whether its stage, or the stage's `shrink`, is left out: the next may only seem to shrink."""
    inside = problem.path[:1] == ("stages",) and problem.rule != "channels-shrink"
    return inside and not (problem.key and problem.path[-1] != "shrink")


def _leave_out(rest: dict[str, Any], problem: Problem, renamed: dict[Any, Any]) -> None:
    path, top = problem.path, str(problem.path[0]) if problem.path else ""
    if not path:
        rest |= {key: value for key, value in NEEDED.items() if key not in rest}
    elif top in WHOLE:
        rest.pop(top, None)
    elif problem.rule == "yaml-syntax" or getattr(problem.hint, "instead", "") == "extends":
        raise _Kept
    elif problem.rule == "unknown-key":
        _put_right(rest, path, problem.hint, renamed)
    elif top in NEEDED:
        rest[top] = NEEDED[top]
    elif problem.rule == "channels-shrink":
        _at(rest, path[:-1])["shrink"] = "reported already"
    elif _is_gone(problem):
        (rest if len(path) == 1 else rest[top]).pop(str(path[-1]), None)
    elif top in _SECTIONS and len(path) > 1:
        _replace(rest, problem, renamed)
    else:
        raise _Kept


def _put_right(
    rest: dict[str, Any], path: tuple[Step, ...], hint: str, renamed: dict[Any, Any]
) -> None:
    """A key under the name that was meant, if that is known and unused."""
    *outer, wrong = path
    here = _at(rest, outer)
    if not holds(here, wrong):
        raise _Kept
    value = here.pop(wrong)
    if wraps(wrong, value):
        here |= value
        renamed |= {(*outer, key): (*path, key) for key in value}
    word = hint.instead if isinstance(hint, Hint) else ""
    if not outer and word in ASIDE:  # a base spec was not merged into it
        return
    if word and word not in here:
        here[word] = value
        renamed[*outer, word] = path


def _at(rest: Any, path: Iterable[Step]) -> Any:
    """The value at a path, if there is one."""
    for step in path:
        rest = rest[step] if holds(rest, step) else None
    return rest


def _replace(rest: dict[str, Any], problem: Problem, renamed: dict[Path, Path]) -> None:
    """Find the layer or argument that is wrong, and leave it out."""
    top, *path = problem.path
    of_layer = problem.rule == "bad-layer" and (problem.key or path[-1] in MODIFIERS)
    if of_layer:
        path.pop()
    kind, step = _SECTIONS[str(top)], top
    holder: Any = rest
    for below in path:
        inside = holder[step]
        found = _kind(kind, inside, below) if holds(inside, below) else ""
        if not found:
            break
        kind, holder, step = found, inside, below
    if of_layer and _is_one_layer(holder[step], problem.path[:-1], renamed):
        return
    named = problem.path[-2:-1] == ("parts",)  # a body's use of a part would be undefined
    if problem.key and problem.rule == "bad-name" and not named and kind in ("layers", "stage"):
        holder.pop(step)
    elif problem.key and not of_layer:
        raise _Kept
    elif kind == "layers":
        holder[step] = list(NOTHING) if step == "body" else "none"
    elif kind == "stage":
        holder[step] = "none"
    elif kind == "branches":
        holder[step] = list(NOTHING)
    elif kind == "arguments" and step in WITH_ARGUMENTS:  # an entry without a name is not a finding
        del holder[step]
        holder["concat"] = [list(NOTHING)]
    elif kind == "arguments":
        holder[step] = {}
    elif kind == "number" or step == "when":
        holder[step] = 1 if kind == "number" else True
    elif kind == "value" and step != "import":  # its block would have no body
        holder.pop(step)
    else:
        raise _Kept


def _is_one_layer(layer: Any, path: Path, renamed: dict[Path, Path]) -> bool:
    """Whether all layer types except one op or combinator could be removed.

    If that one is empty, the others are meant to be inside it.
    """
    heads = [key for key in layer if key not in MODIFIERS] if isinstance(layer, dict) else []
    known = [key for key in heads if key in HEADS]
    if len(heads) < 2 or len(known) != 1:
        return False
    (head,) = known
    others = {key: layer.pop(key) for key in heads if key != head}
    if layer[head] is not None:
        return True
    layer[head] = unwrapped(others)
    for key, value in others.items():
        inside = value if wraps(key, value) else ()
        renamed |= {(*path, head, name): (*path, key, name) for name in inside}
        renamed |= {(*path, head, key): (*path, key)}
        if head in ONE_BODY and isinstance(value, list):
            layer[head] = value
            renamed[*path, head] = (*path, key)
    return True


_SECTIONS = {
    "stem": "section",
    "head": "section",
    "stages": "stages",
    "defaults": "defaults",
    "blocks": "blocks",
    "args": "numbers",
}
_INSIDE = {
    "section": "layers",
    "branches": "layers",
    "parts": "layers",
    "arguments": "value",
    "numbers": "number",
    "blocks": "block",
}
_OF_A_BLOCK = {
    "args": "numbers",
    "parts": "parts",
    "body": "layers",
    "like": "layers",
    "call": "numbers",
    "params": "number",
    "macs": "number",
}


def _kind(kind: str, inside: Any, step: Step) -> str:
    """The value one step further; "" if the path leads inside a scalar."""
    if kind == "layers" and isinstance(inside, list):
        return "layers"
    if kind in ("layers", "stage") and isinstance(inside, Mapping):
        if kind == "stage" and "block" in inside:
            return "value" if step != "block" else ""
        if step in MODIFIERS:
            return "layers" if step in LAYERS else "value"
        layers = step in COMBINATORS and step not in WITH_ARGUMENTS
        return "branches" if layers else "arguments"
    if kind == "stages":
        return "stage"
    if kind == "defaults":
        return "layers" if step in ("norm", "act") else "arguments"
    if kind == "block":
        return _OF_A_BLOCK.get(str(step), "value")
    return _INSIDE.get(kind, "")
