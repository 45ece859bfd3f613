"""The kinds of changes. Each recognizer gets the changes that no earlier one explained.

A recognizer is a function of a few lines that does not depend on the name of a network. Add new
ones to the list.
"""

from archspec.diff.lines import Recognizer
from archspec.diff.recognizers.blocks import joined, moved, parts, repeated
from archspec.diff.recognizers.ends import classes, entering
from archspec.diff.recognizers.plain import arguments, followers, others
from archspec.diff.recognizers.sequences import become, inserted, resequenced, swapped
from archspec.diff.recognizers.widths import widths

RECOGNIZERS: tuple[Recognizer, ...] = (
    entering,
    classes,
    repeated,
    moved,
    inserted,
    become,
    resequenced,
    parts,
    swapped,
    widths,
    arguments,
    joined,
    others,
    followers,
)

__all__ = ["RECOGNIZERS"]
