"""Whole documents: a spec, and a block in a file of its own."""

from __future__ import annotations

import json
from functools import cache

from archspec.language.identifiers import CONSTRUCTOR_WORDS, MODULE_ATTRIBUTES
from archspec.language.library import BLOCK_CHANNELS
from archspec.language.spec import Bounds, Expect, Spec
from archspec.language.tensors import INPUT, Outputs
from archspec.language.train import Train
from archspec.language.words import PARTS_OF_ALL, SCOPE
from archspec.ops import OPS
from archspec.reference import texts as reference
from archspec.resources import SPECS, ZOO
from archspec.schema.blocks import (
    Written,
    as_declared,
    block,
    block_call,
    is_run,
    known_blocks,
    run,
    shipped,
    stage,
)
from archspec.schema.layers import layer, layer_map, section, words
from archspec.schema.ops import arguments, use
from archspec.schema.pieces import (
    COMBINATORS,
    NAME,
    Schema,
    closed,
    described,
    doc,
    mapping,
    names,
    number,
    offered,
    properties_of,
    ref,
    when,
)
from archspec.schema.train import train
from archspec.source.reader import read

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def spec_schema(own_blocks: Written | None = None) -> Schema:
    """The schema of a spec; `own_blocks` are all blocks of its project that have files."""
    blocks = {**shipped(), **(own_blocks or {})}
    own = {
        "name": ref("attribute"),
        "class": {"type": ["string", "null"], "pattern": "^[A-Z][A-Za-z0-9_]{0,59}$"},
        "doc": {"type": ["string", "null"], "maxLength": 4000},
        "args": mapping({"type": ["number", "boolean", "null"]}, ref("argument-name")),
        "defaults": _defaults(blocks),
        "stem": ref("section"),
        "stages": mapping(ref("stage"), ref("attribute")),
        "head": ref("section"),
        "outputs": _outputs(),
        "blocks": mapping(ref("block"), ref("block-name")),
        "names": mapping(ref("attribute"), {"enum": list(OPS)}),
        "expect": _expect(),
        "train": train(),
    }
    properties = properties_of(Spec, own)
    properties["extends"] = {"type": "string", "pattern": NAME, **offered(_specs())}
    properties["input"]["type"] = ["array", "null"]
    return {
        "$schema": DRAFT,
        "title": "archspec spec",
        **closed(described(properties, reference.SPEC_KEYS)),
        "required": ["name"],
        "if": {"required": ["extends"]},
        "else": _whole(),
        "allOf": [
            *(as_declared(name, written) for name, written in blocks.items()),
            *([] if own_blocks is None else [known_blocks(blocks)]),
        ],
        "$defs": _definitions(blocks),
    }


def block_schema(own_blocks: Written | None = None) -> Schema:
    """The schema of a block in a file of its own, beside the others of its project."""
    return {
        "$schema": DRAFT,
        "title": "archspec block",
        **block(),
        "required": ["body"],
        "$defs": _definitions({**shipped(), **(own_blocks or {})}),
    }


def text(schema: Schema) -> str:
    """A schema as the file that is committed."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


@cache
def _specs() -> dict[str, str]:
    """What each shipped spec says of itself, by name."""
    files = {path.stem: path for folder in (SPECS, ZOO) for path in folder.glob("*.yaml")}
    return {name: doc(read(files[name]).data.get("doc")) for name in sorted(files)}


def _definitions(blocks: Written) -> Schema:
    hidden, taken = sorted({*MODULE_ATTRIBUTES, "self", "x"}), [*SCOPE, *OPS, *COMBINATORS]
    return {
        "attribute": {
            "type": "string",
            "pattern": NAME,
            "not": {"enum": hidden},
        },
        "argument-name": {
            "type": "string",
            "pattern": "^[a-z][A-Za-z0-9_]{0,59}$",
            "not": {"enum": [*taken, *sorted(CONSTRUCTOR_WORDS)]},
        },
        "tensor": {"type": ["string", "null"]},
        "tensor-name": {
            "type": "string",
            "pattern": "^[a-z][A-Za-z0-9_]{0,59}$",
            "not": {"enum": sorted({*CONSTRUCTOR_WORDS, *hidden, INPUT} - {"x"})},
        },
        "saved": when("string", ref("tensor-name"), names()),
        "block-name": {"type": "string", "pattern": NAME, "not": {"enum": [*taken, *hidden]}},
        "section": section(),
        "stage": stage(),
        "run": run(blocks),
        "words": words(blocks),
        "block": {**block(), "type": ["object", "null"]},
        "layers": when("array", {"items": ref("layer")}, ref("layer")),
        "entry": {**ref("words"), **when("null", {}, ref("layers"))},
        "layer": layer(),
        "layer-map": layer_map(blocks),
        "body": {"type": "array", "items": ref("layer")},
        "branches": when(
            "object",
            {"additionalProperties": ref("layers"), "propertyNames": ref("attribute")},
            {"type": "array", "items": ref("layers"), "minItems": 1, "maxItems": 64},
        ),
        "value": {
            "description": "A number, an expression, layers, or a list.",
            "type": ["number", "boolean", "string", "array", "object", "null"],
        },
        "call": when("object", {"additionalProperties": ref("value")}, number(BLOCK_CHANNELS)),
        **{f"op-{key}": arguments(op) for key, op in OPS.items()},
        **{f"block-{name}": block_call(written) for name, written in blocks.items()},
    }


def _defaults(blocks: Written) -> Schema:
    properties: dict[str, Schema] = {name: ref("entry") for name in PARTS_OF_ALL}
    properties |= {key: when("null", {}, use(op)) for key, op in OPS.items()}
    properties |= {name: when("null", {}, ref("call")) for name in blocks}
    return {
        "type": ["object", "null"],
        "properties": properties,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": when("null", {}, ref("call")),
    }


def _expect() -> Schema:
    bounds = closed(properties_of(Bounds, {}))
    exact = {"type": "integer", "minimum": 0}
    own = {key: when("object", bounds, exact) for key in ("params", "macs", "depth")}
    return {**closed(properties_of(Expect, own)), "type": ["object", "null"]}


def _outputs() -> Schema:
    """A list, or one for each mode."""
    modes = closed(dict.fromkeys(Outputs._fields, names("tensor")))
    return when("object", modes, names("tensor"))


def _whole() -> Schema:
    """What a spec needs that extends no other."""
    between = when("object", ref("layers"), {})
    one = {"if": is_run(), "then": {"required": ["block"]}, "else": between}
    recipe = [key for key, field in Train.model_fields.items() if field.is_required()]
    return {
        "required": ["input"],
        "properties": {
            "stages": {"additionalProperties": one},
            "blocks": {"additionalProperties": {"required": ["body"]}},
            "train": {"required": recipe},
        },
    }
