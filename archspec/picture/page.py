"""The layout of a picture: the rows, a panel for each form of block, and the legend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archspec.diagnostics import plural
from archspec.ir import Shape as Sizes
from archspec.picture import words
from archspec.picture.blocks import Form, forms, layers_in, runs
from archspec.picture.drawing import (
    BODY,
    HEAD,
    SMALL,
    TALLEST,
    TITLE,
    WIDTH,
    Circle,
    Item,
    Line,
    Rect,
    Scene,
    Shape,
    Text,
    box_of,
    cut,
    flat,
    moved,
    width,
    wrapped,
)
from archspec.picture.grid import grid, grid_of
from archspec.picture.ladder import ladder, ladder_of
from archspec.picture.merging import condensed, with_lines
from archspec.picture.panel import piece_of, simplified
from archspec.picture.rows import Graph, Node
from archspec.picture.spine import SPINE, Column, bar, slab, spine
from archspec.records import Record
from archspec.rounding import rounded

PANEL = 206  # wide, at least
NEXT = 12  # between the rows and a panel
INNER = 8  # from the edge of a panel
MOST_PANELS = 3
HIGHEST = 480  # of a panel, unless nothing in it can be closed
LONGER = 150  # than the rows, at the most, for a second panel
TOP = 37  # of the headings


class Panel(Record):
    """A drawn block with its title and note; (0, 0) is the corner of its background."""

    form: Form
    wide: float
    high: float
    items: tuple[Item, ...]


def scene(graph: Graph) -> Scene:
    """The picture of a network, at most one page high."""
    picture, panels = _composed(graph)
    if not panels and graph.linear:  # rather fewer rows than no block
        shorter, panels = _composed(condensed(graph))
        picture = shorter if panels else picture
    return picture


def _composed(graph: Graph) -> tuple[Scene, int]:
    """The picture with as many panels as fit on the page, and the number of these panels."""
    if not graph.linear and not ladder_of(graph):
        graph = with_lines(graph)
    column = _rows(graph)
    panels = [_fitting(form) for form in forms(graph)[:MOST_PANELS]]
    panels = [panel for panel in panels if panel.wide <= WIDTH]
    while True:
        items, bottom = _placed(column, panels)
        items = [*_heading(graph), *items]
        legend, end = _legend(items, bottom, _skips(column, panels))
        several = sum(_beside(column, panel) for panel in panels) > 1
        room = column.bottom + LONGER if several else TALLEST
        if end <= min(room, TALLEST) or not panels:
            break
        panels = panels[:-1]
    title = f"{words.named(graph.analysis)}: architecture"
    return Scene(end, (*items, *legend), title, described(graph)), len(panels)


def _skips(column: Column, panels: Sequence[Panel]) -> str:
    """The legend for lines in the color of skip connections."""
    found = {column.skip: column.items}
    found.setdefault("shortcut", ())
    found["shortcut"] += tuple(item for panel in panels for item in panel.items)
    lines = {name: any(map(_is_skip, flat(items))) for name, items in found.items()}
    return ", ".join(name for name, drawn in lines.items() if drawn)


def _is_skip(item: Item) -> bool:
    return isinstance(item, Line) and item.stroke == "skip"


def described(graph: Graph) -> str:
    """The picture in words, for screen readers."""
    rows = []
    for node in graph.nodes:
        times = f", {node.times} times" if node.times > 1 else ""
        blocks = f" ({node.kind}{times})" if node.kind else ""
        rows.append(f"{node.title}{blocks}, output {words.sizes(node.y.sizes)}")
    analysis = graph.analysis
    params, macs = plural(analysis.params, "parameter"), plural(analysis.macs, "multiply-add")
    return f"{words.named(graph.analysis)}: {'; '.join(rows)}. {params}, {macs}."


def _heading(graph: Graph) -> Iterator[Item]:
    analysis = graph.analysis
    name = cut(words.named(graph.analysis), WIDTH / 2, TITLE, True)
    yield Text(0, 13, name, TITLE, bold=True)
    gap = f"{words.THIN} \u00b7 {words.THIN}"
    facts = [
        f"input {words.sizes(analysis.input)}",
        f"{rounded(analysis.params)} parameters",
        f"{rounded(analysis.macs)} MACs",
        plural(analysis.depth, "weighted layer"),
    ]
    start = width(name, TITLE, True) + 11
    yield Text(start, 13, cut(gap.join(facts), WIDTH - start, BODY), BODY, fill="muted")


def _fitting(form: Form) -> Panel:
    """The panel of a block; blocks in it are opened if the panel does not become too large."""
    panel = _panel(form, deep=True)
    large = panel.high > HIGHEST or panel.wide > WIDTH
    closed = sum(1 for _ in layers_in(simplified(form.shown.unit.steps, deep=False)))
    return _panel(form, deep=False) if large and closed > 2 else panel


def _panel(form: Form, deep: bool) -> Panel:
    use = form.shown
    piece = piece_of(use.unit, use.enters, form.optional, deep)
    wide = max(PANEL, piece.wide + 2 * INNER)
    room = wide - 2 * INNER
    rows, y = _muted(form.where, room, 28.5)
    items: list[Item] = [
        Text(INNER, 16, cut(form.title, room, HEAD, True), HEAD, bold=True),
        *rows,
        *moved(piece.items, INNER + (room - piece.wide) / 2 + piece.left, y - 2.5),
    ]
    note, y = _muted(form.note, room, y + piece.height + 14.5)
    items += note
    high = y if note else y - 7
    back = Rect(0, 0, wide, high, "panel", "rule", 5, solid=False)
    return Panel(form, wide, high, (back, *items))


def _muted(text: str, room: float, y: float) -> tuple[list[Item], float]:
    """The lines of a text in a panel from `y` on, and the `y` of the line after them."""
    lines = wrapped(text, room, SMALL) if text else []
    items = [Text(INNER, y + 12 * place, line, fill="muted") for place, line in enumerate(lines)]
    return [*items], y + 12 * len(lines)


def _rows(graph: Graph) -> Column:
    """The rows in the layout that fits the network."""
    if graph.linear:
        return spine(graph, TOP)
    if levels := ladder_of(graph):
        return ladder(graph, levels, TOP)
    return grid(graph, grid_of(graph), TOP)


def _placed(column: Column, panels: Sequence[Panel]) -> tuple[list[Item], float]:
    """The rows, with panels next to them and, if there is no room, below them."""
    items = list(column.items)
    beside = [panel for panel in panels if _beside(column, panel)]
    below = [panel for panel in panels if panel not in beside]
    bottom = column.bottom
    high = sum(panel.high + 10 for panel in beside) - 10
    y: float = TOP
    if len(beside) == 1:
        y = max(TOP, sum(_span(column, beside[0].form.nodes)) / 2 - high / 2)
    for panel in beside:
        items += moved(panel.items, WIDTH - panel.wide, y)
        y += panel.high + 10
        bottom = max(bottom, y - 10)
    if beside and column.wide == SPINE:
        items += _brace(column, beside)
    x = 0.0
    y = bottom + 12
    for panel in below:
        if x and x + panel.wide > WIDTH:
            x, y = 0.0, bottom + 10
        items += moved(panel.items, x, y)
        x += panel.wide + 10
        bottom = max(bottom, y + panel.high)
    return items, bottom


def _beside(column: Column, panel: Panel) -> bool:
    """Whether a panel fits next to the rows."""
    return panel.wide <= WIDTH - column.wide - NEXT


def _span(column: Column, rows: Iterable[Node]) -> tuple[float, float]:
    """The top and bottom of several rows."""
    tops, bottoms = zip(*(column.spans[row] for row in rows), strict=True)
    return min(tops), max(bottoms)


def _brace(column: Column, panels: Sequence[Panel]) -> Iterator[Item]:
    """The brace from rows to the panel of their block, open at rows of its kind without a panel."""
    shown = [row for panel in panels for row in panel.form.nodes]
    kin = {row for panel in panels for row in panel.form.kin}
    spans = [_span(column, run) for run in runs(shown, [row for row in column.spans if row in kin])]
    middle = (spans[0][0] + spans[-1][1]) / 2
    x, tip = SPINE + 4, WIDTH - max(panel.wide for panel in panels) - 3
    joint = x + 5 if len(spans) == 1 else (x + 5 + tip) / 2
    for top, bottom in spans:
        own = (top + bottom) / 2
        end = ((x + 5, own), (joint, own), (joint, middle), (tip, middle))
        for y in (top, bottom) if bottom - top > 24 else (own,):
            yield Line(tuple(dict.fromkeys([(x, y), (x + 5, y), *end])), r=5)


# The legend -------------------------------------------------------------------------------


def _legend(items: Sequence[Item], y: float, skip: str) -> tuple[list[Item], float]:
    """The legend of the signs that occur in the picture, and its bottom."""
    x, y = 0.0, y + 20
    found = list[Item]()
    for sign, wide, text in _signs(items, skip):
        needs = wide + 6 + width(text, SMALL)
        if x and x + needs > WIDTH:
            x, y = 0.0, y + 16
        found += moved(sign, x, y)
        found.append(Text(x + wide + 6, y, text, SMALL, fill="muted"))
        x += needs + 18
    return found, y + 4


def _signs(items: Sequence[Item], skip: str) -> Iterator[tuple[list[Item], float, str]]:
    """Each sign, drawn at y = 0, with its width and its meaning."""
    shapes = [*flat(items)]
    fills = {getattr(item, "fill", "") for item in shapes}
    names = {"conv": "convolution", "pool": "pooling", "linear": "linear, attention"}
    for kind, text in names.items():
        if kind in fills:
            yield [_plain(box_of(kind, 0, -9, 16, 10))], 16, text
    if any(isinstance(item, Rect) and item.fill in names and not item.solid for item in shapes):
        deck = [_plain(box_of("conv", step * 2.4, -9 + step * 1.8, 14, 8)) for step in (2, 1, 0)]
        yield [*deck], 20, "repeated"
    if skip:
        yield [Line(((0, -3.5), (18, -3.5)), "skip", 1.5, True)], 18, skip
    signs = {item.sign for item in shapes if isinstance(item, Circle)}
    for sign, text in (("+", "sum"), (words.TIMES, "product"), ("C", "concatenation")):
        if sign in signs:
            yield [Circle(6, -3.5, 5.5, sign)], 12, text
    dashes = {item.stroke for item in shapes if isinstance(item, Rect) and item.dash}
    for color, text in (("skip", "in some blocks only"), ("stroke", "in training only")):
        if color in dashes:
            yield [_plain(box_of("conv", 0, -9, 18, 10, color))], 18, text
    if "front" in fills:
        yield [*slab(0, -3.5, _SAMPLE)], 22, "feature map, log scale: height = H, width = C"
    if "bar" in fills:
        yield [*bar(0, -5, 24, 10, 24)], 24, "share of the total"


def _plain(box: Rect | Shape) -> Rect | Shape:
    return box._replace(solid=False)


_SAMPLE = Sizes(64, (16, 16))
