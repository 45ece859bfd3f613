"""What is known of a file as plain data, for the cache; what is read back is checked first."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from archspec.diagnostics import Diagnostic, Edit, Fix, Label, Severity, Span
from archspec.lint.check import Checked
from archspec.lint.comments import Suppression

T = TypeVar("T")


def to_plain(checked: Checked) -> dict[str, Any]:
    """What `from_plain` makes the same of."""
    return {
        "findings": [_finding(d) for d in checked.findings],
        "suppressions": [_suppression(s) for s in checked.suppressions],
        "complete": checked.complete,
        "name": [checked.name[0], _span(checked.name[1])] if checked.name else None,
        "script": checked.script,
    }


def _span(span: Span | None) -> list[Any] | None:
    if span is None:
        return None
    return [span.file, span.line, span.column, span.end_line, span.end_column]


def _finding(one: Diagnostic) -> list[Any]:
    labels = [[_span(label.span), label.text] for label in one.labels]
    fix = one.fix and [one.fix.message, [[_span(e.span), e.text] for e in one.fix.edits]]
    return [one.rule, one.message, _span(one.span), str(one.hint), labels, one.severity, fix]


def _suppression(one: Suppression) -> list[Any]:
    rules = [[rule, _span(place)] for rule, place in one.rules]
    return [_span(one.span), rules, one.reason, list(one.lines)]


class Unknown(ValueError):
    """Data that we did not write."""


def from_plain(data: dict[str, Any], file: str, known: frozenset[str]) -> Checked:
    """Raises `Unknown`. Places lie in the file, or in one that is `known` to belong to it."""
    read = _Reader(known | {file})
    try:
        return Checked(
            file,
            tuple(map(read.finding, _list(data["findings"]))),
            tuple(map(read.suppression, _list(data["suppressions"]))),
            _is(bool, data["complete"]),
            read.name(data["name"]),
            _is(bool, data["script"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unknown from error


class _Reader:
    def __init__(self, files: frozenset[str]) -> None:
        self.files = files

    def span(self, data: Any) -> Span:
        file, *numbers = _list(data)
        if file not in self.files or len(numbers) != 4:
            raise Unknown
        return Span(file, *(_number(n) for n in numbers))

    def finding(self, data: Any) -> Diagnostic:
        from archspec.rules import RULES

        rule, message, span, hint, labels, severity, fix = _list(data)
        if rule not in RULES or severity not in ("error", "warning"):
            raise Unknown
        return Diagnostic(
            rule,
            _text(message),
            self.span(span),
            _text(hint),
            tuple(Label(self.span(at), _text(text)) for at, text in _list(labels)),
            cast(Severity, severity),
            None if fix is None else self.fix(*_list(fix)),
        )

    def fix(self, message: Any, edits: Any) -> Fix:
        return Fix(_text(message), tuple(Edit(self.span(at), _text(t)) for at, t in _list(edits)))

    def suppression(self, data: Any) -> Suppression:
        span, rules, reason, lines = _list(data)
        named = tuple((_text(rule), self.span(place)) for rule, place in _list(rules))
        return Suppression(
            self.span(span), named, _text(reason), tuple(_number(n) for n in _list(lines))
        )

    def name(self, data: Any) -> tuple[str, Span] | None:
        if data is None:
            return None
        name, span = _list(data)
        return _text(name), self.span(span)


def _is(kind: type[T], value: Any) -> T:
    if type(value) is not kind:
        raise Unknown
    return value


def _text(value: Any) -> str:
    return _is(str, value)


def _list(value: Any) -> list[Any]:
    return _is(list, value)


def _number(value: Any) -> int:
    if _is(int, value) < 1:
        raise Unknown
    return int(value)
