"""YAML text -> a document, within limits, with all findings of a file at once.

Events are read one by one: PyYAML's C composer recurses and crashes the process on a
few thousand levels of `- - -`, while its event parser is flat and takes 0.1 s for a mebibyte of
anything. Here the depth is counted before descending.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NoReturn

import yaml

from archspec.diagnostics import Diagnostic, Span, SpecError
from archspec.files import read_bytes
from archspec.paths import display_path
from archspec.source import findings
from archspec.source.document import Document, Mark
from archspec.source.files import decode
from archspec.source.findings import MAX_DEPTH, MAX_FINDINGS, MAX_NODES
from archspec.source.scalars import TooLong, scalar
from archspec.source.syntax import explain, span_at, unreadable_character

# Wheels of PyYAML include the C parser. Without it everything works, ten times slower.
_Events: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_GROWN = r"([A-Za-z_]\w*)[ :=]+(\S.*)"  # a name, and a value directly after it
_OPENED = r"([A-Za-z_]\w*) +[{\[]"
_BLANK = re.compile(r"(?:\s++|#[^\r\n]*+|\.\.\.(?=\s|\Z))*+")


def read(path: str | Path) -> Document:
    """Parse a file. Raises `UnreadableFile` if it cannot be opened; otherwise like `parse`."""
    return parse(read_bytes(path), display_path(path))


def parse(text: str | bytes, file: str) -> Document:
    """Parse one document whose top level is a mapping, or raise all findings at once."""
    return _Reader(decode(text, file), file).document()


class _Stop(Exception):
    """The rest cannot be read; the findings say why."""


class _Reader:
    """One pass over the events of one file."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.findings: list[Diagnostic] = []
        self.nodes = 0
        self.cuts = 0  # expressions split at a comma

    def document(self) -> Document:
        try:
            self.check_start()
            self.next = _Events(self.text).get_event
            data, mark = self.top()
        except (yaml.YAMLError, UnicodeError) as error:
            if not any(one.rule == "yaml-syntax" for one in self.findings):  # may follow from it
                self.findings.append(explain(error, self.text, self.file))
        except _Stop:
            pass
        if self.findings:
            raise SpecError(self.findings)
        return Document(data, mark)

    def top(self) -> tuple[dict[str, Any], Mark]:
        self.next()
        if type(self.next()) is yaml.StreamEndEvent:
            self.stop(findings.empty_file(self.file))
        value, mark = self.node(self.next(), 0, False)
        self.check_end(self.next().end_mark.index)
        if not isinstance(value, dict):
            self.stop(findings.not_a_mapping(value, mark.span))
        return value, mark

    def node(self, event: Any, depth: int, flow: bool) -> tuple[Any, Mark]:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.stop(findings.too_many_nodes(self.span(event)))
        kind = type(event)
        if kind is yaml.AliasEvent:
            self.report(findings.alias(event.anchor, self.span(event)))
            return None, Mark(self.span(event))
        if event.anchor is not None or event.tag is not None:
            self.refuse_properties(event)
        if kind is yaml.ScalarEvent:
            return self.scalar(event, flow)
        if depth == MAX_DEPTH:
            self.stop(findings.too_deep(self.span(event)))
        if kind is yaml.MappingStartEvent:
            return self.mapping(event, depth + 1)
        return self.sequence(event, depth + 1)

    def mapping(self, start: Any, depth: int) -> tuple[dict[str, Any], Mark]:
        result: dict[str, Any] = {}
        keys: dict[str, Span] = {}
        parts: dict[str, Mark] = {}
        last = None
        flow, cuts = start.flow_style, self.cuts
        while type(event := self.next()) is not yaml.MappingEndEvent:
            key, place = self.key(event, depth, flow, cuts)
            value, last = self.node(follows := self.next(), depth, flow)
            if key is None and type(follows) is yaml.AliasEvent:  # `<<: *base` is one finding
                self.findings.pop()
            if key is None or self.is_slip(event, follows, flow, place):
                continue
            if key in result and self.cuts == cuts:
                self.report(findings.duplicate_key(key, place, keys[key]))
            result[key], keys[key], parts[key] = value, place, last
        return result, Mark(self.extent(start, event, last), keys, parts)

    def sequence(self, start: Any, depth: int) -> tuple[list[Any], Mark]:
        result: list[Any] = []
        parts: list[Mark] = []
        flow = start.flow_style
        while type(event := self.next()) is not yaml.SequenceEndEvent:
            value, mark = self.node(event, depth, flow)
            result.append(value)
            parts.append(mark)
        return result, Mark(self.extent(start, event, parts[-1] if parts else None), None, parts)

    def key(self, event: Any, depth: int, flow: bool, cuts: int) -> tuple[str | None, Span]:
        """The text of a key; None, and a finding, if it has none."""
        value, mark = self.node(event, depth, flow)
        span = mark.span
        if type(value) is str:
            if value != "<<" or mark.quoted:
                return value, span
            self.report(findings.merge_key(span))
        # The pieces of an expression split at its comma are one finding, not several.
        elif self.cuts == cuts and type(event) is not yaml.AliasEvent:
            written = getattr(event, "value", "")
            self.report(findings.key_not_text(written, value, span))
        return None, span

    def is_slip(self, event: Any, follows: Any, flow: bool, place: Span) -> bool:
        """Whether a key contains its value for lack of a space or colon; reported if so."""
        key, start, end = event.value, follows.start_mark, follows.end_mark
        if event.style or key.isidentifier():
            return False
        if not flow and key[0] == "-":
            self.report(findings.no_space_after_dash(f"{key}: ...", place))
            return True
        if not flow and (opened := re.match(_OPENED, key)):
            self.stop(findings.no_colon(opened[1], place))
        if start.index != end.index or not (grown := re.fullmatch(_GROWN, key)):
            return False
        self.report(findings.grown_together(grown[1], grown[2], key, place))
        return True

    def scalar(self, event: Any, flow: bool) -> tuple[Any, Mark]:
        text, quoted = event.value, bool(event.style)
        span = self.span(event)
        if span.line < span.end_line and not quoted and not flow and self.are_items(event):
            self.report(findings.no_space_after_dash(text.split()[0], span))
        value = text if quoted else self.plain(text, span)
        if type(value) is str and flow and not quoted and text.count("(") > text.count(")"):
            self.cuts += 1
            whole = _expression(self.text, event.start_mark.index)
            self.report(findings.unquoted_comma(text, whole, span))
        return value, Mark(span, None, (), quoted)

    def are_items(self, event: Any) -> bool:
        """Whether all lines of a value start like items of a list, but lack the space."""
        lines = self.text[event.start_mark.index : event.end_mark.index].splitlines()
        return all(line.lstrip()[:1] == "-" for line in lines)

    def plain(self, text: str, span: Span) -> Any:
        try:
            value = scalar(text)
        except TooLong:
            self.report(findings.too_many_digits(span))
            return 0
        if type(value) is float and not math.isfinite(value):
            self.report(findings.not_finite(text, span))
        return value

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def extent(self, start: Any, end: Any, last: Mark | None) -> Span:
        """Up to the last value: in YAML a block ends where the next node starts."""
        mark = start.start_mark
        line, column = end.end_mark.line + 1, end.end_mark.column + 1
        if last and not start.flow_style:
            line, column = last.span.end_line, last.span.end_column
        return Span(self.file, mark.line + 1, mark.column + 1, line, column)

    def report(self, finding: Diagnostic) -> None:
        self.findings.append(finding)
        if len(self.findings) == MAX_FINDINGS:
            self.stop(findings.too_many_findings(finding.span))

    def stop(self, finding: Diagnostic) -> NoReturn:
        self.findings.append(finding)
        raise _Stop

    def refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self.report(findings.anchor(event.anchor, self.span(event)))
        if event.tag is not None:
            self.report(findings.tag(event.tag, self.span(event)))

    def check_start(self) -> None:
        # The parser finds control characters itself, but takes U+2028 for a new line.
        ascii_only = self.text.isascii()
        if not ascii_only and (found := unreadable_character(self.text, self.file)):
            self.stop(found)
        start = self.after_blanks(0) if "%" in self.text else 0
        if self.text.startswith("%", start):  # libyaml: quadratic in `%TAG` lines
            self.stop(findings.directive(span_at(self.text, start, self.file)))

    def check_end(self, index: int) -> None:
        """Only comments may follow; not left to the parser, because of its `%TAG`."""
        start = self.after_blanks(index)
        rest = self.text[start : start + 3]
        if not rest:
            return
        span = span_at(self.text, start, self.file)
        if rest == "---" or rest[0] == "%" or self.text[index - 3 : index] == "...":
            self.stop(findings.second_document(span))
        self.stop(findings.after_the_end(rest[0], span))

    def after_blanks(self, start: int) -> int:
        blank = _BLANK.match(self.text, start)
        return blank.end() if blank else start


def _expression(text: str, start: int) -> str:
    """The expression that starts here, including its commas; "" if it has no end."""
    depth = 0
    for index, character in enumerate(text[start : start + 200], start):
        if depth == 0 and character in ",]}\r\n":
            return text[start:index].rstrip()
        if character in "\r\n[]{}\"'#":
            return ""
        depth += (character == "(") - (character == ")")
    return ""
