"""Words of the language other than names of ops: combinators, modifiers, indices, parts."""

from __future__ import annotations

from archspec.ops import OPS

ONE_BODY = ("sequence", "residual", "scale")
BRANCHED = ("concat", "add", "multiply", "split")
WITH_ARGUMENTS = ("slice", "interpolate", "share")  # and no layers of their own
COMBINATORS = (*ONE_BODY, *BRANCHED, *WITH_ARGUMENTS)
TENSOR = ""  # the type of an entry that is not a layer: `{from: a}`, `{save: a}`
OF_TENSORS = ("from", "save")
ANYWHERE = ("name", "repeat", "when", "else", "init", *OF_TENSORS)
OF_SEQUENCE = ("numbered",)
OF_RESIDUAL = ("shortcut", "project", "before", "drop_path")
OF_BRANCHES = {"along": "concat", "sizes": "split"}
MODIFIERS = (*ANYWHERE, *OF_SEQUENCE, *OF_RESIDUAL, *OF_BRANCHES)
HEADS = (*OPS, *COMBINATORS)

TURN = ("index", "repeat")  # the index and the count of a repeated block
COUNTED = ("stage", "block_index", "block_count")  # the same in the network
FROM_ZERO = ("index", "block_index")
INDICES = (*TURN, *COUNTED)
FLOW = ("in_channels", "channels", "stride")
SCOPE = (*FLOW, *INDICES)  # in scope in every expression of a block
PARTS_OF_ALL = ("norm", "act")
