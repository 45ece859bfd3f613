"""The layout of a network with parallel paths: one column per image size, from top to bottom.

HRNet keeps images of several sizes in parallel (Wang et al., 2019, figure 2). A feature pyramid
leads from the smallest image back to larger ones (Lin et al., 2017).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator

from archspec.picture import words
from archspec.picture.drawing import (
    HEAD,
    SMALL,
    WIDTH,
    Circle,
    Group,
    Item,
    Line,
    Text,
    cut,
    fitting,
    width,
)
from archspec.picture.rows import SEPARATOR, Graph, Node
from archspec.picture.spine import DEEP, Column, outline
from archspec.records import Record

GUTTER = 14  # between columns
MOST_COLUMNS = 6
WIDEST = 164
RADIUS = 7  # of a join
NEAR, FAR = 11, 24  # between rows, without and with lines from column to column


class Cell(Record):
    """The position of a row: its column, and its line in the grid."""

    column: int
    time: int


class Grid(Record):
    """The cell of each row, the image size of each column, and the position of each line."""

    cells: tuple[Cell, ...]
    columns: tuple[tuple[int, ...], ...]
    wide: float

    def x(self, column: int) -> float:
        """The center of a column."""
        return column * (self.wide + GUTTER) + self.wide / 2


def grid_of(graph: Graph) -> Grid:
    """The cells of all rows."""
    images = _images(graph)
    sizes = sorted({*images}, key=lambda size: (-max(size, default=0), size))
    columns = {size: min(place, MOST_COLUMNS - 1) for place, size in enumerate(sizes)}
    cells, taken = list[Cell](), set[Cell]()
    for node, image in zip(graph.nodes, images, strict=True):
        time = max((cells[source].time + 1 for source in node.inputs if source >= 0), default=0)
        while Cell(columns[image], time) in taken:
            time += 1
        cells.append(Cell(columns[image], time))
        taken.add(cells[-1])
    number = min(len(sizes), MOST_COLUMNS)
    wide = min((WIDTH - GUTTER * number) / number, WIDEST)
    return Grid(tuple(cells), tuple(sizes[:number]), wide)


def _images(graph: Graph) -> list[tuple[int, ...]]:
    """The image size that determines the column of each row.

    Rows before the first fork and after the last join stay in one column.
    """
    nodes, readers = graph.nodes, graph.readers
    found = [_image(graph, place, readers[place]) for place in range(len(nodes))]
    forks = [source for source, reading in readers.items() if len(reading) > 1 and source >= 0]
    joins = [place for place, node in enumerate(nodes) if len(node.inputs) > 1]
    first, last = min(forks, default=0), max(joins, default=len(nodes))
    found[:first] = found[first : first + 1] * first
    rest = range(last + 1, len(nodes))
    if all(nodes[place].inputs == [place - 1] for place in rest):
        found[last + 1 :] = [nodes[last].y.spatial for _ in rest]
    return found


def _image(graph: Graph, place: int, reading: list[int]) -> tuple[int, ...]:
    """The image size of a row's column; its input's size if it only resizes for a sum."""
    node, readers = graph.nodes[place], [graph.nodes[one] for one in reading]
    if len(readers) == 1 and readers[0].joins and node.inputs[0] >= 0:
        return graph.nodes[node.inputs[0]].y.spatial
    return node.y.spatial


def grid(graph: Graph, where: Grid, top: float) -> Column:
    """Draw the rows in their cells, and the lines between them."""
    tops, bottoms = _heights(graph, where, top + 16)
    items = list[Item](_headings(where, top))
    spans = dict[Node, tuple[float, float]]()
    for node, cell in zip(graph.nodes, where.cells, strict=True):
        y = tops[cell.time]
        drawn = _join(node, where, cell, y) if node.joins else _cell(node, where, cell, y)
        items.append(Group(node.path, tuple(drawn)))
        spans[node] = y, y + _height(node)
    items += _lines(graph, where, tops, bottoms)
    bottom = max(bottoms)
    for text in _notes(graph):
        bottom += 14
        items.append(Text(0, bottom, cut(text, WIDTH, SMALL), SMALL, fill="muted"))
    wide = len(where.columns) * (where.wide + GUTTER)
    return Column(tuple(items), spans, bottom, wide, "to another resolution")


def _headings(where: Grid, y: float) -> Iterator[Item]:
    for column, size in enumerate(where.columns):
        text = words.sizes(size) if size else "no image"
        yield Text(where.x(column), y, text, SMALL, "middle", "muted")
    wide = len(where.columns) * (where.wide + GUTTER) - GUTTER
    yield Line(((0, y + 6), (wide, y + 6)), "rule", 0.8)


def _height(node: Node) -> float:
    if node.joins:
        return 2 * RADIUS + 8
    return 41 if node.kind else 29


def _heights(graph: Graph, where: Grid, y: float) -> tuple[list[float], list[float]]:
    """The top and bottom of each line of cells."""
    rows = defaultdict[int, list[Node]](list)
    across = set[int]()
    for node, cell in zip(graph.nodes, where.cells, strict=True):
        rows[cell.time].append(node)
        sources = [where.cells[source] for source in node.inputs if source >= 0]
        across |= {cell.time for source in sources if source.column != cell.column}
        across |= {s.time + 1 for s in sources if s.time + 1 < cell.time}
    tops, bottoms = list[float](), list[float]()
    for time in range(len(rows)):
        y += FAR if time in across else NEAR if time else 0
        tops.append(y)
        deck = any(node.times > 1 for node in rows[time])
        y += max(map(_height, rows[time])) + (2 * DEEP[1] if deck else 0)
        bottoms.append(y)
    return tops, bottoms


def _cell(node: Node, where: Grid, cell: Cell, y: float) -> Iterator[Item]:
    """A box with its title, the second line of a block, and its figures."""
    x, high, wide = where.x(cell.column) - where.wide / 2, _height(node), where.wide - 2 * DEEP[0]
    yield from outline(node, x, y, wide, high)
    edge = 10 if node.shape == "pool" else 6
    room, start = wide - 2 * edge, x + edge
    times = f"{words.TIMES}{words.THIN}{node.times}" if node.times > 1 else ""
    named = f"{node.kind} {times}".strip()
    used = width(times, SMALL) + 6 if times else 0  # the kind gives way to the title
    title = cut(node.title, max(room - used, room / 2), HEAD, True)
    yield Text(start, y + 12.5, title, HEAD, bold=True)
    left = room - width(title, HEAD, True) - 6
    if named and left > 20:
        shown = fitting((named, times) if times else (named,), left)
        yield Text(start + room, y + 12.5, shown, anchor="end")
    lines = [fitting(node.lines, room)] if node.kind else []
    for place, line in enumerate([*lines, fitting(_numbers(node), room)]):
        yield Text(start, y + 23.8 + 11.7 * place, line)


def _numbers(node: Node) -> Iterator[str]:
    """Output shape, parameters, and multiply-adds, as far as they fit."""
    parts = [words.sizes(node.y.sizes), *map(words.count, node.cost)]
    parts = [part for part in parts if part]
    for number in range(len(parts), 0, -1):
        yield SEPARATOR.join(parts[:number])


def _join(node: Node, where: Grid, cell: Cell, y: float) -> Iterator[Item]:
    x = where.x(cell.column) - DEEP[0]
    yield Circle(x, y + RADIUS, RADIUS, node.sign)
    room, below = where.wide / 2 - 8, y + 2 * RADIUS + 6.5
    costs = SEPARATOR.join(filter(None, map(words.count, node.cost)))
    yield Text(x - 6, below, cut(costs, room, SMALL), SMALL, "end", "muted")
    yield Text(x + 6, below, cut(words.sizes(node.y.sizes), room, SMALL), SMALL, fill="muted")


# Lines ------------------------------------------------------------------------------------


def _lines(graph: Graph, where: Grid, tops: list[float], bottoms: list[float]) -> Iterator[Item]:
    taken = {*where.cells}
    used = Counter[int]()
    for node, cell in zip(graph.nodes, where.cells, strict=True):
        for source in node.inputs:
            if source < 0:
                continue
            start = where.cells[source]
            first = graph.nodes[source]
            high = 2 * RADIUS if first.joins else _height(first)
            y0 = tops[start.time] + high + (2 * DEEP[1] if first.times > 1 else 0)
            middle = _way(where, start, cell, taken, used)
            x0 = where.x(start.column) - DEEP[0]
            points = [(x0, y0), (x0, bottoms[start.time])]
            for x, time in middle:
                points += [(x, tops[time]), (x, bottoms[time])]
            end = (where.x(cell.column) - DEEP[0], tops[cell.time])
            if node.joins:
                center = (end[0], end[1] + RADIUS)
                end = _toward(center, points[-1])
            color = "stroke" if start.column == cell.column else "skip"
            yield Line((*_distinct(points), end), color, 1.2, True, r=4)


def _way(
    where: Grid, start: Cell, end: Cell, taken: set[Cell], used: Counter[int]
) -> Iterator[tuple[float, int]]:
    """The position at which a line passes the cells between its two ends.

    It is in the column of the start, in that of the end, or between columns.
    """
    if _free(taken, start.column, start.time + 1, end.time):
        x = where.x(start.column) - DEEP[0]
    elif _free(taken, end.column, start.time + 1, end.time):
        x = where.x(end.column) - DEEP[0]
    else:
        gutter = min(start.column, end.column)
        used[gutter] += 1
        x = (gutter + 1) * (where.wide + GUTTER) - GUTTER / 2 - 2 + 3 * (used[gutter] % 3 - 1)
    for time in range(start.time + 1, end.time):
        yield x, time


def _free(taken: set[Cell], column: int, first: int, end: int) -> bool:
    return not any(Cell(column, time) in taken for time in range(first, end))


def _distinct(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The corners of a line, without repeated points."""
    found = points[:1]
    for point in points[1:]:
        if len(found) > 1 and found[-2][0] == found[-1][0] == point[0]:
            found.pop()
        if math.dist(found[-1], point) > 0.1:
            found.append(point)
    return found


def _toward(center: tuple[float, float], point: tuple[float, float]) -> tuple[float, float]:
    """The point on the edge of a join in the direction of another point."""
    long = math.dist(center, point) or 1
    share = RADIUS / long
    return tuple(c + (p - c) * share for c, p in zip(center, point, strict=True))  # type: ignore[return-value]


def _notes(graph: Graph) -> Iterator[str]:
    """The meaning of the figures, and the layers that are drawn as part of a line."""
    yield "In a box, and below a sum: output, parameters, MACs."
    ways = {"smaller": dict[str, None](), "larger": dict[str, None]()}
    for node in graph.nodes:
        for source, layers in zip(node.inputs, node.on_way, strict=False):
            way = "smaller" if graph.output(source).spatial > node.y.spatial else "larger"
            ways[way] |= dict.fromkeys(layers)
    told = [f"to a {way} image: {'; '.join(layers)}" for way, layers in ways.items() if layers]
    if told:
        yield f"On a line {', and '.join(told)}."
