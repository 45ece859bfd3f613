"""Plots as SVG: bars and steps along the depth, and multiply-adds against parameters.

All colors are classes of `report.css`, so they follow light and dark mode. Text stays text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from archspec.analysis import Analysis
from archspec.diagnostics import plural
from archspec.report.layers import Layer
from archspec.report.numbers import brief, exact, mebibytes, round_number, sizes

WIDTH, HEIGHT = 520, 158
LEFT, RIGHT, TOP, BOTTOM = 46, 514, 24, 130
LETTER = 7.0  # units that a letter of a label takes, also in print, where labels are larger


def along_the_depth(layers: Sequence[Layer], key: str) -> list[str]:
    """Plot parameters, multiply-adds, output memory, and resolution of layers with weights.

    `key` starts the ids. Without such layers, there is no plot.
    """
    rows = [row for row in layers if row.macs or row.params]
    rows = [row for row in rows if row.macs] or rows
    if not rows:
        return []
    held = "of each output, one sample in float32"
    memory = [row.bytes for row in rows]
    return [
        _bars(f"{key}p", "Parameters", "per layer", rows, [row.params for row in rows], exact),
        _bars(f"{key}m", "MACs", "per layer", rows, [row.macs for row in rows], exact),
        _bars(f"{key}a", "Activation memory", held, rows, memory, mebibytes, 2**20),
        _steps(f"{key}r", rows),
    ]


def _stretches(rows: Sequence[Layer]) -> Iterator[tuple[str, int, int]]:
    """Name, start, and stop of consecutive layers in one attribute of the network."""
    start = 0
    for name, group in groupby(rows, _top):
        stop = start + len([*group])
        yield name, start, stop
        start = stop


def _top(row: Layer) -> str:
    return row.path.partition(".")[0]


def _bars(
    key: str,
    title: str,
    what: str,
    rows: Sequence[Layer],
    values: Sequence[int],
    said: Callable[[int], str],
    unit: int = 1,
) -> str:
    """One bar per layer."""
    largest = max(values)
    ticks = _ticks(largest / unit)
    top = ticks[-1] or 1
    step = (RIGHT - LEFT) / len(rows)
    gap = min(1.2, step * 0.25)
    texts = [round_number(tick) if unit == 1 else f"{tick:g} MiB" for tick in ticks]
    grid = "".join(
        _line(BOTTOM - (BOTTOM - TOP) * tick / top, text)
        for tick, text in zip(ticks, texts, strict=True)
    )
    bars = "".join(
        f'<path d="M{LEFT + step * place + gap / 2:.1f} {BOTTOM}'
        f"V{BOTTOM - (BOTTOM - TOP) * (value / unit) / top:.1f}"
        f'h{max(step - gap, 0.4):.1f}V{BOTTOM}z"><title>{escape(row.path)}: '
        f"{said(value)}</title></path>"
        for place, (row, value) in enumerate(zip(rows, values, strict=True))
        if value
    )
    desc = (
        f"{plural(len(rows), 'layer')}; most in {rows[values.index(largest)].path}, {said(largest)}"
    )
    inner = grid + _labels(rows, step) + f'<g class="bars">{bars}</g>'
    return _plot(key, title, what, desc, inner)


def _steps(key: str, rows: Sequence[Layer]) -> str:
    """The largest spatial size of each output, on a log scale; gates, which pool, are left out."""
    values = list[int]()
    for row in rows:
        own = max(row.output[1:], default=1)
        values.append(values[-1] if values and row.role == "gate" else own)
    low, high = math.log2(min(values)), math.log2(max(values))
    step = (RIGHT - LEFT) / len(rows)

    def height(size: int) -> float:
        return BOTTOM - (BOTTOM - TOP) * (math.log2(size) - low) / max(high - low, 1)

    line = f"M{LEFT} {height(values[0]):.1f}"
    for place, size in enumerate(values):
        line += f"V{height(size):.1f}H{LEFT + step * (place + 1):.1f}"
    grid = "".join(_line(height(size), str(size)) for size in _apart(values, height))
    shapes = f"from {sizes(rows[0].output)} to {sizes(rows[-1].output)}"
    inner = f'{grid}{_labels(rows, step)}<path class="line" d="{line}"/>'
    what = "largest side of each output but of gates, log scale"
    return _plot(key, "Resolution", what, shapes, inner)


def _apart(values: Sequence[int], height: Callable[[int], float]) -> Iterator[int]:
    """The sizes whose labels do not overlap, the largest first."""
    last = -math.inf
    for size in sorted(set(values), reverse=True):
        if height(size) - last >= 11:
            yield size
            last = height(size)


def _ticks(largest: float) -> list[float]:
    """Round numbers from 0 to at least the largest value."""
    if not largest:
        return [0]
    unit = 10 ** math.floor(math.log10(largest / 4))
    step = next(unit * many for many in (1, 2, 2.5, 5, 10) if unit * many * 4 >= largest * 0.999)
    count = math.ceil(largest / step - 1e-9)
    return [step * place for place in range(count + 1)]


def _line(y: float, text: str) -> str:
    """A grid line with its number."""
    return (
        f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        f'<text class="muted" x="{LEFT - 5}" y="{y + 3.2:.1f}" text-anchor="end">{text}</text>'
    )


def _labels(rows: Sequence[Layer], step: float) -> str:
    """The names below the plot that fit, with lines between them."""
    made, free = [], 0.0
    for name, start, stop in _stretches(rows):
        left, right = LEFT + step * start, LEFT + step * stop
        if start:
            made.append(f'<path class="cut" d="M{left:.1f} {TOP}V{BOTTOM + 4}"/>')
        middle, half = (left + right) / 2, len(name) * LETTER / 2
        if 2 * half < right - left + 8 and middle - half > free:
            free = middle + half + 6
            made.append(
                f'<text class="muted" x="{middle:.1f}" y="{BOTTOM + 16}" text-anchor="middle">'
                f"{escape(name)}</text>"
            )
    return "".join(made)


def _plot(key: str, title: str, what: str, desc: str, inner: str) -> str:
    """An image with its title and description."""
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{key}t {key}d"><title id="{key}t">{title}</title>'
        f'<desc id="{key}d">{escape(desc)}</desc>'
        f'<text class="name" x="0" y="11">{title}<tspan class="muted" dx="8">{what}</tspan></text>'
        f"{inner}</svg>"
    )


# Several networks -----------------------------------------------------------------------


Point = tuple[str, Analysis]  # with the name of the network


def scatter(points: Sequence[Point]) -> str:
    """Plot multiply-adds against parameters, both on log scales."""
    across, up = _decades([a.params for _, a in points]), _decades([a.macs for _, a in points])
    left, right, top, bottom = 60.0, 700.0, 26.0, 330.0

    def x(value: float) -> float:
        return left + (right - left) * _share(value, across)

    def y(value: float) -> float:
        return bottom - (bottom - top) * _share(value, up)

    grid = "".join(
        f'<path class="grid" d="M{x(tick):.1f} {top}V{bottom}"/><text class="muted" '
        f'x="{x(tick):.1f}" y="{bottom + 15}" text-anchor="middle">{round_number(tick)}</text>'
        for tick in _log_ticks(across)
    ) + "".join(
        f'<path class="grid" d="M{left} {y(tick):.1f}H{right}"/><text class="muted" '
        f'x="{left - 6}" y="{y(tick) + 3.2:.1f}" text-anchor="end">{round_number(tick)}</text>'
        for tick in _log_ticks(up)
    )
    places = [(x(analysis.params), y(analysis.macs)) for _, analysis in points]
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    room = (left, 12, right + 8, bottom)
    pairs = zip(points, places, strict=True)
    dots = "".join(_dot(point, *place, taken, room) for point, place in pairs)
    listed = "; ".join(
        f"{name}: {brief(a.params)} parameters, {brief(a.macs)} MACs" for name, a in points
    )
    return (
        '<svg class="plot scatter" viewBox="0 0 710 366" role="img" aria-labelledby="st sd">'
        '<title id="st">MACs against parameters</title>'
        f'<desc id="sd">{escape(listed)}</desc>'
        '<text class="name" x="0" y="11">MACs<tspan class="muted" dx="8">against parameters, '
        f'log scales</tspan></text>{grid}{dots}<text class="muted" x="{right}" y="{bottom + 31}" '
        'text-anchor="end">parameters</text></svg>'
    )


Box = tuple[float, float, float, float]  # left, top, right, bottom


def _dot(point: Point, x: float, y: float, taken: list[Box], room: Box) -> str:
    """A dot, with its name at the nearest free place around it."""
    name, analysis = point
    places = [_around(x, y, way, far, len(name) * 6.2) for far in FAR for way in range(8)]
    free = (p for p in places if _within(p.box, room) and not any(_meet(p.box, o) for o in taken))
    place = next(free, places[0])
    taken.append(place.box)
    lead = f'<path class="lead" d="M{x:.1f} {y:.1f}L{place.x:.1f} {place.y:.1f}"/>'
    said = f"{name}: {exact(analysis.params)} parameters, {exact(analysis.macs)} MACs"
    return (
        f'{lead * place.far}<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>'
        f'{escape(said)}</title></circle><text x="{place.box[0]:.1f}" y="{place.box[3] - 3:.1f}">'
        f"{escape(name)}</text>"
    )


FAR = (9, 24, 40, 58, 78, 100)  # units from a dot to its name


class _Place(NamedTuple):
    """A place for a name: its box, its point nearest to the dot, and whether a line joins them."""

    box: Box
    x: float
    y: float
    far: bool


def _around(x: float, y: float, way: int, far: float, wide: float) -> _Place:
    """The place in one of eight directions: right, left, above, below, and the diagonals."""
    across, up = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1))[way]
    at, base = x + across * far, y + up * far
    left = at - wide / 2 if not across else at - wide * (across < 0)
    return _Place((left, base - 6, left + wide, base + 7), at, base, far > FAR[0])


def _within(box: Box, room: Box) -> bool:
    return box[0] > room[0] and box[1] > room[1] and box[2] < room[2] and box[3] < room[3]


def _meet(one: Box, other: Box) -> bool:
    apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    return not apart


def _decades(values: Sequence[int]) -> tuple[float, float]:
    """The ends of a log scale, with some space around the values."""
    logs = [math.log10(max(value, 1)) for value in values]
    room = max((max(logs) - min(logs)) * 0.08, 0.08)
    return min(logs) - room, max(logs) + room


def _share(value: float, ends: tuple[float, float]) -> float:
    return (math.log10(max(value, 1)) - ends[0]) / (ends[1] - ends[0])


def _log_ticks(ends: tuple[float, float]) -> list[float]:
    """A few round numbers between the ends."""
    decades = range(math.floor(ends[0]), math.ceil(ends[1]) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)):
        found = [step * 10.0**power for power in decades for step in steps]
        found = [tick for tick in found if ends[0] <= math.log10(tick) <= ends[1]]
        if len(found) >= 3:
            return found
    return found
