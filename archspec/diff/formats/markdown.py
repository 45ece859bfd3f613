"""Markdown, for a comment on a pull request."""

from __future__ import annotations

import re

from archspec.diagnostics import visible
from archspec.diff.comparison import Comparison
from archspec.diff.formats.common import one_name, place, shown, told, unchanged
from archspec.diff.lines import Line

_CODE = re.compile(r"(`[^`]*`)")
_SIGNS = (
    (re.compile(r" -> "), " → "),
    (re.compile(r"(?<=\d)x(?=\d)| x (?=\d)"), lambda found: found[0].replace("x", "×")),
    (re.compile(r"(?<=\d)-(?=\d)"), "–"),
)
_SPECIAL = re.compile(r"([\\*_<>&|\[\]#~!])")


def render(comparison: Comparison, every: bool = False) -> str:
    """The report; `every` line of it, or the first few."""
    old, new = map(_code, comparison.names)
    if comparison.facts.equal:
        head = _code(same) if (same := one_name(comparison)) else f"{old} → {new}"
        texts = ", ".join(map(_text_key, comparison.texts))
        said = [f"**{head}: {comparison.verdict}.** {unchanged(comparison)}."]
        return " ".join([*said, f"The text differs: {texts}."][: 1 + bool(texts)])
    lines, more = shown(comparison, every)
    bullets = [f"- {_where(line)}{_typeset(told(comparison, line))}" for line in lines]
    bullets += [f"- ... and {more} more (`--all`)"] if more else []
    bullets += [f"- Checkpoint: {_plain(comparison.survival)}."]
    bullets += [f"- Note: {_plain(note)}." for note in comparison.notes]
    head = f"**{old} → {new}: {_plain(comparison.verdict)}**"
    names = [visible(name).replace("|", r"\|") for name in comparison.names]
    table = ["| | " + " | ".join(names) + " | change |", "|---|--:|--:|--:|"]
    table += ["| " + " | ".join(_cells(row)) + " |" for row in comparison.metrics]
    return "\n\n".join([head, "\n".join(bullets), "\n".join(table)])


def _where(line: Line) -> str:
    if not line.named:
        return f"{place(line)}: "
    names = ", ".join(_code(name) for name in place(line).split(", "))
    return names + {"+": " is new: ", "-": " is gone: "}.get(line.mark, ": ")


def _cells(row: tuple[str, ...]) -> list[str]:
    name, before, after, change = row
    return [name, before, after, "–" if change == "-" else change.replace("-", "−")]


def _code(text: str) -> str:
    """A name as code; a backtick in it is none of ours."""
    return f"`{visible(text).replace('`', '')}`"


def _text_key(text: str) -> str:
    key, _, values = text.partition(" ")
    return _code(key) + (f" {_typeset(_SPECIAL.sub(chr(92) + r'1', visible(values)))}" if values else "")


def _typeset(text: str) -> str:
    """Arrows, signs and dashes as they are printed, but not in code."""
    parts = _CODE.split(visible(text))
    return "".join(part if place % 2 else _signs(part) for place, part in enumerate(parts))


def _signs(text: str) -> str:
    for pattern, sign in _SIGNS:
        text = pattern.sub(sign, text)
    return text


def _plain(text: str) -> str:
    return visible(text).replace("`", "")
