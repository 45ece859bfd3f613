"""`archspec diff`: what changed in an architecture, not in its text. No torch.

Facts first, words after:

tree         a network's modules by path
align        which module of one is which of the other
changes      what differs: facts
checkpoint   what of the weights fits
fold         paths as patterns
recognizers  facts as lines
comparison   lines, verdict, table
formats      text, Markdown, JSON
"""

from archspec.diff.comparison import Comparison, Text, compare
from archspec.diff.formats import FORMATS

__all__ = ["FORMATS", "Comparison", "Text", "compare"]
