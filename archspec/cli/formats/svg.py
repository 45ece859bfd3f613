"""A picture for papers and pages: stages, blocks, feature maps, and costs."""

from __future__ import annotations

from archspec import picture
from archspec.analysis import Analysis
from archspec.language import Spec


def render(analysis: Analysis, spec: Spec, depth: int | None) -> str:
    """The picture, at most as large as an A4 page."""
    return picture.svg(analysis).rstrip()
