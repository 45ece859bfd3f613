"""Keys at the level of another key that belong inside it: an indentation mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archspec.language.problems import Collector, Problem

SECTIONS = ("stem", "stages", "head", "blocks", "defaults")


def beside_its_stage(stages: Mapping[Any, Any], keys: Iterable[str]) -> None:
    """Raises `Problems` at the first of these keys that belongs to an empty stage above it."""
    found, above = Collector(), ""
    for key, value in stages.items():
        if value is None:
            above = key
        elif key in keys and above:
            hint = f"indent the keys that belong to `{above}`"
            message = f"`{key}` is at the same level as `{above}`, not inside it"
            found.add("yaml-syntax", message, hint, key, key=True)
            break
    found.finish()


def empty_sections(problems: list[Problem], data: Mapping[str, Any]) -> list[Problem]:
    """The findings for unknown keys below an empty section; the first has the hint."""
    empty = [key for key in SECTIONS if key in data and data[key] is None]
    if not empty:
        return problems
    inside = [p for p in problems if _is_layer(p, data)]
    if not inside:
        return problems
    message = f"`{inside[0].path[0]}` is at the same level as `{empty[0]}`, not inside it"
    hint = f"indent the keys that belong to `{empty[0]}`"
    left = [p for p in problems if p not in inside and p.path != (empty[0],)]
    return [*left, inside[0]._replace(rule="yaml-syntax", message=message, hint=hint)]


def _is_layer(problem: Problem, data: Mapping[str, Any]) -> bool:
    unknown = problem.rule == "unknown-key" and len(problem.path) == 1
    return unknown and isinstance(data.get(str(problem.path[0])), (str, Mapping, list))
