"""Whole documents: a spec, and a block in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from archspec.ir.bodies import INPUT
from archspec.language.identifiers import CONSTRUCTOR_WORDS, MODULE_ATTRIBUTES
from archspec.language.library import BLOCK_CHANNELS
from archspec.language.spec import Bounds, Expect, Spec
from archspec.language.tensors import Outputs
from archspec.language.train import Train
from archspec.language.words import PARTS_OF_ALL, SCOPE
from archspec.ops import OPS
from archspec.reference import texts as reference
from archspec.resources import SPECS, ZOO
from archspec.schema import blocks, layers, starts
from archspec.schema.blocks import Written
from archspec.schema.ops import arguments, use
from archspec.schema.pieces import (
    COMBINATORS,
    NAME,
    PLACE,
    Schema,
    closed,
    described,
    doc,
    mapping,
    names,
    numbers,
    offered,
    properties_of,
    ref,
    when,
)
from archspec.schema.train import train
from archspec.source.reader import read

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def spec_schema(own_blocks: Written | None = None, own_specs: Iterable[str] = ()) -> Schema:
    """The schema of a spec.

    `own_blocks` are all blocks of its project that have files, `own_specs` the names of its specs.
    """
    known = {**blocks.shipped(), **(own_blocks or {})}
    own = {
        "name": ref("attribute"),
        "class": {"type": ["string", "null"], "pattern": "^[A-Z][A-Za-z0-9_]{0,59}$"},
        "doc": {"type": ["string", "null"], "maxLength": 4000},
        "args": mapping({"type": ["number", "boolean", "null"]}, ref("argument-name")),
        "defaults": _defaults(known),
        "stem": ref("section"),
        "stages": mapping(ref("stage"), ref("place")),
        "head": ref("section"),
        "outputs": _outputs(),
        "blocks": mapping(ref("block"), ref("block-name")),
        "names": mapping(ref("attribute"), {"enum": list(OPS)}),
        "init": ref("init"),
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
            *(blocks.as_declared(name, written) for name, written in known.items()),
            layers.torch_free_spec(known),
            *([] if own_blocks is None else blocks.known_blocks(known, _bases(own_specs))),
        ],
        "$defs": _definitions(known),
    }


def block_schema(own_blocks: Written | None = None) -> Schema:
    """The schema of a block in a file of its own, next to the others of its project."""
    return {
        "$schema": DRAFT,
        "title": "archspec block",
        **blocks.block(),
        "allOf": [blocks.whole(), layers.torch_free_block()],
        "$defs": _definitions({**blocks.shipped(), **(own_blocks or {})}),
    }


def text(schema: Schema) -> str:
    """A schema as the committed file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _specs() -> dict[str, str]:
    """The `doc` of each built-in spec, by name."""
    return {name: doc(data.get("doc")) for name, data in _shipped_specs().items()}


def _bases(own: Iterable[str]) -> list[str]:
    """The built-in specs without blocks of their own, except those that a project's spec hides."""
    specs, hidden = _shipped_specs(), {*own}

    def adds_none(name: str) -> bool:
        base = specs[name].get("extends")
        return name not in hidden and "blocks" not in specs[name] and (not base or adds_none(base))

    return [name for name in specs if adds_none(name)]


@cache
def _shipped_specs() -> Mapping[str, Mapping[str, Any]]:
    files = {path.stem: path for folder in (SPECS, ZOO) for path in folder.glob("*.yaml")}
    return {name: read(files[name]).data for name in sorted(files)}


def _definitions(known: Written) -> Schema:
    hidden, taken = sorted({*MODULE_ATTRIBUTES, "self", "x"}), [*SCOPE, *OPS, *COMBINATORS]
    return {
        "attribute": {"type": "string", "pattern": NAME, "not": {"enum": hidden}},
        "place": {"type": "string", "pattern": PLACE, "not": {"enum": hidden}},
        "layer-name": {
            "type": ["string", "null"],
            "if": {"type": "string", "pattern": "\\{"},
            "else": when("null", {}, ref("place")),
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
        "section": layers.section(),
        "stage": blocks.stage(),
        "run": blocks.run(known),
        "words": layers.words(known),
        "block": {**blocks.block(), "type": ["object", "null"]},
        "layers": when("array", {"items": ref("layer")}, ref("layer")),
        "named": when("array", {"items": ref("child")}, ref("layer")),
        "entry": {**ref("words"), **when("null", {}, ref("named"))},
        "child": layers.child(),
        "children": layers.children(),
        "layer": layers.layer(),
        "layer-map": layers.layer_map(known),
        "init": starts.init(),
        "starts": starts.starts(),
        "start": starts.start(),
        **starts.functions(),
        "torch-free": layers.torch_free(known),
        "body": {"type": "array", "items": ref("layer")},
        "branches": when(
            "object",
            {"additionalProperties": ref("named"), "propertyNames": ref("place")},
            {"type": "array", "items": ref("layers"), "minItems": 1, "maxItems": 64},
        ),
        "value": {
            "description": "A number, an expression, layers, or a list.",
            "type": ["number", "boolean", "string", "array", "object", "null"],
        },
        "call": when("object", {"additionalProperties": ref("value")}, numbers(BLOCK_CHANNELS)),
        **{f"op-{key}": arguments(op) for key, op in OPS.items()},
        **{f"block-{name}": blocks.block_call(written) for name, written in known.items()},
    }


def _defaults(known: Written) -> Schema:
    properties: dict[str, Schema] = {name: ref("entry") for name in PARTS_OF_ALL}
    properties |= {key: when("null", {}, use(op)) for key, op in OPS.items()}
    properties |= {name: when("null", {}, ref("call")) for name in known}
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
    """A list, or one list per mode."""
    modes = closed(dict.fromkeys(Outputs._fields, names("tensor")))
    return when("object", modes, names("tensor"))


def _whole() -> Schema:
    """The required keys of a spec without `extends`."""
    between = when("object", ref("named"), {})
    one = {"if": blocks.is_run(), "then": {"required": ["block"]}, "else": between}
    recipe = [key for key, field in Train.model_fields.items() if field.is_required()]
    return {
        "required": ["input"],
        "properties": {
            "stages": {"additionalProperties": one},
            "blocks": {"additionalProperties": blocks.whole()},
            "train": {"required": recipe},
        },
    }
