"""A picture for papers and pages: stages, blocks, feature maps, and what they cost."""

from __future__ import annotations

from archspec import picture
from archspec.analysis import Analysis
from archspec.language import Spec


def render(analysis: Analysis, spec: Spec, depth: int | None) -> str:
    """The picture, at most one page of A4."""
    return picture.svg(analysis).rstrip()
