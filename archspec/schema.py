"""A JSON Schema of specs and blocks, for editors: from the models, the ops and the blocks.

    python -m archspec.schema > docs/archspec.schema.json
    python -m archspec.schema block > docs/archspec-block.schema.json

What a value may be depends on what it is (text, a list, a map with this head), so kinds are told
apart by if/then and not by `oneOf`: an editor then has one thing to say about a mistake. The
schema is wider than the linter where it cannot know better: of what a spec inherits, of a user's
own blocks, of names in expressions.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from archspec import resources
from archspec.ir import Field, Op, OpField, fields_of
from archspec.ops import OPS
from archspec.reference import texts as reference
from archspec.source import read
from archspec.spec.arguments import LARGEST_SIZE, NEVER_WRITTEN
from archspec.spec.blocks import Block
from archspec.spec.identifiers import CONSTRUCTOR_WORDS, MODULE_ATTRIBUTES
from archspec.spec.layers import ANYWHERE, BRANCHED, OF_RESIDUAL, ONE_BODY, Modifiers
from archspec.spec.library import BLOCK_CHANNELS, BLOCK_STRIDE
from archspec.spec.models import Bounds, Expect, Spec
from archspec.spec.names import PARTS_OF_ALL, SCOPE
from archspec.spec.stages import CHANNELS, REPEAT, STRIDE, Run
from archspec.spec.train import Augment, Noise, RandAugment, Train
from archspec.spec.train.forms import AREA, CURVES, EPOCHS, STRENGTH, Step
from archspec.spec.train.values import takes

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NAME = "^[A-Za-z][A-Za-z0-9_]{0,59}$"
NO_BOOLEAN = (
    "^(?!([Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$)"
)
COMBINATORS = (*ONE_BODY, *BRANCHED)
RUN_KEYS = tuple(Run.model_fields)


class _Generator(GenerateJsonSchema):
    """Pydantic's, silent about defaults that are values of ours: editors are told none."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {
        "skipped-choice",
        "non-serializable-default",
    }


def spec_schema() -> Schema:
    """The schema of a spec."""
    own = {
        "name": _ref("attribute"),
        "class": {"type": ["string", "null"], "pattern": "^[A-Z][A-Za-z0-9_]{0,59}$"},
        "doc": {"type": ["string", "null"], "maxLength": 4000},
        "args": _map({"type": ["number", "boolean", "null"]}, _ref("argument-name")),
        "defaults": _defaults(),
        "stem": _ref("section"),
        "stages": _map(_ref("stage"), _ref("attribute")),
        "head": _ref("section"),
        "blocks": _map(_ref("block"), _ref("block-name")),
        "names": _map(_ref("attribute"), {"enum": list(OPS)}),
        "expect": _expect(),
        "train": _train(),
    }
    properties = _properties(Spec, own)
    properties["extends"] = {"type": "string", "pattern": NAME}
    properties["input"]["type"] = ["array", "null"]
    return {
        "$schema": DRAFT,
        "title": "archspec spec",
        **_closed(_described(properties, reference.SPEC_KEYS)),
        "required": ["name"],
        "if": {"required": ["extends"]},
        "else": _whole(),
        "allOf": [_as_shipped(name) for name in _shipped()],
        "$defs": _definitions(),
    }


def block_schema() -> Schema:
    """The schema of a block in a file of its own."""
    return {
        "$schema": DRAFT,
        "title": "archspec block",
        **_block(),
        "required": ["body"],
        "$defs": _definitions(),
    }


# Pieces -------------------------------------------------------------------------------


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _map(values: Schema, names: Schema) -> Schema:
    """A map of any names; null deletes it."""
    return {"type": ["object", "null"], "propertyNames": names, "additionalProperties": values}


