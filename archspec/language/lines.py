"""From places to lines: where a finding is shown to the person who wrote the spec.

What comes with archspec is right by itself. So a finding in a shipped file is shown at the line
of the user that led there, and the shipped line comes second.
"""

from __future__ import annotations

from collections.abc import Iterable

from archspec import resources
from archspec.diagnostics import Diagnostic, Fix, Label, Severity, Span
from archspec.language.library import Library
from archspec.paths import lies_in
from archspec.places import At, Finding
from archspec.source.document import Document, Mark

IN_LAYER = "in this layer"


def is_shipped_block(span: Span) -> bool:
    """Whether this is the shown place of a built-in block."""
    return lies_in(span.file, resources.BLOCKS)


class Lines:
    """Looks places up in the documents of a spec and of its blocks."""

    def __init__(self, document: Document, library: Library) -> None:
        self.document, self.library = document, library

    def document_of(self, at: At) -> Document:
        """The document that a place is in."""
        return self.library.documents.get(at.block, self.document) if at.block else self.document

    def span(self, at: At | None) -> Span | None:
        """The lines of a place."""
        return self.document_of(at).span(at.path, at.key) if at else None

    def mark(self, at: At) -> Mark | None:
        """Where exactly a value and its keys are."""
        return self.document_of(at).mark(at.path)

    def label(self, at: At, text: str) -> tuple[Label, ...]:
        """A label at a place, if it is written anywhere."""
        span = self.span(at)
        return (Label(span, text),) if span else ()

    def uses(self, uses: Iterable[tuple[At, str]]) -> tuple[Label, ...]:
        """The uses of blocks that led somewhere, the innermost first; a circle is shown once."""
        labels = (label for at, block in uses for label in self.label(at, used_here(block)))
        return tuple(dict.fromkeys(labels))

    def diagnostic(
        self, finding: Finding, severity: Severity = "error", fix: Fix | None = None
    ) -> Diagnostic:
        """A finding at its lines; at the value that is at fault, if that was given by a user."""
        span, uses = self.span(finding.at), self.uses(finding.uses)
        uses = tuple(label for label in uses if label.span != span)
        labels = tuple(x for at, text in finding.labels for x in self.label(at, text))
        given = self.span(finding.given) if isinstance(finding.given, At) else None
        if given is not None and not is_shipped_block(given):
            labels = (Label(span, IN_LAYER),) if span else ()
            span = given
        shown, labels = user_line(span, (*labels, *uses), len(labels))
        return Diagnostic(finding.rule, finding.message, shown, finding.hint, labels, severity, fix)


def used_here(block: str) -> str:
    """The label of a use of a block."""
    return f"`{block}` is used here"


def user_line(
    span: Span | None, labels: tuple[Label, ...], uses_from: int = 0
) -> tuple[Span | None, tuple[Label, ...]]:
    """The line that the user wrote, and the others; the labels from `uses_from` on led there."""
    if span is None or not is_shipped_block(span):
        return span, labels
    uses = labels[uses_from:]
    own = next((n for n, label in enumerate(uses) if not is_shipped_block(label.span)), None)
    if own is None:
        return span, labels
    inside = (Label(span, IN_LAYER), *labels[:uses_from])
    return uses[own].span, (*inside, *uses[own + 1 :])


def at_user_line(finding: Diagnostic) -> Diagnostic:
    """A finding in a shipped spec, at the line of the user that leads there."""
    if finding.span is None or not lies_in(finding.span.file, resources.SPECS):
        return finding
    own = [label for label in finding.labels if not lies_in(label.span.file, resources.SPECS)]
    if not own:
        return finding
    others = (label for label in finding.labels if label.span != own[-1].span)
    labels = (Label(finding.span, "found here"), *others)
    return finding._replace(span=own[-1].span, labels=labels, fix=None)
