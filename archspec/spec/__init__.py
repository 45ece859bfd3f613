"""The YAML as pydantic models, and the way from a file to them.

arguments  numbers, expressions and names
layers     an op, a block, a part or a combinator, with modifiers
names      what expressions see; fields for names and texts
stages     runs of blocks
blocks     a block, with its arguments and parts
widths     block after block: channels never shrink
models     the spec
library    which block a name means
check      whether every name means something
load       file -> data -> models -> checks
amount     how much of it may be expressions
rest       the same without what is wrong, so that all findings come at once
settings   `--set` and keyword arguments, laid over a spec
"""

from archspec.spec.blocks import Block
from archspec.spec.library import Library, bind
from archspec.spec.load import find, load, parse_text, shipped
from archspec.spec.models import Spec

__all__ = [
    "Block",
    "Library",
    "Spec",
    "bind",
    "find",
    "load",
    "parse_text",
    "shipped",
]
