"""Where layers stand, and what is told there."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic, Hint, Label, Span, SpecError
from archspec.language.names import PARTS_OF_ALL
from archspec.record import record, replace
from archspec.source.findings import MAX_FINDINGS, too_many_findings

FIXABLE = ("unknown-layer", "unknown-block", "unknown-default")


@record
class Scope:
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


def labelled(diagnostic: Diagnostic, label: Label | None) -> Diagnostic:
    """The same with one more place, if there is one."""
    return replace(diagnostic, labels=(*diagnostic.labels, label)) if label else diagnostic
