"""The drawing of a block: layers from top to bottom, shortcut and branches side by side.

A `Piece` has a vertical axis: its input is at the top of the axis, and its output at the bottom.
Pieces nest like the steps of a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from archspec.ir import Shape as Sizes
from archspec.picture import words
from archspec.picture.drawing import (
    BODY,
    SMALL,
    Circle,
    Item,
    Line,
    Text,
    box_of,
    cut,
    fitted,
    moved,
    width,
)
from archspec.picture.steps import Box, Join, Step, Tensor, Unit, is_stage

GAP = 13
SIDE = 12  # between boxes side by side
SUM = 7  # the radius of a sum


class Piece(NamedTuple):
    """A drawing around the axis at x = 0, from y = 0 to `height`."""

    left: float
    right: float
    height: float
    items: tuple[Item, ...] = ()

    @property
    def wide(self) -> float:
        return self.left + self.right


def piece_of(unit: Unit, enters: Sizes, optional: bool, deep: bool) -> Piece:
    """Draw a block, with an arrow and a shape at its top and its bottom.

    A projection is dashed if it is `optional`. With `deep`, blocks inside it are opened.
    """
    piece = _series(simplified(unit.steps, deep), optional)
    texts = [words.sizes(shape.sizes) for shape in (enters, unit.y)]
    items: tuple[Item, ...] = (
        Line(((0, 0), (0, 14)), arrow=not piece.items),
        Text(5, 9, texts[0]),
        *moved(piece.items, 0, 14),
        Line(((0, 14 + piece.height), (0, 28 + piece.height)), arrow=True),
        Text(6, 26 + piece.height, texts[1]),
    )
    right = max(piece.right, *(width(text, SMALL) + 6 for text in texts))
    return Piece(piece.left, right, piece.height + 28, items)


def simplified(steps: Iterable[Step], deep: bool = True) -> tuple[Step, ...]:
    """Open blocks inside the block; repeated blocks and gates become one box."""
    return tuple(one for step in steps for one in _simple(step, deep))


def _simple(step: Step, deep: bool) -> Iterable[Step]:
    match step:
        case Unit(steps=(Unit(kind=kind), _, *_)) if is_stage(step):
            return [_boxed(step, f"{kind} {words.TIMES}{words.THIN}{len(step.steps)}")]
        case Unit(kind=kind) if kind and not deep:
            return [_boxed(step, kind)]
        case Unit(kind=kind, steps=inner):
            match simplified(inner, deep):
                case (Join(sign=words.TIMES) as gate,):
                    return [_named(gate, kind)]
                case opened:
                    return opened
        case Join(sign=sign, branches=branches):
            parts = tuple(simplified(branch, deep) for branch in branches)
            if sign == words.TIMES and not all(parts):
                parts = tuple(_gate(part, step) for part in parts)
            return [replace(step, branches=parts)]
    return [step]


def _boxed(unit: Unit, title: str) -> Box:
    return Box(unit.path, "conv", title, unit.y, unit.cost, takes=True)


def _gate(branch: tuple[Step, ...], join: Join) -> tuple[Step, ...]:
    """A gate as one box, with the channels of its layers."""
    boxes = [step for step in branch if isinstance(step, Box)]
    if len(branch) < 2 or len(boxes) < len(branch):
        return branch
    inner = "pool" if boxes[0].kind == "pool" else boxes[0].title
    way = [inner, *(box.channels for box in boxes[1:-1] if box.takes)]
    return (Box(boxes[0].path, "other", "gate", join.y, notes=(" \u00b7 ".join(way),)),)


def _named(gate: Join, kind: str) -> Join:
    """A gate with the name of its block."""
    return replace(gate, branches=tuple(_called(branch, kind) for branch in gate.branches))


def _called(branch: tuple[Step, ...], kind: str) -> tuple[Step, ...]:
    match branch:
        case (Box(title="gate") as box,):
            return (replace(box, title=kind),)
    return branch


# Pieces -----------------------------------------------------------------------------------


def _series(
    steps: Sequence[Step],
    optional: bool = False,
    dashed: bool = False,
    color: str = "stroke",
    thick: float = 1.0,
) -> Piece:
    """Pieces below each other, with boxes of equal width; the lines between them have a color."""
    steps = [step for step in steps if not (isinstance(step, Tensor) and step.saved)]
    if not steps:
        return Piece(5, 5, 0)
    wide = max((_wide(step) for step in steps if isinstance(step, Box)), default=0)
    pieces = [_piece(step, wide, optional, dashed) for step in steps]
    items, y = list[Item](), 0.0
    for place, piece in enumerate(pieces):
        if place:
            arrow = not isinstance(steps[place], Join)
            items.append(Line(((0, y), (0, y + GAP)), color, thick, arrow))
            y += GAP
        items += moved(piece.items, 0, y)
        y += piece.height
    return Piece(max(p.left for p in pieces), max(p.right for p in pieces), y, tuple(items))


def _piece(step: Step, wide: float, optional: bool, dashed: bool) -> Piece:
    match step:
        case Box():
            return _box(step, wide, dashed)
        case Join():
            return _side(step, optional) if is_beside(step) else _columns(step, optional)
        case Tensor(name=name):
            return _named_tensor(name)
    raise TypeError(step)


def _named_tensor(name: str) -> Piece:
    text = cut(name, 70, SMALL)
    wide = width(text, SMALL) / 2 + 3
    return Piece(wide, wide, 14, (Text(0, 10, text, SMALL, "middle", "muted"),))


def _text(box: Box) -> tuple[str, ...]:
    """The lines of text in a box."""
    title, *more = (box.title or box.name).split("\n")
    return (title, *more, ", ".join(box.notes)) if box.notes else (title, *more)


def _narrow(step: Step) -> Step:
    """A narrow box for branches: the sizes are in a separate line."""
    if not isinstance(step, Box) or not step.takes:
        return step
    return replace(step, title=step.title.replace(", ", "\n", 1))


def _wide(box: Box) -> float:
    texts = _text(box)
    widths = [width(texts[0], BODY, True), *(width(text, SMALL) for text in texts[1:])]
    slope = 12 if box.kind == "pool" else 0
    return min(max(max(widths) + 13 + slope, 46), 150)


def _box(box: Box, wide: float, dashed: bool) -> Piece:
    texts = _text(box)
    high = 28.0 + 11.2 * (len(texts) - 2) if len(texts) > 1 else 19.0
    small = box.kind == "other" and not box.notes
    wide = _wide(box) if small else wide
    items: list[Item] = [box_of(box.kind, -wide / 2, 0, wide, high, "skip" if dashed else "")]
    room = wide - 10 - (8 if box.kind == "pool" else 0)
    baseline = 12 if len(texts) > 1 else 13
    items.append(fitted(Text(0, baseline, texts[0], BODY, "middle", bold=True), room))
    for place, text in enumerate(texts[1:]):
        items.append(fitted(Text(0, 23.2 + 11.2 * place, text, anchor="middle"), room))
    return Piece(wide / 2, wide / 2, high, tuple(items))


def is_beside(join: Join) -> bool:
    """Whether one branch goes straight down, with the other next to it: a shortcut or a gate."""
    named = any(map(_is_named, join.branches))
    return len(join.branches) == 2 and (join.sign != "C" or named or not all(join.branches))


def _is_named(branch: Sequence[Step]) -> bool:
    """Whether a branch reads a named tensor instead of the input of the join."""
    return bool(branch) and isinstance(branch[0], Tensor)


def _side(join: Join, optional: bool) -> Piece:
    """The longer branch straight down, and the other one on the right, which leads into the sum."""
    order = sorted(join.branches, key=_size, reverse=True)
    if named := next(filter(_is_named, join.branches), None):
        order = [next(branch for branch in join.branches if branch is not named), named]
    main = _series(order[0], optional and join.sign != "+")
    narrow = [_narrow(step) for step in order[1]]
    color, thick = ("stroke", 1.0) if join.sign == words.TIMES else ("skip", 1.5)
    other = _series(narrow, optional, optional and join.sign == "+", color, thick)
    high = max(main.height + 2 * GAP, other.height + 2 * GAP + 6) + SUM
    x = main.right + SIDE + other.left
    start, end = 4.0, high
    middle = (start + end) / 2
    top = middle - other.height / 2
    items: list[Item] = [
        Line(((0, 0), (0, GAP)), arrow=bool(order[0])),
        *moved(main.items, 0, GAP),
        Line(((0, GAP + main.height), (0, high - SUM)), arrow=True),
        *([] if named else [Circle(0, start, 1.9, fill=color)]),
        Circle(0, high, SUM, join.sign),
    ]
    right = x + other.right
    if other.height:
        if not named:
            items.append(Line(((0, start), (x, start), (x, top)), color, thick))
        items.append(Line(((x, top + other.height), (x, end), (SUM, end)), color, thick, True))
        items += moved(other.items, x, top)
    else:
        items.append(Line(((0, start), (x, start), (x, end), (SUM, end)), color, thick, True))
        if high > 62:
            items.append(Text(x + 5, middle, "identity", SMALL, "middle", "skip", turned=True))
            right = x + 13
    return Piece(max(main.left, SUM), max(right, SUM), high + SUM, tuple(items))


def _size(branch: Sequence[Step]) -> tuple[int, int]:
    count = sum(2 if isinstance(step, Join) else 1 for step in branch)
    return count, len(branch)


def _columns(join: Join, optional: bool) -> Piece:
    """Branches side by side, between a line at the top and one at the bottom."""
    pieces = [_series(branch, optional) for branch in join.branches]
    total = sum(piece.wide for piece in pieces) + 10 * (len(pieces) - 1)
    tall = max(piece.height for piece in pieces)
    top, bus = 16.0, 6.0
    end = top + tall + 16
    items: list[Item] = [Line(((0, 0), (0, bus)))]
    x = -total / 2
    axes = list[float]()
    for piece, branch in zip(pieces, join.branches, strict=True):
        axis = x + piece.left
        axes.append(axis)
        x += piece.wide + 10
        items += moved(piece.items, axis, top)
        if not _is_named(branch):
            points = ((0, bus), (axis, bus), (axis, top))
            items.append(Line(points, arrow=bool(branch), r=5))
        items.append(_into((axis, top + piece.height), (axis, end)))
    items.append(Circle(0, end, SUM, join.sign))
    return Piece(total / 2, total / 2, end + SUM, tuple(items))


def _into(start: tuple[float, float], corner: tuple[float, float]) -> Line:
    """A line from the end of a branch to the circle on the axis."""
    x, y = corner
    if abs(x) < SUM:
        return Line((start, (x, y - SUM)), arrow=True)
    return Line((start, corner, (SUM if x > 0 else -SUM, y)), arrow=True, r=5)
