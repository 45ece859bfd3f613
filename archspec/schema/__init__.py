"""A JSON Schema of specs and blocks, for editors: from the models, the ops, and the blocks.

The schema of a value depends on its kind (a string, a list, a mapping with this layer type). Kinds
are distinguished by if/then instead of `oneOf`, so that an editor reports one problem per mistake.
The schema accepts more than the linter where it cannot know: inherited values, a user's own blocks,
and names in expressions.

- pieces: the building blocks of schemas
- ops, layers, blocks, train: the parts of a spec
- documents: a spec and a block as a whole
"""

from __future__ import annotations

from archspec.schema.documents import block_schema, spec_schema, text

__all__ = ["block_schema", "spec_schema", "text"]
