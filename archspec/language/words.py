"""The words of the language that are no names of ops: combinators, modifiers, indices, parts."""

from __future__ import annotations

from archspec.ops import OPS

ONE_BODY = ("sequence", "residual", "scale")
BRANCHED = ("concat", "add", "split")
COMBINATORS = (*ONE_BODY, *BRANCHED)
ANYWHERE = ("name", "repeat", "when", "else", "init")
OF_SEQUENCE = ("numbered",)
OF_RESIDUAL = ("shortcut", "project", "before", "drop_path")
MODIFIERS = (*ANYWHERE, *OF_SEQUENCE, *OF_RESIDUAL)
HEADS = (*OPS, *COMBINATORS)

TURN = ("index", "repeat")  # which of how many, where something is repeated
INDICES = (*TURN, "stage", "block_index", "block_count")
FLOW = ("in_channels", "channels", "stride")
SCOPE = (*FLOW, *INDICES)  # what every expression in a block sees
PARTS_OF_ALL = ("norm", "act")
