"""Lines of a file with marks under them, as compilers show them."""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from archspec.diagnostics import COMMAND, Severity, Span, character, escape, visible
from archspec.lint.sources import Sources
from archspec.lint.style import Style

TAB = 4
WIDEST = 120  # columns of a line to show
BEFORE = 50  # columns to show before a mark far to the right


class Mark(NamedTuple):
    """A stretch to underline, and the text next to the mark."""

    span: Span
    text: str = ""
    primary: bool = False


class Shown:
    """A line as displayed, cut to a window if it is long, and the columns of its characters."""

    def __init__(self, line: str, focus: int) -> None:
        self.first = max(0, focus - WIDEST)
        window = line[self.first : focus + WIDEST]
        cells = [_cell(one) for one in window]
        for found in COMMAND.finditer(window):
            text = escape(found[0][0])
            cells[found.start()] = text, len(text)
        columns = [0]
        for _, width in cells:
            columns.append(columns[-1] + width)
        start, place = 0, min(focus - self.first, len(cells))
        if self.first or columns[-1] > WIDEST:
            while columns[place] - columns[start] > BEFORE:
                start += 1
        end = start
        while end < len(cells) and columns[end + 1] - columns[start] <= WIDEST:
            end += 1
        head = "..." if self.first + start else ""
        tail = "..." if self.first + end < len(line) else ""
        self.start, self.end = start, end
        self.columns, self.shift = columns, len(head) - columns[start]
        self.text = head + "".join(text for text, _ in cells[start:end]) + tail

    def column(self, index: int) -> int:
        """The column of the character with an index, if it is displayed."""
        inside = min(max(index - self.first, self.start), self.end)
        return self.columns[inside] + self.shift


def _cell(one: str) -> tuple[str, int]:
    """A character as displayed, and the number of its columns."""
    if " " <= one <= "~":
        return one, 1
    if one == "\t":
        return " " * TAB, TAB
    text = character(one)
    if text != one:
        return text, len(text)
    if unicodedata.category(one) in ("Mn", "Me"):
        return one, 0
    return one, 2 if unicodedata.east_asian_width(one) in "WF" else 1


class _File:
    def __init__(
        self, marks: list[Mark], lines: list[str], width: int, style: Style, severity: Severity
    ) -> None:
        self.marks = [mark for mark in marks if mark.span.line <= len(lines)]
        self.source, self.width = lines, width
        self.style, self.severity = style, severity

    def lines(self) -> Iterator[str]:
        numbers = sorted({mark.span.line for mark in self.marks if self.is_worth_showing(mark)})
        if numbers:
            yield self.gutter("", "")
        before = 0
        for number in numbers:
            if before and number == before + 2:
                yield self.gutter(str(before + 1), Shown(self.source[before], 0).text)
            elif before and number > before + 1:
                yield self.style("frame", "...")
            yield from self.line(number)
            before = number

    def is_worth_showing(self, mark: Mark) -> bool:
        return bool(mark.text) or bool(self.source[mark.span.line - 1].strip())

    def line(self, number: int) -> Iterator[str]:
        text = self.source[number - 1]
        here = [mark for mark in self.marks if mark.span.line == number]
        here.sort(key=lambda mark: not mark.primary)
        shown = Shown(text, min(mark.span.column for mark in here) - 1)
        yield self.gutter(str(number), shown.text)
        for mark in here:
            yield self.gutter("", self.underline(mark, text, shown))

    def underline(self, mark: Mark, text: str, shown: Shown) -> str:
        span = mark.span
        end = span.end_column if span.end_line == span.line else len(text.rstrip()) + 1
        first, last = shown.column(span.column - 1), shown.column(end - 1)
        sign = ("^" if mark.primary else "-") * max(1, last - first)
        kind = self.severity if mark.primary else "frame"
        text = f"{sign} {visible(mark.text)}".rstrip()
        return " " * first + self.style(kind, text)

    def gutter(self, number: str, text: str) -> str:
        bar = self.style("frame", f"{number:>{self.width}} |")
        return f"{bar} {text}".rstrip()


def excerpt(
    marks: list[Mark], sources: Sources, style: Style, severity: Severity = "error"
) -> list[str]:
    """The lines of all marks, file by file; the first mark's file and line come first."""
    width = max(len(str(mark.span.line)) for mark in marks)
    out, arrow = [], "-->"
    for file in dict.fromkeys(mark.span.file for mark in marks):
        here = [mark for mark in marks if mark.span.file == file]
        place = visible(str(here[0].span))
        out.append(f"{' ' * width}{style('frame', arrow)} {place}")
        out += _File(here, sources.lines(file), width, style, severity).lines()
        arrow = ":::"
    return out
