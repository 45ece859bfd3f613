"""Where layers stand, and what is reported there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from archspec.diagnostics import Diagnostic, Hint, Label, Span, SpecError
from archspec.expression import Name, walk
from archspec.language.check.references import Tree, trees_in
from archspec.language.suggestions.unknown import name_hint
from archspec.language.words import PARTS_OF_ALL
from archspec.places import At
from archspec.source.document import Document, Step
from archspec.source.findings import MAX_FINDINGS, too_many_findings

FIXABLE = ("unknown-layer", "unknown-block", "unknown-default")


class Where(NamedTuple):
    """A place in a document."""

    document: Document
    path: tuple[Step, ...] = ()

    def below(self, *steps: Step) -> Where:
        """A place further down."""
        return Where(self.document, (*self.path, *steps))

    def span(self, *steps: Step, key: bool = False) -> Span | None:
        """The lines of a place further down."""
        return self.document.span((*self.path, *steps), key)


class Scope(NamedTuple):
    """What is visible where layers stand: names in expressions, and parts."""

    names: frozenset[str]
    parts: frozenset[str] = frozenset(PARTS_OF_ALL)
    used_at: Label | None = None


class Findings(list[Diagnostic]):
    """What was found so far; `SpecError` where it is too much."""

    def report(
        self,
        rule: str,
        message: str,
        span: Span | None,
        hint: str = "",
        scope: Scope | None = None,
    ) -> None:
        """A finding at its place, with the use that led there."""
        if len(self) >= MAX_FINDINGS:
            raise SpecError([*self, too_many_findings(span)])
        labels = (scope.used_at,) if scope and scope.used_at else ()
        fix = hint.at(span) if isinstance(hint, Hint) and rule in FIXABLE else None
        self.append(Diagnostic(rule, message, span, hint, labels, fix=fix))

    def check_value(self, scope: Scope, value: Any, where: Where) -> None:
        """Every name in a value that is an expression, or a list of them."""
        self.check_names(scope, trees_in(value, At()), where)

    def check_names(self, scope: Scope, trees: Iterable[Tree], where: Where) -> None:
        """Every name in expressions that stand below a place."""
        for at, tree, names in trees:
            if not names <= scope.names:
                for name in walk(tree):
                    if isinstance(name, Name) and name.id not in scope.names:
                        self._unknown(scope, name, where.below(*at.path))

    def _unknown(self, scope: Scope, name: Name, where: Where) -> None:
        hint = name_hint(name.id, where.path, scope.names)
        span = _span_of_name(name, where)
        self.report("unknown-name", f"`{name.id}` is not known here", span, hint, scope)


def _span_of_name(name: Name, where: Where) -> Span | None:
    """The very word within the text of an expression, where it stands on one line."""
    span, mark = where.span(), where.document.mark(where.path)
    if span is None or mark is None or name.column is None or span.line != span.end_line:
        return span
    start = span.column + name.column + (1 if mark.quoted else 0)
    end = start + len(name.id)
    return span._replace(column=start, end_column=end) if end <= span.end_column else span
