"""The YAML as pydantic models, and how a file becomes them.

words        the words of the language: combinators, modifiers, indices
problems     findings of functions and of pydantic, with a path
model        base classes of the models
identifiers  names that are valid in generated source
arguments    numbers, expressions, arguments of ops
layers       an op, block, part, or combinator, with modifiers
names        fields for names and texts
stages       stages of blocks
blocks       a block, with its arguments and parts
widths       the channels of each block; they never shrink
train        the training recipe
spec         the spec
library      which block a name refers to
check        whether every name is defined
bases        the base specs of a spec
load         file -> data -> models -> checks
lines        from locations to lines
limits       how much of a spec may be expressions
settings     `--set` and keyword arguments, applied to a spec
suggestions  what to write instead of a mistake
recovery     a spec without its mistakes, so that all findings are reported at once
"""

from archspec.language.blocks import Block
from archspec.language.library import Library
from archspec.language.load import find, load, parse_text, shipped
from archspec.language.spec import Spec

__all__ = ["Block", "Library", "Spec", "find", "load", "parse_text", "shipped"]
