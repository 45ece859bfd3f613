"""Calls as lines of source, laid out as `ruff format` would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 88
STEP = "    "


@dataclass(frozen=True, slots=True)
class CallText:
    """`name(arguments)`; `tall` puts each argument on a line of its own."""

    name: str
    arguments: tuple[Text, ...]
    tall: bool = False


@dataclass(frozen=True, slots=True)
class KeywordText:
    """`name=value`."""

    name: str
    value: Text


@dataclass(frozen=True, slots=True)
class RunText:
    """`*[element for _ in range(count)]`."""

    element: Text
    count: int


Text = str | CallText | KeywordText | RunText


def flat(text: Text) -> str:
    """On one line."""
    match text:
        case CallText(name=name, arguments=arguments):
            return f"{name}({', '.join(map(flat, arguments))})"
        case KeywordText(name=name, value=value):
            return f"{name}={flat(value)}"
        case RunText(element=element, count=count):
            return f"*[{flat(element)} for _ in range({count})]"
    return text


def _tall(text: Text) -> bool:
    match text:
        case CallText(arguments=arguments, tall=tall):
            return tall or any(map(_tall, arguments))
        case KeywordText(value=value):
            return _tall(value)
        case RunText(element=element):
            return _tall(element)
    return False


def lines(text: Text, indent: str, before: str = "", after: str = "") -> list[str]:
    """As few lines as fit; `before` and `after` stand around the first and last."""
    whole = indent + before + flat(text) + after
    if not _tall(text) and len(whole) <= WIDTH:
        return [whole]
    match text:
        case CallText(name=name, arguments=arguments) if arguments:
            return _call(name, arguments, text.tall, indent, before, after)
        case KeywordText(name=name, value=value):
            return lines(value, indent, f"{before}{name}=", after)
        case RunText(element=element, count=count):
            middle = lines(element, indent + STEP)
            last = f"{indent}{STEP}for _ in range({count})"
            return [f"{indent}{before}*[", *middle, last, f"{indent}]{after}"]
    return [whole]


def _call(
    name: str,
    arguments: Sequence[Text],
    tall: bool,
    indent: str,
    before: str,
    after: str,
) -> list[str]:
    first, last = f"{indent}{before}{name}(", f"{indent}){after}"
    together = indent + STEP + ", ".join(map(flat, arguments))
    one_line = len(together) <= WIDTH and not tall and not any(map(_tall, arguments))
    if one_line and not isinstance(arguments[-1], RunText):
        return [first, together, last]
    inside = [line for a in arguments for line in lines(a, indent + STEP, after=",")]
    return [first, *inside, last]
