"""A picture as SVG: text stays text, and colors follow the light or dark mode of the reader."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from html import escape

from archspec.analysis import Analysis
from archspec.picture.drawing import WIDTH, Circle, Group, Item, Line, Rect, Scene, Shape, Text
from archspec.picture.graph import graph_of
from archspec.picture.page import scene

MARGIN = 6
# On light and on dark paper.
COLORS = {
    "paper": ("#ffffff", "#14171b"),
    "ink": ("#16191d", "#e7eaee"),
    "muted": ("#59616b", "#a0a9b4"),
    "stroke": ("#4a525c", "#8b96a3"),
    "rule": ("#d4d8de", "#343b44"),
    "conv": ("#dce9f9", "#1d3550"),
    "pool": ("#eaf5e6", "#203a25"),
    "linear": ("#e3d2ea", "#3b2742"),
    "panel": ("#f6f7f9", "#1b1f24"),
    "bar": ("#2f6fb7", "#6aa7ea"),
    "track": ("#e4e7ec", "#2d333b"),
    "skip": ("#b3441e", "#f2946c"),
    "front": ("#ffffff", "#252b32"),
    "side": ("#c5ccd6", "#4a5460"),
    "top": ("#e4e8ee", "#363e48"),
}
LIGHT, DARK = ({name: pair[dark] for name, pair in COLORS.items()} for dark in (0, 1))
FONTS = '"Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif'
SCREEN = "@media screen and (prefers-color-scheme:dark)"  # a PDF is light


def svg(analysis: Analysis, prefix: str = "archspec") -> str:
    """Draw a network as an SVG document that is at most as large as an A4 page.

    `prefix` starts every `id`, and is the class of the element. Give each picture of a page a
    different one.
    """
    return draw(scene(graph_of(analysis)), prefix)


def draw(picture: Scene, prefix: str) -> str:
    """Draw a picture as an SVG document; `prefix` starts its `id`s and is its class."""
    wide, high = WIDTH + 2 * MARGIN, picture.height + 2 * MARGIN
    scale = picture.scale * 170 / (WIDTH + 2 * MARGIN)
    name = escape(prefix)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{name}" role="img" '
        f'viewBox="{-MARGIN} {-MARGIN} {wide} {_n(high)}" width="{_n(wide * scale)}mm" '
        f'height="{_n(high * scale)}mm" aria-labelledby="{name}-t {name}-d" '
        'font-family="Helvetica, Arial, sans-serif">'
    )
    lines = [
        head,
        f'<title id="{name}-t">{escape(picture.title)}</title>',
        f'<desc id="{name}-d">{escape(picture.description)}</desc>',
        f"<style>{_style(name)}</style>",
        _rect(Rect(-MARGIN, -MARGIN, wide, high, "paper", "", 0)),
        *_lines(picture.items),
        "</svg>\n",
    ]
    return "\n".join(lines)


def _style(name: str) -> str:
    """The style sheet, with colors as variables only where they are supported: not in CairoSVG."""
    light, dark = (";".join(f"--{k}:{v}" for k, v in colors.items()) for colors in (LIGHT, DARK))
    rules = "".join(
        f".{name} .f-{color}{{fill:var(--{color})}}.{name} .s-{color}{{stroke:var(--{color})}}"
        for color in LIGHT
    )
    return (
        f".{name}{{{light};font-family:{FONTS};font-variant-numeric:tabular-nums}}"
        f"{SCREEN}{{.{name}{{{dark}}}}}@supports (fill:var(--ink)){{{rules}}}"
        f".{name} text{{stroke:none}}"
    )


def _colors(fill: str = "", stroke: str = "", line: float = 0) -> str:
    classes = [*([f"f-{fill}"] if fill else []), *([f"s-{stroke}"] if stroke else [])]
    parts = [f'class="{" ".join(classes)}"', f'fill="{LIGHT[fill] if fill else "none"}"']
    if stroke:
        parts += [f'stroke="{LIGHT[stroke]}"', f'stroke-width="{_n(line)}"']
    return " ".join(parts)


def _n(number: float) -> str:
    """A number with one decimal, or two if it is small."""
    text = f"{number:.1f}" if abs(number) >= 2 else f"{number:.2f}"
    return text.rstrip("0").rstrip(".") or "0"


def _lines(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        match item:
            case Group():
                yield f'<g class="row" data-path="{escape(item.path)}">'
                yield from _lines(item.items)
                yield "</g>"
            case Rect():
                yield _rect(item)
            case Text():
                yield _text(item)
            case Line():
                yield from _line(item)
            case Shape():
                colors = _colors(item.fill, item.stroke, item.line)
                yield _path(f"M{_points(item.points)}z", colors, _dashes(item))
            case Circle():
                yield from _circle(item)


def _rect(rect: Rect) -> str:
    place = f'x="{_n(rect.x)}" y="{_n(rect.y)}" width="{_n(rect.w)}" height="{_n(rect.h)}"'
    place += f' rx="{_n(rect.r)}"' if rect.r else ""
    return f"<rect {place} {_colors(rect.fill, rect.stroke, rect.line)}{_dashes(rect)}/>"


def _dashes(item: Rect | Line | Shape) -> str:
    return ' stroke-dasharray="3 2"' if item.dash else ""


def _text(text: Text) -> str:
    anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    bold = ' font-weight="700"' if text.bold else ""
    turned = f' transform="rotate(90 {_n(text.x)} {_n(text.y)})"' if text.turned else ""
    full = f"<title>{escape(text.full)}</title>" if text.full else ""
    place = f'x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}"'
    how = f"{_colors(text.fill)}{anchor}{bold}{turned}"
    return f"<text {place} {how}>{full}{escape(text.text)}</text>"


def _path(path: str, colors: str, more: str = "") -> str:
    return f'<path d="{path}" {colors} stroke-linejoin="round"{more}/>'


def _points(points: Iterable[tuple[float, float]]) -> str:
    return "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _line(line: Line) -> Iterator[str]:
    points = [*line.points]
    tip = points[-1]
    if line.arrow:
        dx, dy = _direction(points[-2], tip)
        points[-1] = (tip[0] - 4 * dx, tip[1] - 4 * dy)
    yield _path(_rounded(points, line.r), _colors("", line.stroke, line.line), _dashes(line))
    if line.arrow:
        back = (tip[0] - 5.4 * dx, tip[1] - 5.4 * dy)
        sides = [(back[0] - 3.2 * dy, back[1] + 3.2 * dx), (back[0] + 3.2 * dy, back[1] - 3.2 * dx)]
        yield f'<path d="M{_points([sides[0], tip, sides[1]])}z" {_colors(line.stroke)}/>'


def _direction(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    dx, dy = b[0] - a[0], b[1] - a[1]
    long = math.hypot(dx, dy) or 1
    return dx / long, dy / long


def _rounded(points: list[tuple[float, float]], r: float) -> str:
    """A path with rounded corners, where its lines are long enough."""
    path = f"M{_points(points[:1])}"
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        first, last = _direction(at, before), _direction(at, after)
        cut = min(r, math.dist(before, at) / 2, math.dist(at, after) / 2)
        start = (at[0] + cut * first[0], at[1] + cut * first[1])
        end = (at[0] + cut * last[0], at[1] + cut * last[1])
        path += f"L{_points([start])}Q{_points([at])} {_points([end])}"
    return path + f"L{_points(points[-1:])}"


def _circle(circle: Circle) -> Iterator[str]:
    x, y, r = circle.x, circle.y, circle.r
    place = f'cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"'
    if not circle.sign:
        yield f"<circle {place} {_colors(circle.fill)}/>"
        return
    yield f"<circle {place} {_colors(circle.fill, 'stroke', 1)}/>"
    a = r * 0.55
    if circle.sign == "C":
        yield _text(Text(x, y + 0.36 * 1.3 * r, "C", 1.3 * r, "middle", bold=True))
        return
    b = a * 0.75
    ends = {"+": [(a, 0), (0, a)], "\u00d7": [(b, b), (b, -b)]}[circle.sign]
    path = "".join(f"M{_points([(x - dx, y - dy), (x + dx, y + dy)])}" for dx, dy in ends)
    yield _path(path, _colors("", "ink", 1.2))
