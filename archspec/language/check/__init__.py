"""Names: every layer, argument and expression of a spec, and of the blocks it uses.

What can be known without shapes is found here, all at once; sizes and shapes are the business
of lowering.

network      sections, stages and defaults
layers       layers, and what they give to blocks
expressions  names in expressions
lengths      lists in a stage
findings     where layers stand, and what is told there
unknown      what to write instead of what means nothing; imported where something does
"""

from __future__ import annotations

from archspec.diagnostics import Diagnostic
from archspec.language.blocks import Block
from archspec.language.check.layers import Layers
from archspec.language.check.network import Network
from archspec.language.library import Library
from archspec.language.models import Spec
from archspec.source import locate


def check(spec: Spec) -> list[Diagnostic]:
    """Every name that means nothing, and every argument that does not fit.

    Raises `SpecError` where there are too many.
    """
    return Network(spec).check()


def check_block(name: str, block: Block, library: Library) -> list[Diagnostic]:
    """The same for a block by itself, whoever uses it."""
    layers = Layers(library)
    top = locate(block.raw, ())
    layers.wrong_name(name, top.file if top else "")
    layers.check_block(name, block)
    return layers.found
