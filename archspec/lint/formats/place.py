"""Where a report says a finding is, for readers that know the repository alone."""

from __future__ import annotations

from archspec.diagnostics import Span
from archspec.lint.report import Finding


def inside(finding: Finding) -> Span:
    """The finding's place; of one in a file outside, such as a shipped block, where it was used."""
    spans = [finding.span, *(label.span for label in finding.diagnostic.labels)]
    return next((span for span in spans if not span.file.startswith("../")), finding.span)
