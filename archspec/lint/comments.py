"""Suppressions: `# archspec: ignore[AS304] the reason`, on the line or above it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from archspec.diagnostics import Span
from archspec.lint.checked import MARK, Suppression
from archspec.lint.sources import LINE_BREAK

_COMMENT = re.compile(r"#[ \t]*archspec:([^\r\n]*)")
_IGNORE = r"[ \t]*ignore[ \t]*\[(?P<rules>[^\]\r\n]*)\](?P<reason>[^\r\n]*)\Z"
_WORD = r"[^\s,]+"
_ONLY_KEY = r"[^#'\"]*:[ \t]*(?:#.*)?\Z"


def suppressions(text: str, file: str) -> tuple[Suppression, ...]:
    """Every suppression in a YAML text. One without rules could not be parsed."""
    if MARK not in text:
        return ()
    lines = LINE_BREAK.split(text)
    after = _next_code(lines)
    return tuple(
        _suppression(match, line, start, lines, after, file)
        for match, line, start in _comments(text)
    )


def _comments(text: str) -> Iterator[tuple[re.Match[str], int, int]]:
    """Each comment for archspec, its line from 0, and where that line starts."""
    inside, breaks = _scalars(text), LINE_BREAK.finditer(text)
    end = line = start = 0
    first, following = 0, next(breaks, None)
    for match in _COMMENT.finditer(text):
        while end <= match.start():
            first, end = next(inside, (len(text), len(text) + 1))
        while following and following.end() <= match.start():
            line, start, following = line + 1, following.end(), next(breaks, None)
        before = text[match.start() - 1 : match.start()]
        if match.start() < first and before in ("", " ", "\t", "\r", "\n"):
            yield match, line, start


def _scalars(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of text in which `#` does not start a comment."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for token in yaml.scan(text, Loader=loader):
            if isinstance(token, yaml.ScalarToken):
                start, end = token.start_mark.index, token.end_mark.index
                if token.style in ("|", ">"):  # a comment may follow on the line of the `|`
                    first = LINE_BREAK.search(text, start)
                    start = first.end() if first else end
                yield start, end
    except yaml.YAMLError:
        yield 0, len(text)  # the rest is not read


def _suppression(
    match: re.Match[str], line: int, start: int, lines: list[str], after: list[int], file: str
) -> Suppression:
    text, column = match[0].rstrip(), match.start() - start
    place = Span(file, line + 1, column + 1, line + 1, column + 1 + len(text))
    body = text.index(":") + 1
    found = re.match(_IGNORE, text[body:])
    if found is None:
        return Suppression(place, (), "", ())
    inside = column + body + found.start("rules")
    rules = tuple(_rule(word, place, inside) for word in re.finditer(_WORD, found["rules"]))
    alone = not lines[line][:column].strip()
    first = after[line] if alone else line
    return Suppression(place, rules, found["reason"].strip(" \t:-"), _lines(first, lines, after))


def _rule(match: re.Match[str], place: Span, start: int) -> tuple[str, Span]:
    first, last = start + match.start() + 1, start + match.end() + 1
    return match[0], Span(place.file, place.line, first, place.line, last)


def _lines(line: int, lines: list[str], after: list[int]) -> tuple[int, ...]:
    """The lines a comment applies to; for a lone `key:`, its value's first line too."""
    if line < len(lines) and re.match(_ONLY_KEY, lines[line]):
        return line + 1, after[line] + 1
    return (line + 1,)


def _next_code(lines: list[str]) -> list[int]:
    """For each line, the next line below it that has more than a comment."""
    after, below = [0] * len(lines), len(lines)
    for number in range(len(lines) - 1, -1, -1):
        after[number] = below
        stripped = lines[number].lstrip()
        if stripped and stripped[0] != "#":
            below = number
    return after
