"""Markdown, for a comment on a pull request."""

from __future__ import annotations

import re
from re import Match

from archspec.diagnostics import visible
from archspec.diff.comparison import Comparison, Text
from archspec.diff.formats.common import one_name, place, shown, told, unchanged
from archspec.diff.lines import Line

_CODE = re.compile(r"(`[^`]*`)")
_ARROW, _TIMES, _DASH, _MINUS = " \u2192 ", "\u00d7", "\u2013", "\u2212"
_SIGNS = re.compile(r"(?P<arrow> -> )|(?<=\d)x(?=\d)| x (?=\d)|(?P<dash>(?<=\d)-(?=\d))")
_SPECIAL = re.compile(r"([\\*<>&|`\[\]!])")  # what Markdown or HTML would interpret
_NUMBERS = re.compile(r"[-+.\de]+")


def render(comparison: Comparison, every: bool = False) -> str:
    """The report; `every` line of it, or the first few."""
    old, new = map(_code, comparison.names)
    if comparison.facts.equal:
        head = _code(same) if (same := one_name(comparison)) else f"{old} → {new}"
        texts = ", ".join(map(_text, comparison.texts))
        said = [f"**{head}: {comparison.verdict}.** {unchanged(comparison)}."]
        return " ".join([*said, f"The text differs: {texts}."][: 1 + bool(texts)])
    lines, more = shown(comparison, every)
    bullets = [f"- {_where(line)}{_typeset(told(comparison, line))}" for line in lines]
    bullets += [f"- ... and {more} more (`--all`)"] if more else []
    bullets += [f"- Checkpoint: {_plain(comparison.survival)}."]
    bullets += [f"- Note: {_plain(note)}." for note in comparison.notes]
    head = f"**{old} → {new}: {_plain(comparison.verdict)}**"
    names = map(_plain, comparison.names)
    table = ["| | " + " | ".join(names) + " | change |", "|---|--:|--:|--:|"]
    table += ["| " + " | ".join(_cells(row)) + " |" for row in comparison.metrics]
    return "\n\n".join([head, "\n".join(bullets), "\n".join(table)])


def _where(line: Line) -> str:
    if not line.named:
        return f"{place(line)}: "
    names = ", ".join(_code(name) for name in place(line).split(", "))
    if line.inside:
        return f"{names}: "
    return names + {"+": " is new: ", "-": " is gone: "}.get(line.mark, ": ")


def _cells(row: tuple[str, ...]) -> list[str]:
    name, before, after, change = row
    return [name, before, after, _DASH if change == "-" else change.replace("-", _MINUS)]


def _code(text: str) -> str:
    """A name as code; a backtick in it is not part of the markup."""
    return f"`{visible(text).replace('`', '')}`"


def _text(text: Text) -> str:
    """A key of a spec, and its short values if it has some."""
    values = [one if _NUMBERS.fullmatch(one) else _code(one) for one in text.values]
    return _code(text.path) + (f" ({_ARROW.join(values)})" if values else "")


def _typeset(text: str) -> str:
    """Arrows, signs, and dashes as in print, except in code."""
    parts = _CODE.split(visible(text))
    return "".join(
        p if place % 2 else _escaped(_SIGNS.sub(_sign, p)) for place, p in enumerate(parts)
    )


def _sign(found: Match[str]) -> str:
    if found["arrow"]:
        return _ARROW
    return _DASH if found["dash"] else found[0].replace("x", _TIMES)


def _plain(text: str) -> str:
    """Without code."""
    return _escaped(visible(text).replace("`", ""))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
