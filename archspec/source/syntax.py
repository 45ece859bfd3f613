"""The YAML parser's errors in plain words: what was found, and how to fix it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from archspec.diagnostics import Diagnostic, Label, Span, plural, shown as shown

# Patterns of errors are compiled where they are needed, because compiling is slow.

# Control characters; and line breaks of YAML 1.1 that editors do not count as such.
_UNREADABLE = (
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TAB_INDENT = r" *\t[ \t]*(?=[^\s#])"
_LINE_BREAK = r"\r\n?|\n"
_WORD = r"[A-Za-z_][\w-]*"
_CONTENT = re.compile(r" *[^\s#]")

_QUOTE = "put strings with special characters in single quotes"
_SPACES = "indent with two spaces per level"
_UNINDENT = "remove the spaces at its start"
_COLUMN = "align the keys of a mapping and put `: ` after each"
_ENTRIES = "use `key: value`, or start every entry with `- `"
_FEATURES = {
    "while scanning an anchor": "anchors",
    "while scanning an alias": "aliases",
    "while scanning a tag": "tags",
    "while parsing a node": "tags",
    "while scanning a directive": "`%` directives",
}
_NO_KEY = "did not find expected key"
_NO_ITEM = "did not find expected '-' indicator"
_NO_COLON = "could not find expected ':'"
_JOINED = r"([\w-]+):([^\s:][^\r\n#]*?)(?=[ ]*(?:#|[\r\n]|$))"
_ITEM = r"-([^\s-][^\r\n#]*)"  # without a space
_NESTED = r"[ -]*([\w-]{1,30}): +([\w-]{1,30})"
_INDEX = r"\w[\[{(]"
_NO_VALUE = "mapping values are not allowed in this context"

# The parser's messages -> ours, and a hint. `{found}` is the text at the location.
_WORDS = {
    _NO_VALUE: ("this line continues the value of the line above it", _COLUMN),
    _NO_KEY: ("expected a key, found {found}", _COLUMN),
    _NO_COLON: ("expected `:` on this line", "use `key: value`"),
    _NO_ITEM: (
        "expected a list item (`- ...`), found {found}",
        "start this line with `- `; if it belongs to the item above it, indent it further",
    ),
    "block sequence entries are not allowed in this context": (
        "a list cannot start here",
        "start it on a separate line: `- first`; or use `[first, second]`",
    ),
    "mapping keys are not allowed in this context": (
        "expected a value, found {found}",
        "quote strings that start with `?`",
    ),
    "did not find expected ',' or ']'": (
        "expected `,` or `]`, found {found}",
        "close the list with `]`, or add a comma between its values",
    ),
    "did not find expected ',' or '}'": (
        "expected `,` or `}`, found {found}",
        "close the mapping with `}`, or add a comma between its entries",
    ),
    "did not find expected node content": (
        "expected a value, found {found}",
        "add a value, or remove the extra comma or bracket",
    ),
    "found character that cannot start any token": (
        "a value cannot start with {found}",
        "quote the value",
    ),
    "found unexpected end of stream": (
        "unterminated quote",
        "close it; use `''` for a `'` inside",
    ),
    "found unexpected document indicator": (
        "found {found} inside quotes",
        "close the quotes before it, or indent the line",
    ),
    "found unknown escape character": (
        "invalid escape in a double-quoted string",
        "use `\\\\\\\\` for a backslash, or use single quotes",
    ),
    "did not find expected comment or line break": (
        "unexpected {found} after `|` or `>`",
        "start the text on the next line; quote strings that start with `|` or `>`",
    ),
}
_AT_CONTEXT = {_NO_COLON, "found unexpected end of stream"}
_OPENED = ("',' or ']'", "',' or '}'")


def span_at(text: str, index: int, file: str) -> Span:
    """The span of one character."""
    lines = re.split(_LINE_BREAK, text[:index])
    line, column = len(lines), len(lines[-1]) + 1
    return Span(file, line, column, line, column + 1)


def unreadable_character(text: str, file: str) -> Diagnostic | None:
    """A finding for the first character that is not allowed in a spec."""
    found = re.search(_UNREADABLE, text)
    if found is None:
        return None
    message = f"found the invisible character U+{ord(found[0]):04X}"
    span = span_at(text, found.start(), file)
    return Diagnostic("yaml-syntax", message, span, "remove it")


def explain(error: Exception, text: str, file: str) -> Diagnostic:
    """The finding for an error of the YAML parser."""
    if hasattr(error, "problem_mark"):
        return _tab(error, text, file) or _syntax(error, text, file)
    return unreadable_character(text, file) or _undecodable_tag(file)


def _undecodable_tag(file: str) -> Diagnostic:
    message = "specs cannot use YAML tags"
    hint = "quote strings that start with `!`"
    return Diagnostic("yaml-feature", message, Span(file), hint)


def _syntax(error: Any, text: str, file: str) -> Diagnostic:
    problem, opened = error.problem, error.context_mark
    mark = opened if problem in _AT_CONTEXT and opened else error.problem_mark
    if joined := _joined(problem, text, mark.index):
        return _no_space(joined, text, file)
    span = span_at(text, mark.index, file)
    if problem == _NO_COLON and (joined := re.compile(_ITEM).match(text, mark.index)):
        hint = f"use `- {shown(joined[1])}`"
        return Diagnostic("yaml-syntax", "missing space after `-`", span, hint)
    if feature := _FEATURES.get(error.context):
        hint = "quote strings that start with `&`, `*`, `!`, or `%`"
        return Diagnostic("yaml-feature", f"specs cannot use {feature}", span, hint)
    *above, before = re.split(_LINE_BREAK, text[: mark.index])
    item = text.startswith("- ", mark.index)
    words, hint = _words(problem, before, item)
    if problem in (_NO_KEY, _NO_ITEM):
        words, hint = _indentation(text, mark.index) or (words, hint)
    elif problem == _NO_COLON:
        hint = _below_a_key(text, mark.index) or hint
    elif problem == _NO_VALUE:
        after = re.split(_LINE_BREAK, text[mark.index + 1 :], maxsplit=1)[0]
        hint = _nested(before, after) or (_like_above(above) if hint == _COLUMN else hint)
    elif problem.endswith(_OPENED) and re.match(_INDEX, text[mark.index - 1 :]):
        hint = "quote values that contain brackets"
    message = words.replace("{found}", _found(text, mark.index))
    labels: tuple[Label, ...] = ()
    if opened and problem.endswith(_OPENED):
        labels = (Label(span_at(text, opened.index, file), "opened here"),)
    return Diagnostic("yaml-syntax", message, span, hint, labels)


def _joined(problem: str, text: str, index: int) -> re.Match[str] | None:
    """`key:value` without a space: on a line without a `:`, or above a line that then has too many.

    YAML reads it as text that continues on the next line.
    """
    if problem == _NO_VALUE:
        above = text.rfind("\n", 0, text.rfind("\n", 0, index)) + 1
        index = above + len(text[above:]) - len(text[above:].lstrip(" -"))
    return re.compile(_JOINED).match(text, index) if problem in (_NO_COLON, _NO_VALUE) else None


def _no_space(joined: re.Match[str], text: str, file: str) -> Diagnostic:
    key, value = joined.groups()
    written = f": `{key}: {shown(value)}`" if len(joined[0]) < 60 else ""
    message = f"missing space after `{shown(key)}:`"
    span, hint = span_at(text, joined.start(), file), f"add a space after the colon{written}"
    return Diagnostic("yaml-syntax", message, span, hint)


def _words(problem: str, before: str, item: bool) -> tuple[str, str]:
    """Message and hint; `before` is the text before the location on its line.

    `item`: the location is the `-` of a list item.
    """
    if problem == _NO_VALUE and ": " in before:
        first = before.partition(": ")[2]
        brackets = "put several values in brackets: `[a, b: c]`; " if "," in first else ""
        if " " in first and not brackets:
            brackets = "put several keys in braces: `{a: 1, b: 2}`; "
        return "a second `:` in this value", f"{brackets}quote strings that contain `: `"
    if before.endswith("$"):
        return "YAML reads `{` as the start of a mapping", "write expressions without `${{ }}`"
    if problem == _NO_KEY and item:
        return "found a list item among the keys of a mapping", _ENTRIES
    if problem == _NO_KEY and before.strip():
        return "found {found} after the end of the value", "quote the whole value"
    return _WORDS.get(problem) or (f"invalid YAML: {shown(problem)}", _QUOTE)


def _indentation(text: str, index: int) -> tuple[str, str] | None:
    """Message and hint if the text before `index` is spaces that match no line above."""
    *above, before = re.split(_LINE_BREAK, text[:index])
    levels = list[int]()  # of the open mappings and lists, the innermost first
    for line in filter(_CONTENT.match, reversed(above)):
        for start in (" -", " "):
            column = len(line) - len(line.lstrip(start))
            levels += [column] if not levels or column < levels[-1] else []
    if before.strip() or not levels or len(before) in levels:
        return None
    nearest = min(levels, key=lambda column: abs(column - len(before)))
    message = f"expected an indentation of {nearest}, found {len(before)}"
    return message, f"indent this line with {plural(nearest, 'space')}"


def _below_a_key(text: str, index: int) -> str:
    """The hint for a value at the level of its key on the line above; "" for anything else."""
    above = text[:index].rstrip().rpartition("\n")[2].strip(" -")
    key, colon, rest = above.partition(":")
    return f"write it after `{shown(key)}:`, or indent it" if colon and not rest else ""


def _nested(before: str, after: str) -> str:
    """The hint for `conv: channels: 64`; "" if the second `:` does not follow a single word."""
    found, value = re.fullmatch(_NESTED, before[-100:]), after.partition(" #")[0].strip()
    if not found or len(value) > 60:
        return ""
    return f"use `{found[1]}: {{{found[2]}: {shown(value)}}}`, or quote the whole value"


def _like_above(above: Iterable[str]) -> str:
    """The hint for a line that is indented further than the line above it."""
    line = next(filter(_CONTENT.match, reversed([*above])), "")
    spaces = len(line) - len(line.lstrip(" -"))
    return f"indent it like that line, with {plural(spaces, 'space')}" if spaces else _UNINDENT


def _tab(error: Any, text: str, file: str) -> Diagnostic | None:
    """A tab in the indentation breaks a block, whatever the parser reports."""
    index = error.problem_mark.index
    if not text.startswith("\t", index):
        start = text.rfind("\n", 0, index) + 1
        if error.problem.endswith(_OPENED) or not re.compile(_TAB_INDENT).match(text, start):
            return None
        index = text.index("\t", start)
    span = span_at(text, index, file)
    return Diagnostic("tab-indentation", "the line is indented with a tab", span, _SPACES)


def _found(text: str, index: int) -> str:
    if word := re.compile(_WORD).match(text, index):
        return f"`{shown(word[0])}`"
    found = text[index : index + 1]
    if not found.strip():
        return "the end of the line" if found else "the end of the file"
    return f"`{found}`"
