"""A JSON Schema of specs and blocks, for editors: from the models, the ops and the blocks.

What a value may be depends on what it is (text, a list, a map with this head), so kinds are told
apart by if/then and not by `oneOf`: an editor then has one thing to say about a mistake. The
schema is wider than the linter where it cannot know better: of what a spec inherits, of a user's
own blocks, of names in expressions.

- pieces: what schemas are made of
- ops, layers, blocks, train: the parts of a spec
- documents: a spec and a block as a whole
"""

from __future__ import annotations

from archspec.schema.documents import block_schema, spec_schema, text

__all__ = ["block_schema", "spec_schema", "text"]
