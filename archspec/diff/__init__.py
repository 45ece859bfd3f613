"""`archspec diff`: what changed in an architecture, not in its text. Without torch.

Facts first, then words:

tree         a network's modules by path
align        which module of one network corresponds to which of the other
changes      the differences: facts
checkpoint   how much of the weights fits
fold         paths as patterns
recognizers  facts as lines
comparison   lines, verdict, table
formats      text, Markdown, JSON
"""

from archspec.diff.comparison import Comparison, Text, compare
from archspec.diff.formats import FORMATS

__all__ = ["FORMATS", "Comparison", "Text", "compare"]
