"""`archspec diff`: what changed in an architecture, not in its text. It does not need torch.

First the differences are determined, then they are put into words:

tree         a network's modules by path
align        pairs of corresponding modules
changes      the differences, as data
checkpoint   how much of a checkpoint fits
fold         paths as patterns
recognizers  differences as lines
comparison   lines, summary, and table
formats      text, Markdown, JSON
"""

from archspec.diff.comparison import Comparison, Text, compare
from archspec.diff.formats import FORMATS

__all__ = ["FORMATS", "Comparison", "Text", "compare"]
