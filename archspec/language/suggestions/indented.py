"""Keys at the level of another key that belong inside it: an indentation mistake."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from archspec.language.problems import Problem, fail

SECTIONS = ("args", "stem", "stages", "head", "blocks", "defaults", "train", "expect")


def check_indentation(values: Mapping[Any, Any], inner: Container[str]) -> None:
    """Raises `Problems` if one of the keys `inner` follows an empty key, to which it belongs."""
    if None not in values.values():
        return
    above = ""
    for key, value in values.items():
        if value is None:
            above = key
        elif above and key in inner:
            fail("yaml-syntax", *beside(key, above), key, key=True)


def beside(key: str, above: str) -> tuple[str, str]:
    """The message and the hint."""
    message = f"`{key}` is at the same level as `{above}`, not inside it"
    return message, f"indent the keys that belong to `{above}`"


def empty_sections(problems: list[Problem], data: Mapping[str, Any]) -> list[Problem]:
    """The findings, of which those for unknown keys directly below an empty section are one."""
    unknown = {p.path[0]: p for p in problems if p.rule == "unknown-key" and len(p.path) == 1}
    above, inside = "", list[Problem]()
    for key in data:
        if key in unknown and above:
            inside.append(unknown[key])
        elif inside:
            break
        else:
            above = key if key in SECTIONS and data[key] is None else ""
    if not inside:
        return problems
    message, hint = beside(str(inside[0].path[0]), above)
    left = [p for p in problems if p not in inside and p.path != (above,)]
    return [*left, inside[0]._replace(rule="yaml-syntax", message=message, hint=hint)]
