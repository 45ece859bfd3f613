"""The YAML as pydantic models, and the way from a file to them.

words        the words of the language: combinators, modifiers, indices
problems     findings of functions and of pydantic, with a path
model        what the models share
identifiers  names that generated source can carry
arguments    numbers, expressions, arguments of ops
layers       an op, a block, a part or a combinator, with modifiers
names        fields for names and texts
stages       runs of blocks
blocks       a block, with its arguments and parts
widths       block after block: channels never shrink
train        the recipe of training
spec         the spec
library      which block a name means
check        whether every name means something
bases        the specs that a spec extends
load         file -> data -> models -> checks
lines        from places to lines
limits       how much of a spec may be expressions
settings     `--set` and keyword arguments, laid over a spec
suggestions  what to write instead of what is wrong
recovery     a spec without what is wrong in it, so that all findings come at once
"""

from archspec.language.blocks import Block
from archspec.language.library import Library
from archspec.language.load import find, load, parse_text, shipped
from archspec.language.spec import Spec

__all__ = ["Block", "Library", "Spec", "find", "load", "parse_text", "shipped"]
