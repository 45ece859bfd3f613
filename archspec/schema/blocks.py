"""Stages and blocks: the keys of a stage, the declarations of a block, and the built-in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from archspec import resources
from archspec.language.blocks import Block
from archspec.language.library import BLOCK_CHANNELS, BLOCK_STRIDE
from archspec.language.own import COUNT, TEXT as PLAIN
from archspec.language.stages import CHANNELS, REPEAT, RUN_KEYS, STRIDE, Run
from archspec.language.words import MODIFIERS, PARTS_OF_ALL
from archspec.ops import OPS
from archspec.reference import texts as reference
from archspec.reference.entries import as_yaml
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
    numbers,
    offered,
    properties_of,
    ref,
    when,
)
from archspec.source.reader import read

OF_RUNS_ALONE = [key for key in RUN_KEYS if key not in MODIFIERS]

DOTTED = r"^([A-Za-z]\w*\.)+[A-Z]\w*$"  # package, module, and class

Written = Mapping[str, Mapping[str, Any]]  # blocks as written, by name


def stage() -> Schema:
    """A stage of blocks; or layers between the stages, or changes of an inherited stage."""
    changed = when("object", {"additionalProperties": ref("value")}, ref("named"))
    return {"if": is_run(), "then": ref("run"), "else": when("null", {}, changed)}


def is_run() -> Schema:
    """A stage with any key of a stage; a layer may be repeated too."""
    said: list[Schema] = [{"required": [key]} for key in OF_RUNS_ALONE]
    heads = [{"required": [head]} for head in (*OPS, *COMBINATORS, *PARTS_OF_ALL, *shipped())]
    repeated = {"required": ["repeat"], "not": {"anyOf": heads}}
    return {"type": "object", "anyOf": [*said, repeated]}


def run(blocks: Written) -> Schema:
    """A repeated block, and its arguments."""
    named = {"type": "string", "pattern": NAME, **offered(docs(blocks))}
    own: dict[str, Schema] = {
        "block": {**offered(docs(blocks)), **when("array", {"items": named, "minItems": 1}, named)},
        "repeat": number(REPEAT),
        "channels": numbers(CHANNELS),
        "stride": numbers(STRIDE),
        "shrink": {"type": ["string", "null"], "maxLength": 500},
        "name": ref("layer-name"),
        "from": ref("tensor"),
        "save": ref("saved"),
    }
    properties = described(properties_of(Run, own), reference.STAGE_KEYS)
    return {
        "properties": properties,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": ref("value"),
    }


def whole() -> Schema:
    """A block has a body, or imports a class."""
    return {"anyOf": [{"required": ["body"]}, {"required": ["import", "like"]}]}


# A string argument of a constructor, as `language.own` reads it.
TEXT = {**closed({"text": {"type": "string", "pattern": f"^{PLAIN[:-2]}$"}}),
        "required": ["text"]}  # fmt: skip


def block() -> Schema:
    """The declarations of a block, and its body."""
    numbers = {"items": {"type": ["number", "boolean", "string"]}, "minItems": 1}
    one = {"type": ["number", "boolean", "string", "null"]}
    own: dict[str, Schema] = {
        "doc": {"type": "string", "maxLength": 4000},
        "class": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9_]{0,59}$"},
        "name": ref("layer-name"),
        "inputs": names(),
        "outputs": names(),
        "args": mapping(when("array", numbers, one), ref("argument-name")),
        "parts": mapping(ref("entry"), ref("argument-name")),
        "init": ref("init"),
        "body": ref("body"),
        "import": {"type": "string", "pattern": DOTTED},
        "call": mapping(when("object", TEXT, when("array", numbers, one)), {"pattern": NAME}),
        "like": ref("entry"),
        "params": number(COUNT),
        "macs": number(COUNT),
    }
    return closed(described(properties_of(Block, own), reference.BLOCK_KEYS))


@cache
def shipped() -> Written:
    """The built-in blocks as written, by name."""
    return {path.stem: read(path).data for path in sorted(resources.BLOCKS.glob("*.yaml"))}


def docs(blocks: Written) -> dict[str, str]:
    """The `doc` of each block, by name."""
    return {name: doc(written.get("doc")) for name, written in blocks.items()}


def block_call(written: Mapping[str, Any]) -> Schema:
    """The arguments and parts of a block that has a file."""
    properties: dict[str, Schema] = {
        "channels": numbers(BLOCK_CHANNELS),
        "stride": numbers(BLOCK_STRIDE),
        **{name: ref("entry") for name in PARTS_OF_ALL},
    }
    for name, default in written.get("args", {}).items():
        told = "Needed." if default == "required" else f"By default `{as_yaml(default)}`."
        properties[name] = {"description": told, **ref("value")}
    for name in written.get("parts", {}):
        properties[name] = {"description": "A part: layers, or `none`.", **ref("entry")}
    for name in written.get("inputs", ()):
        properties[name] = {"description": "The name of a tensor.", **ref("tensor")}
    return {"description": doc(written.get("doc")), "properties": properties}


def as_declared(name: str, written: Mapping[str, Any]) -> Schema:
    """The block with this name accepts what it declares, unless the spec has its own."""
    declared = [*block_call(written)["properties"]]
    used = {"properties": {"block": {"const": name}}, "required": ["block"]}
    call = ref(f"block-{name}")
    use = {name: when("object", {**call, "propertyNames": {"enum": declared}}, {})}
    layer = {"if": {"type": "object", "required": [name]}, "then": {"properties": use}}
    return {
        "if": {"not": _has("blocks", name)},
        "then": {
            "properties": {
                **dict.fromkeys(("stem", "head"), _section(layer)),
                "defaults": {"properties": use},
                "stages": {
                    "additionalProperties": {
                        "if": {"type": "object", **used},
                        "then": {
                            **call,
                            "propertyNames": {"enum": [*RUN_KEYS, *_without(declared, RUN_KEYS)]},
                        },
                    }
                },
            }
        },
    }


def known_blocks(blocks: Written, bases: Iterable[str]) -> list[Schema]:
    """Only these blocks can be used, if a spec can have no others.

    A spec that extends one of the `bases` has no others either, but a mapping among its `stages`
    may be
    a change of an inherited stage.
    """
    heads = [*OPS, *COMBINATORS, *PARTS_OF_ALL, *blocks]
    layer: Schema = {
        "if": {"type": "string"},
        "then": {"enum": [*heads, "none"]},
        "else": {"propertyNames": {"enum": [*heads, *MODIFIERS]}},
    }
    named = {"enum": [*blocks, None]}
    run = {"properties": {"block": when("array", {"items": named}, named)}}
    alone = {"not": {"anyOf": [{"required": ["blocks"]}, {"required": ["extends"]}]}}
    extends = {"required": ["extends"], "properties": {"extends": {"enum": [*bases]}}}
    return [
        _where(alone, layer, {"if": is_run(), "then": run, "else": _layers(layer)}),
        _where(
            {"not": {"required": ["blocks"]}, **extends}, layer, when("object", run, _layers(layer))
        ),
    ]


def _where(condition: Schema, layer: Schema, stage: Schema) -> Schema:
    """Layers and stages are as these schemas define, under a condition."""
    properties = {
        **dict.fromkeys(("stem", "head"), _section(layer)),
        "stages": {"additionalProperties": stage},
        "defaults": {"properties": dict.fromkeys(PARTS_OF_ALL, _layers(layer))},
    }
    return {"if": condition, "then": {"properties": properties}}


def _layers(layer: Schema) -> Schema:
    """A location that allows a layer or a list of layers."""
    return {"if": {"type": "array"}, "then": {"items": layer}, "else": layer}


def _section(layer: Schema) -> Schema:
    """The same for stem and head."""
    return {"items": layer, "additionalProperties": _layers(layer)}


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    return [name for name in names if name not in set(others)]


def _has(*path: str) -> Schema:
    first, *rest = path
    schema: Schema = {"type": "object", "required": [first]}
    return {**schema, "properties": {first: _has(*rest)}} if rest else schema