def _closed(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _when(kind: str, then: Schema, otherwise: Schema) -> Schema:
    """One schema for values of a kind, another for the rest."""
    return {"if": {"type": kind}, "then": then, "else": otherwise}


def _described(properties: Mapping[str, Schema], texts: Mapping[str, reference.Text]) -> Any:
    return {
        key: {"description": texts[key][0], **schema} if key in texts else dict(schema)
        for key, schema in properties.items()
    }


def _properties(model: type[BaseModel], own: Mapping[str, Schema]) -> dict[str, Schema]:
    """The keys of a model. What pydantic knows of a field is taken; `own` says the rest."""
    known = model.model_json_schema(schema_generator=_Generator)["properties"]
    properties = {key: own.get(key) or _plain(known[key]) for key in known}
    unsaid = [key for key, schema in properties.items() if not schema]
    assert not unsaid, f"{model.__name__}: the schema does not say {unsaid}"
    return properties


def _plain(schema: Schema) -> Schema:
    """Pydantic's schema of a field without titles, and without `anyOf` for what may be null."""
    schema = {key: value for key, value in schema.items() if key != "title"}
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    return {**kinds[0], **schema} if kinds else schema


# Numbers ------------------------------------------------------------------------------


def _number(how: Field) -> Schema:
    """A number or an expression, within the bounds of its kind; null deletes it."""
    if how.kind == "choice":
        return {"enum": [*how.choices, None]}
    if how.kind == "flag":
        return {"type": ["boolean", "string", "null"], "pattern": NO_BOOLEAN}
    if how.kind == "real":
        bounds = {"minimum": how.low, "maximum": how.high}
        kept = {key: value for key, value in bounds.items() if value is not None}
        return {"type": ["number", "string", "null"], **kept}
    low = max(int(how.low or 0), 1 if how.kind == "size" else 0)
    high = int(how.high or LARGEST_SIZE)
    return {"type": ["integer", "string", "null"], "minimum": low, "maximum": high}


def _numbers(how: Field) -> Schema:
    """The same where a list says several."""
    one = _number(how)
    return _when("array", {"items": one, "minItems": 1}, one) if how.many else one


# Ops ----------------------------------------------------------------------------------


def _written(op: type[Op]) -> list[OpField]:
    return [f for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN]


def _arguments(op: type[Op]) -> Schema:
    """The arguments of an op as a map."""
    properties = {f.name: {**_told(op, f), **_numbers(f.how)} for f in _written(op)}
    return {"description": _doc(op.__doc__), **_closed(properties)}


def _told(op: type[Op], f: OpField) -> Schema:
    torch = op.torch.format(rank=2)
    default = f.how.ours or ("" if f.default is MISSING else _yaml(f.default))
    text = f"`{f.torch}` of `{torch}`."
    if default:
        text += f" By default `{default}`."
    told: Schema = {"description": text}
    if f.how.ours is None and isinstance(f.default, (bool, int, float, str)):
        told["default"] = f.default
    return told


def _yaml(value: Any) -> str:
    if value is None:
        return "kernel"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _use(op: type[Op]) -> Schema:
    """An op as the head of a layer: its arguments, or the first of them alone."""
    full = _ref(f"op-{op.key}")
    told = {"description": _doc(op.__doc__)}
    first = next((f for f in _written(op) if f.name == op.first), None)
    if first is None:
        return {**told, **full}
    return {**told, **_when("object", full, _filled(_numbers(first.how)))}


def _filled(schema: Schema) -> Schema:
    """A schema of a value that is there."""
    return {"not": {"type": "null"}, **schema}


def _doc(text: str | None) -> str:
    return " ".join((text or "").split())


# Layers -------------------------------------------------------------------------------


def _definitions() -> Schema:
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
        "block-name": {"type": "string", "pattern": NAME, "not": {"enum": [*taken, *hidden]}},
        "section": _section(),
        "stage": _stage(),
        "run": _run(),
        "block": {**_block(), "type": ["object", "null"]},
        "layers": _when("array", {"items": _ref("layer")}, _ref("layer")),
        "entry": _when("null", {}, _ref("layers")),
        "layer": _layer(),
        "layer-map": _layer_map(),
        "body": {"type": "array", "items": _ref("layer")},
        "branches": _when(
            "object",
            {"additionalProperties": _ref("layers"), "propertyNames": _ref("attribute")},
            {"type": "array", "items": _ref("layers"), "minItems": 1, "maxItems": 64},
        ),
        "value": {
            "description": "A number, an expression, layers, or a list.",
            "type": ["number", "boolean", "string", "array", "object", "null"],
        },
        "call": _when("object", {"additionalProperties": _ref("value")}, _number(BLOCK_CHANNELS)),
        **{f"op-{key}": _arguments(op) for key, op in OPS.items()},
        **{f"block-{name}": _shipped_call(block) for name, block in _shipped().items()},
    }


