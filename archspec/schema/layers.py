"""Layers: a word, or a map whose head says what may stand beside it."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.ir import Field
from archspec.language.layers import Modifiers
from archspec.language.tensors import DIMENSIONS, OF_SLICE, SIZE
from archspec.language.words import (
    ANYWHERE,
    BRANCHED,
    OF_BRANCHES,
    OF_RESIDUAL,
    ONE_BODY,
    PARTS_OF_ALL,
    SLICE,
)
from archspec.ops import OPS
from archspec.reference import texts as reference
from archspec.schema.blocks import Written, docs
from archspec.schema.ops import use
from archspec.schema.pieces import (
    COMBINATORS,
    NAME,
    Schema,
    closed,
    described,
    doc,
    number,
    offered,
    properties_of,
    ref,
    when,
)

# No layer is called as torch calls its class: `conv`, not `Conv2d`.
TORCH = sorted({op.torch.format(rank=rank) for op in OPS.values() for rank in (1, 2, 3)})
NOT_TORCH = f"^(?!({'|'.join(TORCH)})$){NAME.removeprefix('^')}"
PARTS = {name: f"The network's `{name}`, as `defaults` says." for name in PARTS_OF_ALL}
SAYS_OTHERWISE = "torch's name; archspec's are in small letters, such as `conv` and `batch_norm`"


def section() -> Schema:
    """`stem` and `head`: layers, or entries with names of their own."""
    named = {
        "type": ["object", "string", "null"],
        "pattern": "^none$",
        "propertyNames": ref("attribute"),
        "additionalProperties": ref("entry"),
    }
    return when("array", {"items": ref("layer")}, named)


def words(blocks: Written) -> Schema:
    """The layers that need no arguments, for an editor to offer."""
    ops = {key: doc(op.__doc__) for key, op in OPS.items() if op.first is None}
    return offered({**ops, **PARTS, **docs(blocks), "none": "No layer."})


def layer() -> Schema:
    """The name of a layer alone, or a map."""
    return {
        "type": ["string", "object"],
        "pattern": NOT_TORCH,
        "patternErrorMessage": f"not a layer: {SAYS_OTHERWISE}",
        **ref("words"),
        "if": {"type": "object"},
        "then": ref("layer-map"),
    }


def layer_map(blocks: Written) -> Schema:
    """A layer with arguments or modifiers: what is allowed beside a head depends on it."""
    properties: dict[str, Schema] = {key: use(op) for key, op in OPS.items()}
    properties |= {key: ref("body") for key in ONE_BODY}
    properties |= {key: ref("branches") for key in BRANCHED}
    sliced = closed({key: number(how) for key, how in OF_SLICE.items()})
    properties[SLICE] = when("object", {**sliced, "required": ["channels"]}, number(SIZE))
    called = {**docs(blocks), **PARTS}
    properties |= {name: {"description": text, **ref("call")} for name, text in called.items()}
    properties |= _modifiers()
    heads = [*OPS, *COMBINATORS, *blocks]
    return {
        "minProperties": 1,
        "properties": described(properties, {**reference.COMBINATORS, **reference.MODIFIERS}),
        "propertyNames": {"pattern": NOT_TORCH, "patternErrorMessage": SAYS_OTHERWISE},
        "dependentRequired": {"else": ["when"]},
        "allOf": [*(_beside(head) for head in heads), _beside_others(heads)],
    }


def _beside(head: str) -> Schema:
    """What may stand beside a head that is known."""
    allowed = [key for key in ANYWHERE if key != "name" or head == "sequence"]
    if head not in COMBINATORS:
        allowed = list(ANYWHERE)
    if head == "residual":
        allowed += OF_RESIDUAL
    allowed += [key for key, other in OF_BRANCHES.items() if other == head]
    return {"if": {"required": [head]}, "then": {"propertyNames": {"enum": [head, *allowed]}}}


def _beside_others(heads: Iterable[str]) -> Schema:
    """Beside a part or a user's own block."""
    known = {"anyOf": [{"required": [head]} for head in heads]}
    then = {
        "propertyNames": {"not": {"enum": [*OF_RESIDUAL, *OF_BRANCHES]}},
        "properties": dict.fromkeys(ANYWHERE, True),
        "additionalProperties": ref("call"),
    }
    return {"if": {"not": known}, "then": then}


def _modifiers() -> dict[str, Schema]:
    flag = number(Field("flag"))
    own: dict[str, Schema] = {
        "name": ref("attribute"),
        "when": flag,
        "else": ref("layers"),
        "shortcut": ref("layers"),
        "project": flag,
        "before": ref("layers"),
        "drop_path": number(Field("real", low=0, high=1)),
        "init": {"enum": ["zeros", None]},
        "from": ref("tensor"),
        "save": ref("saved"),
        "along": {"enum": [*DIMENSIONS, None]},
        "sizes": {"type": ["array", "null"], "items": number(SIZE), "minItems": 1},
    }
    return properties_of(Modifiers, own)
