"""Layers: a word, or a mapping whose layer type determines its modifiers."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.ir import Field
from archspec.ir.ops import DIMENSIONS
from archspec.language.identifiers import CHILD
from archspec.language.interpolation import HOW, LIKE
from archspec.language.layers import REPEAT, Modifiers
from archspec.language.tensors import OF_SLICE, SIZE
from archspec.language.words import (
    ANYWHERE,
    BRANCHED,
    OF_BRANCHES,
    OF_RESIDUAL,
    OF_SEQUENCE,
    ONE_BODY,
    PARTS_OF_ALL,
)
from archspec.ops import OPS
from archspec.reference import texts as reference
from archspec.schema.blocks import Written, docs, is_run
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

# No layer has the name of torch's class, `Conv2d`, unless a block has it.
TORCH = sorted({op.torch.format(rank=rank) for op in OPS.values() for rank in (1, 2, 3)})
CHILD_NAME = "^" + CHILD.pattern.replace(r"\Z", "$")
PARTS = {name: reference.WORDS[name].text for name in PARTS_OF_ALL}
SAYS_OTHERWISE = "torch's name; archspec's names are in lower case, such as `conv` and `batch_norm`"


def section() -> Schema:
    """`stem` and `head`: layers, or entries with names of their own."""
    named = {
        "type": ["object", "string", "null"],
        "pattern": "^none$",
        "propertyNames": ref("place"),
        "additionalProperties": ref("entry"),
    }
    return when("array", {"items": ref("layer")}, named)


def child() -> Schema:
    """A child of a sequence: a layer, a stage, or a list of children, which is also a sequence."""
    one = {"if": is_run(), "then": ref("run"), "else": ref("layer")}
    return when("array", {"items": ref("child")}, when("null", {}, one))


def children() -> Schema:
    """The children of a sequence: a list, or a mapping by name."""
    named = {"propertyNames": {"pattern": CHILD_NAME}, "additionalProperties": ref("child")}
    return when("object", named, {"type": "array", "items": ref("child")})


def words(blocks: Written) -> Schema:
    """The layers that need no arguments, for completion."""
    ops = {key: doc(op.__doc__) for key, op in OPS.items() if op.first is None}
    return offered({**ops, **PARTS, **docs(blocks), "none": reference.WORDS["none"].text})


def layer() -> Schema:
    """The name of a layer alone, or a mapping."""
    return {
        "type": ["string", "object"],
        "pattern": NAME,
        **ref("words"),
        "if": {"type": "object"},
        "then": ref("layer-map"),
    }


def layer_map(blocks: Written) -> Schema:
    """A layer with arguments or modifiers: the allowed modifiers depend on its type."""
    properties: dict[str, Schema] = {key: use(op) for key, op in OPS.items()}
    properties |= {key: ref("body") for key in ONE_BODY}
    properties["sequence"] = ref("children")
    properties |= {key: ref("branches") for key in BRANCHED}
    sliced = closed({key: number(how) for key, how in OF_SLICE.items()})
    properties["slice"] = when("object", {**sliced, "required": ["channels"]}, number(SIZE))
    resized = closed({LIKE: ref("tensor"), **{key: number(how) for key, how in HOW.items()}})
    properties["interpolate"] = when("object", {**resized, "required": [LIKE]}, ref("tensor"))
    properties["share"] = {"if": {"type": "string", "pattern": "\\{"}, "else": ref("place")}
    called = {**docs(blocks), **PARTS}
    properties |= {name: {"description": text, **ref("call")} for name, text in called.items()}
    properties |= _modifiers()
    heads = [*OPS, *COMBINATORS, *blocks]
    return {
        "minProperties": 1,
        "properties": described(properties, {**reference.COMBINATORS, **reference.MODIFIERS}),
        "propertyNames": {"pattern": NAME},
        "dependentRequired": {"else": ["when"]},
        "allOf": [*(_beside(head) for head in heads), _beside_others(heads)],
    }


def torch_free(blocks: Written) -> Schema:
    """Layers, including inner ones, none of which has torch's name."""
    named = _not_torch(blocks)
    here = ref("torch-free")
    names = {"additionalProperties": here}
    properties: dict[str, Schema | bool] = {"name": True, "block": True}
    properties |= dict.fromkeys((*BRANCHED, "sequence"), when("object", names, here))
    layer = {"propertyNames": named, "properties": properties, "additionalProperties": here}
    return when("array", {"items": here}, when("object", layer, named))


def torch_free_spec(blocks: Written) -> Schema:
    """A spec without torch's names, unless one is that of its own block."""
    here, names = ref("torch-free"), {"additionalProperties": ref("torch-free")}
    section = when("object", names, here)
    properties = {**dict.fromkeys(("stem", "head"), section), "stages": names, "defaults": names}
    properties["blocks"] = {"additionalProperties": torch_free_block()}
    own = {"properties": {"blocks": {"propertyNames": _not_torch(blocks)}}}
    return {"if": own, "then": {"properties": properties}}


def torch_free_block() -> Schema:
    """A block without torch's names."""
    here = ref("torch-free")
    return {"properties": {"body": here, "parts": {"additionalProperties": here}}}


def _not_torch(blocks: Written) -> Schema:
    names = "|".join(name for name in TORCH if name not in blocks)
    return {"pattern": f"^(?!({names})$)", "patternErrorMessage": f"not a layer: {SAYS_OTHERWISE}"}


def _beside(head: str) -> Schema:
    """The modifiers of a known layer type."""
    allowed = [key for key in ANYWHERE if key != "name" or head == "sequence"]
    if head not in COMBINATORS:
        allowed = list(ANYWHERE)
    if head == "residual":
        allowed += OF_RESIDUAL
    if head == "sequence":
        allowed += OF_SEQUENCE
    allowed += [key for key, other in OF_BRANCHES.items() if other == head]
    return {"if": {"required": [head]}, "then": {"propertyNames": {"enum": [head, *allowed]}}}


def _beside_others(heads: Iterable[str]) -> Schema:
    """The modifiers of a part or a user's own block."""
    known = {"anyOf": [{"required": [head]} for head in heads]}
    then = {
        "propertyNames": {"not": {"enum": [*OF_RESIDUAL, *OF_SEQUENCE, *OF_BRANCHES]}},
        "properties": dict.fromkeys(ANYWHERE, True),
        "additionalProperties": ref("call"),
    }
    return {"if": {"not": known}, "then": then}


def _modifiers() -> dict[str, Schema]:
    flag = number(Field("flag"))
    own: dict[str, Schema] = {
        "name": ref("layer-name"),
        "repeat": number(REPEAT),
        "when": flag,
        "else": ref("layers"),
        "shortcut": ref("layers"),
        "project": flag,
        "before": ref("layers"),
        "drop_path": number(Field("real", low=0, high=1)),
        "init": ref("starts"),
        "from": ref("tensor"),
        "save": ref("saved"),
        "along": {"enum": [*DIMENSIONS, None]},
        "sizes": {"type": ["array", "null"], "items": number(SIZE), "minItems": 1},
    }
    return properties_of(Modifiers, own)