def _section() -> Schema:
    named = {
        "type": ["object", "string", "null"],
        "pattern": "^none$",
        "propertyNames": _ref("attribute"),
        "additionalProperties": _ref("entry"),
    }
    return _when("array", {"items": _ref("layer")}, named)


def _layer() -> Schema:
    heads = [*(key for key, op in OPS.items() if op.first is None), "norm", "act", *_shipped()]
    return {
        "type": ["string", "object"],
        "pattern": NAME,
        "examples": [*heads, "none"],
        "if": {"type": "object"},
        "then": _ref("layer-map"),
    }


def _layer_map() -> Schema:
    """A layer with arguments or modifiers: what is allowed beside a head depends on it."""
    properties: dict[str, Schema] = {key: _use(op) for key, op in OPS.items()}
    properties |= {key: _ref("body") for key in ONE_BODY}
    properties |= {key: _ref("branches") for key in BRANCHED}
    properties |= {name: _ref("call") for name in _shipped()}
    properties |= _modifiers()
    heads = [*OPS, *COMBINATORS, *_shipped()]
    return {
        "minProperties": 1,
        "properties": _described(properties, {**reference.COMBINATORS, **reference.MODIFIERS}),
        "propertyNames": {"pattern": NAME},
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
    return {"if": {"required": [head]}, "then": {"propertyNames": {"enum": [head, *allowed]}}}


def _beside_others(heads: Iterable[str]) -> Schema:
    """Beside a part or a user's own block."""
    known = {"anyOf": [{"required": [head]} for head in heads]}
    then = {
        "propertyNames": {"not": {"enum": [*OF_RESIDUAL]}},
        "properties": dict.fromkeys(ANYWHERE, True),
        "additionalProperties": _ref("call"),
    }
    return {"if": {"not": known}, "then": then}


def _modifiers() -> dict[str, Schema]:
    flag = _number(Field("flag"))
    own: dict[str, Schema] = {
        "name": _ref("attribute"),
        "when": flag,
        "else": _ref("layers"),
        "shortcut": _ref("layers"),
        "project": flag,
        "before": _ref("layers"),
        "drop_path": _number(Field("real", low=0, high=1)),
        "init": {"enum": ["zeros", None]},
    }
    return _properties(Modifiers, own)


# Stages and blocks --------------------------------------------------------------------


def _stage() -> Schema:
    """A run of blocks; or layers between the stages, or what changes of a stage inherited."""
    changed = _when("object", {"additionalProperties": _ref("value")}, _ref("layers"))
    return {"if": _is_run(), "then": _ref("run"), "else": _when("null", {}, changed)}


def _is_run() -> Schema:
    return {"type": "object", "anyOf": [{"required": [key]} for key in RUN_KEYS]}


def _run() -> Schema:
    block = {"type": "string", "pattern": NAME, "examples": list(_shipped())}
    own: dict[str, Schema] = {
        "block": _when("array", {"items": block, "minItems": 1}, block),
        "repeat": _number(REPEAT),
        "channels": _numbers(CHANNELS),
        "stride": _numbers(STRIDE),
        "shrink": {"type": ["string", "null"], "maxLength": 500},
    }
    properties = _described(_properties(Run, own), reference.STAGE_KEYS)
    return {
        "properties": properties,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": _ref("value"),
    }


def _block() -> Schema:
    own: dict[str, Schema] = {
        "doc": {"type": "string", "maxLength": 4000},
        "class": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9_]{0,59}$"},
        "name": _ref("attribute"),
        "args": _map({"type": ["number", "boolean", "string", "null"]}, _ref("argument-name")),
        "parts": _map(_ref("entry"), _ref("argument-name")),
        "body": _ref("body"),
    }
    return _closed(_described(_properties(Block, own), reference.BLOCK_KEYS))


@cache
def _shipped() -> dict[str, Any]:
    """The built-in blocks as they are written, by name."""
    return {path.stem: read(path) for path in sorted(resources.BLOCKS.glob("*.yaml"))}


