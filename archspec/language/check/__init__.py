"""Names: every layer, argument and expression of a spec, and of the blocks it uses.

What can be known without shapes is found here, all at once; sizes and shapes are the business
of `archspec.expand`.

network   sections, stages and defaults
references  what layers refer to
layers    layers, and what they give to blocks
lengths   lists in a stage
findings  where layers stand, what is reported there, and names in expressions
"""

from __future__ import annotations

from archspec.diagnostics import Diagnostic
from archspec.language.blocks import Block
from archspec.language.check.layers import Layers
from archspec.language.check.network import Network
from archspec.language.library import Library
from archspec.language.spec import Spec
from archspec.source.document import Document


def check(spec: Spec, library: Library) -> list[Diagnostic]:
    """Every name that means nothing, and every argument that does not fit.

    Raises `SpecError` where there are too many.
    """
    return Network(spec, library).check()


def check_block(name: str, block: Block, document: Document, library: Library) -> list[Diagnostic]:
    """The same for a block by itself, whoever uses it."""
    library.documents[name] = document
    layers = Layers(library)
    layers.wrong_name(name, document.file)
    layers.meet(name, block)
    layers.check_blocks()
    return layers.found
