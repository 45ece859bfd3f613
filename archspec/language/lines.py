"""From locations to lines: where a finding is shown to the author of the spec.

Built-in files are correct. So a finding in one is shown at the user's line that led there, and
the line in the built-in file comes second.
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
    """Whether the finding is shown in a built-in block."""
    return lies_in(span.file, resources.BLOCKS)


class Lines:
    """Looks up locations in the documents of a spec and of its blocks."""

    def __init__(self, document: Document, library: Library) -> None:
        self.document, self.library = document, library

    def document_of(self, at: At) -> Document:
        """The document that a location is in."""
        return self.library.documents.get(at.block, self.document) if at.block else self.document

    def span(self, at: At | None) -> Span | None:
        """The lines of a location."""
        return self.document_of(at).span(at.path, at.key) if at else None

    def mark(self, at: At) -> Mark | None:
        """The exact spans of a value and of its keys."""
        return self.document_of(at).mark(at.path)

    def label(self, at: At, text: str) -> tuple[Label, ...]:
        """A label at a location, if it is written anywhere."""
        span = self.span(at)
        return (Label(span, text),) if span else ()

    def uses(self, uses: Iterable[tuple[At, str]]) -> tuple[Label, ...]:
        """The uses of blocks that led to a location, innermost first; a cycle is shown once."""
        labels = (label for at, block in uses for label in self.label(at, used_here(block)))
        return tuple(dict.fromkeys(labels))

    def diagnostic(
        self, finding: Finding, severity: Severity = "error", fix: Fix | None = None
    ) -> Diagnostic:
        """A finding with its lines; at the wrong value itself if the user gave it."""
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
    """The user's line, and the others; the labels from `uses_from` on led there."""
    if span is None or not is_shipped_block(span):
        return span, labels
    uses = labels[uses_from:]
    own = next((n for n, label in enumerate(uses) if not is_shipped_block(label.span)), None)
    if own is None:
        return span, labels
    inside = (Label(span, IN_LAYER), *labels[:uses_from])
    return uses[own].span, (*inside, *uses[own + 1 :])


def at_user_line(finding: Diagnostic) -> Diagnostic:
    """A finding in a built-in spec, at the user's line that leads there."""
    if finding.span is None or not lies_in(finding.span.file, resources.SPECS):
        return finding
    own = [label for label in finding.labels if not lies_in(label.span.file, resources.SPECS)]
    if not own:
        return finding
    others = (label for label in finding.labels if label.span != own[-1].span)
    labels = (Label(finding.span, "found here"), *others)
    return finding._replace(span=own[-1].span, labels=labels, fix=None)