def _shipped_call(block: Mapping[str, Any]) -> Schema:
    """What one gives a built-in block."""
    properties: dict[str, Schema] = {
        "channels": _numbers(BLOCK_CHANNELS),
        "stride": _numbers(BLOCK_STRIDE),
        **{name: _ref("entry") for name in PARTS_OF_ALL},
    }
    for name, default in block.get("args", {}).items():
        told = "Needed." if default == "required" else f"By default `{_yaml(default)}`."
        properties[name] = {"description": told, **_ref("value")}
    for name in block.get("parts", {}):
        properties[name] = {"description": "A part: layers, or `none`.", **_ref("entry")}
    return {"description": _doc(block.get("doc")), "properties": properties}


def _as_shipped(name: str) -> Schema:
    """The built-in block of this name takes what it declares, unless the spec has its own."""
    declared = [*_shipped_call(_shipped()[name])["properties"]]
    used = {"properties": {"block": {"const": name}}, "required": ["block"]}
    ref = _ref(f"block-{name}")
    return {
        "if": {"not": _has("blocks", name)},
        "then": {
            "properties": {
                "defaults": {
                    "properties": {
                        name: _when("object", {**ref, "propertyNames": {"enum": declared}}, {})
                    }
                },
                "stages": {
                    "additionalProperties": {
                        "if": {"type": "object", **used},
                        "then": {
                            **ref,
                            "propertyNames": {"enum": [*RUN_KEYS, *_without(declared, RUN_KEYS)]},
                        },
                    }
                },
            }
        },
    }


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    return [name for name in names if name not in set(others)]


def _has(*path: str) -> Schema:
    first, *rest = path
    schema: Schema = {"type": "object", "required": [first]}
    return {**schema, "properties": {first: _has(*rest)}} if rest else schema


# The spec -----------------------------------------------------------------------------


def _defaults() -> Schema:
    properties: dict[str, Schema] = {name: _ref("entry") for name in PARTS_OF_ALL}
    properties |= {key: _when("null", {}, _use(op)) for key, op in OPS.items()}
    properties |= {name: _when("null", {}, _ref("call")) for name in _shipped()}
    return {
        "type": ["object", "null"],
        "properties": properties,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": _when("null", {}, _ref("call")),
    }


def _expect() -> Schema:
    bounds = _closed(_properties(Bounds, {}))
    exact = {"type": "integer", "minimum": 0}
    own = {key: _when("object", bounds, exact) for key in ("params", "macs", "depth")}
    return {**_closed(_properties(Expect, own)), "type": ["object", "null"]}


def _train() -> Schema:
    """The recipe. Which keys go together is the linter's business."""
    shares = {"items": _filled(AREA.schema()), "minItems": 2, "maxItems": 2}
    epochs = {"items": _filled(EPOCHS.schema()), "minItems": 1, "maxItems": 100}
    strength = takes(RandAugment, "magnitude").schema()
    augment = {
        "resized_crop": {"type": ["array", "null"], **shares},
        "rand_augment": _when("object", _form(RandAugment), strength),
    }
    step = _form(Step, {"at": {"type": ["array", "null"], **epochs}})
    own = {
        "schedule": _when("object", _closed({"step": step}), {"enum": [*CURVES, None]}),
        "noise": _when("object", _form(Noise), STRENGTH.schema()),
        "augment": _form(Augment, augment),
    }
    texts = {key: (text, "") for key, text in reference.TRAIN_KEYS.items()}
    properties = _described(_form(Train, own)["properties"], texts)
    return {**_closed(properties), "type": ["object", "null"]}


def _form(model: type[BaseModel], own: Mapping[str, Schema] = MappingProxyType({})) -> Schema:
    """A part of the recipe; what is off by default has no default that one could write."""
    properties = _properties(model, own)
    for schema in properties.values():
        if schema.get("default") in (None, 0) and schema.get("type") != ["boolean", "null"]:
            schema.pop("default", None)
    return {**_closed(properties), "type": ["object", "null"]}


def _whole() -> Schema:
    """What a spec needs that extends no other."""
    between = _when("object", _ref("layers"), {})
    stage = {"if": _is_run(), "then": {"required": ["block"]}, "else": between}
    recipe = [key for key, field in Train.model_fields.items() if field.is_required()]
    return {
        "required": ["input"],
        "properties": {
            "stages": {"additionalProperties": stage},
            "blocks": {"additionalProperties": {"required": ["body"]}},
            "train": {"required": recipe},
        },
    }


def text(schema: Schema) -> str:
    """A schema as the file that is committed."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text(block_schema() if sys.argv[1:] == ["block"] else spec_schema()))
