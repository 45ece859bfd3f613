"""Keys at the level of another key that belong inside it: an indentation mistake."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import takewhile
from typing import Any

from archspec.diagnostics import shown
from archspec.language.problems import Problem, fail

# What others call the key of all arguments of a layer.
WRAPPERS = ("args", "arguments", "config", "kwargs", "options", "parameters", "params", "with")
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


def check_items(items: Sequence[Any], inner: Callable[[str], Container[str]]) -> None:
    """Raises `Problems` if items of a list are arguments of the empty layer before them.

    `inner` returns the arguments of a layer type.
    """
    for place, item in enumerate(items):
        head, value = _only(item)
        if value is not None:
            continue
        known, pairs = inner(head), map(_only, items[place + 1 :])
        given = dict(takewhile(lambda pair: pair[0] in known or wraps(*pair), pairs))  # noqa: B023
        if given:
            key = next(iter(given))
            message, hint = beside(key, head)[0], f"use `{head}: {flow(unwrapped(given))}`"
            fail("yaml-syntax", message, hint, place + 1, key, key=True)


def _only(item: Any) -> tuple[str, Any]:
    """The key and value of a mapping with one key; otherwise "", and no value."""
    return next(iter(item.items())) if isinstance(item, Mapping) and len(item) == 1 else ("", 0)


def wraps(key: Any, value: Any) -> bool:
    """Whether a key only holds the arguments of a layer."""
    return key in WRAPPERS and isinstance(value, Mapping)


def unwrapped(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without the keys that only hold others: `{with: {kernel: 3}}` is `{kernel: 3}`."""
    parts = (value if wraps(key, value) else {key: value} for key, value in given.items())
    return {key: value for part in parts for key, value in part.items()}


def flow(value: Any) -> str:
    """A value as YAML on one line, cut short."""
    if isinstance(value, Mapping):
        text = ", ".join(f"{key}: {flow(part)}" for key, part in value.items())
        return f"{{{text}}}" if len(text) < 60 else "{...}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return shown(str(value))


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
