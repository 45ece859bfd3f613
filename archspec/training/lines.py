"""Lines of a script by their location, and how values are written."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from archspec.language.train import REGULARISERS, Places, Train

Lines = defaultdict[str, list[str]]
ALL = "net.parameters()"


def lines_of(recipe: Train, places: Places) -> Lines:
    """Location -> the lines of all regularizers there."""
    lines: Lines = defaultdict(list)
    for part in REGULARISERS:
        for where, line in part.script(recipe, places):
            lines[where].append(line)
    for trained in lines["trained"]:
        for place in lines.keys() - {"network"}:
            lines[place] = [line.replace(ALL, trained) for line in lines[place]]
    return lines


def literal(value: Any) -> str:
    """A number, string, or a tuple of them, as ruff formats it."""
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, (tuple, list)):
        inside = ", ".join(map(literal, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)
