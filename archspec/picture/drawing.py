"""The elements of a picture: shapes with positions, and the width of text.

Lengths are in units of 170 mm / 692. The text width of an A4 page is 692 units: 680 for the
picture, and a margin of 6 on each side.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

WIDTH = 680  # of a picture, without its margins
TALLEST = 960  # an A4 page has 240 mm for a figure and its caption
SMALL, BODY, HEAD, TITLE = 9.5, 10.0, 10.5, 15.0  # sizes of type; 9.5 units are 6.6 pt in print

# Advance widths of Helvetica in 1/1000 em (Adobe Font Metrics), from the space to the tilde.
_ADVANCES = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 "
    "556 556 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 "
    "500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 "
    "556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 "
    "278 556 500 722 500 500 500 334 260 334 584 "
)
_WIDTHS = {chr(32 + place): int(width) for place, width in enumerate(_ADVANCES.split())}
_WIDTHS |= {"\u00a0": 278, "\u00b7": 278, "\u00d7": 584, "\u2013": 556}
_WIDTHS |= {"\u2026": 1000, "\u2192": 1000}


@cache
def width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text at a font size."""
    units = sum(_WIDTHS.get(one) or _advance(one) for one in text)
    return units * size / 1000 * (1.06 if bold else 1)


def _advance(one: str) -> int:
    return 1000 if unicodedata.east_asian_width(one) in "WF" else 667


def cut(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, cut with an ellipsis if it does not fit."""
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "\u2026", size, bold) > room:
        text = text[:-1]
    return text.rstrip(" ,\u00b7\u00a0") + "\u2026"


def fitted(text: Text, room: float) -> Text:
    """The text, cut if it does not fit."""
    shown = cut(text.text, room, text.size, text.bold)
    return text if shown == text.text else text._replace(text=shown, full=text.text)


def fitting(texts: Iterable[str], room: float) -> str:
    """The first small text that fits; if none does, the last one, cut."""
    last = ""
    for last in texts:
        if width(last, SMALL) <= room:
            return last
    return cut(last, room, SMALL)


def wrapped(text: str, room: float, size: float) -> list[str]:
    """The text in lines that fit."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [cut(line, room, size) for line in lines]


class Rect(NamedTuple):
    """A rectangle. `solid` rectangles are boxes, which must not overlap."""

    x: float
    y: float
    w: float
    h: float
    fill: str
    stroke: str = "stroke"
    r: float = 3
    dash: bool = False
    line: float = 0.9
    solid: bool = True


class Text(NamedTuple):
    """A line of text at its baseline; `full` is the text before it was cut.

    `anchor` is "start", "middle", or "end". Turned text reads from top to bottom.
    """

    x: float
    y: float
    text: str
    size: float = SMALL
    anchor: str = "start"
    fill: str = "ink"
    bold: bool = False
    full: str = ""
    turned: bool = False


class Line(NamedTuple):
    """A line through points, with rounded corners and an arrow at its end."""

    points: tuple[tuple[float, float], ...]
    stroke: str = "stroke"
    line: float = 1
    arrow: bool = False
    dash: bool = False
    r: float = 6


class Shape(NamedTuple):
    """A filled polygon. `solid` polygons are boxes."""

    points: tuple[tuple[float, float], ...]
    fill: str
    stroke: str = "stroke"
    line: float = 0.9
    solid: bool = False
    dash: bool = False


class Circle(NamedTuple):
    """A circle with a sign in it ("+", "×", "C"), or a dot if there is no sign."""

    x: float
    y: float
    r: float = 7
    sign: str = ""
    fill: str = "paper"


class Group(NamedTuple):
    """Shapes that form one row of the network, with the row's path."""

    path: str
    items: tuple[Item, ...]


Item = Rect | Text | Line | Shape | Circle | Group


class Scene(NamedTuple):
    """A picture: its size without margins, and its shapes in drawing order."""

    height: float
    items: tuple[Item, ...]
    title: str
    description: str

    @property
    def scale(self) -> float:
        """The factor that fits the picture on a page, at most 1."""
        return min(1.0, TALLEST / self.height)


def flat(items: Iterable[Item]) -> Iterator[Rect | Text | Line | Shape | Circle]:
    """Shapes without groups."""
    for item in items:
        if isinstance(item, Group):
            yield from flat(item.items)
        else:
            yield item


def moved(items: Iterable[Item], dx: float, dy: float) -> tuple[Item, ...]:
    """The shapes, moved by (dx, dy)."""
    return tuple(_moved(item, dx, dy) for item in items)


def _moved(item: Item, dx: float, dy: float) -> Item:
    match item:
        case Group(items=items):
            return item._replace(items=moved(items, dx, dy))
        case Line() | Shape():
            return item._replace(points=tuple((x + dx, y + dy) for x, y in item.points))
    return item._replace(x=item.x + dx, y=item.y + dy)


def box_of(kind: str, x: float, y: float, w: float, h: float, dash: str = "") -> Rect | Shape:
    """The outline of a layer by its kind, which also distinguishes layers without color.

    `dash` is the color of a dashed outline.
    """
    if kind == "pool":
        slope = min(8.0, w / 8)
        points = ((x, y), (x + w, y), (x + w - slope, y + h), (x + slope, y + h))
        return Shape(points, "pool", dash or "stroke", solid=True, dash=bool(dash))
    r = {"linear": min(h / 2, 12), "other": min(h / 2, 9)}.get(kind, 3)
    fill = "paper" if kind == "other" else kind
    return Rect(x, y, w, h, fill, dash or "stroke", r, bool(dash))
