"""The YAML as pydantic models, and the way from a file to them.

problems     findings, from functions and from pydantic
fields       a model's fields are functions, and pydantic where something is wrong
identifiers  names that generated source can carry
arguments    numbers, expressions, arguments of ops
layers       an op, a block, a part or a combinator, with modifiers
names        what expressions see; fields for names and texts
stages       runs of blocks
blocks       a block, with its arguments and parts
widths       block after block: channels never shrink
train        the recipe of training
models       the spec
library      which block a name means
check        whether every name means something
load         file -> data -> models -> checks
amount       how much of it may be expressions
settings     `--set` and keyword arguments, laid over a spec
wrong        what to write instead, in a layer that is wrong
rest         a spec without what is wrong in it, so that all findings come at once
"""

from archspec.language.blocks import Block
from archspec.language.library import Library, bind
from archspec.language.load import find, load, parse_text, shipped
from archspec.language.models import Spec

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
