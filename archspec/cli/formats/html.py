"""A page as of `archspec report`: picture, layers, plots, spec and source, and findings."""

from __future__ import annotations

from archspec import __version__
from archspec.analysis import Analysis
from archspec.api import MEMO
from archspec.language import Spec
from archspec.report import Subject, page


def render(analysis: Analysis, spec: Spec, depth: int | None) -> str:
    """The page for one network."""
    return page([Subject(spec.name, spec)], __version__, MEMO)
