"""The words of the language that are no names of ops: combinators, modifiers, indices, parts."""

from __future__ import annotations

from archspec.ops import OPS

ONE_BODY = ("sequence", "residual", "scale")
BRANCHED = ("concat", "add", "multiply", "split")
WITH_ARGUMENTS = ("slice", "interpolate", "share")  # and no layers of their own
COMBINATORS = (*ONE_BODY, *BRANCHED, *WITH_ARGUMENTS)
TENSOR = ""  # the head of a map that is no layer: `{from: a}`, `{save: a}`
OF_TENSORS = ("from", "save")
ANYWHERE = ("name", "repeat", "when", "else", "init", *OF_TENSORS)
OF_SEQUENCE = ("numbered",)
OF_RESIDUAL = ("shortcut", "project", "before", "drop_path")
OF_BRANCHES = {"along": "concat", "sizes": "split"}
MODIFIERS = (*ANYWHERE, *OF_SEQUENCE, *OF_RESIDUAL, *OF_BRANCHES)
HEADS = (*OPS, *COMBINATORS)

TURN = ("index", "repeat")  # which of how many, where something is repeated
COUNTED = ("stage", "block_index", "block_count")  # which of the network's
INDICES = (*TURN, *COUNTED)
FLOW = ("in_channels", "channels", "stride")
SCOPE = (*FLOW, *INDICES)  # what every expression in a block sees
PARTS_OF_ALL = ("norm", "act")
