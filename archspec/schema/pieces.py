"""The building blocks of schemas: small builders, and numbers within their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from archspec.ir import Field
from archspec.language.arguments import LARGEST_SIZE
from archspec.language.identifiers import MOST_PARTS
from archspec.language.tensors import MOST_NAMES
from archspec.language.words import BRANCHED, ONE_BODY, WITH_ARGUMENTS
from archspec.reference.texts import Text

Schema = dict[str, Any]

NAME = "^[A-Za-z][A-Za-z0-9_]{0,59}$"
PLACE = NAME.removesuffix("$") + rf"(\.[A-Za-z0-9][A-Za-z0-9_-]{{0,59}}){{0,{MOST_PARTS - 1}}}$"
NO_BOOLEAN = (
    "^(?!([Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$)"
)
MOST_SHOWN = 400
# Also not what Python reads as a number but YAML does not: `1_6`, `0b11`.
EXPRESSION = NO_BOOLEAN + "(?!(.*[^A-Za-z0-9_])?([0-9][A-Za-z0-9.]*_|0[bBOX]))"
COMBINATORS = (*ONE_BODY, *BRANCHED, *WITH_ARGUMENTS)


class _Generator(GenerateJsonSchema):
    """Pydantic's schema without defaults that are internal values: editors do not see them."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {
        "skipped-choice",
        "non-serializable-default",
    }


def ref(name: str) -> Schema:
    """The document's definition with this name."""
    return {"$ref": f"#/$defs/{name}"}


def mapping(values: Schema, names: Schema) -> Schema:
    """A mapping with any names; null removes it."""
    return {"type": ["object", "null"], "propertyNames": names, "additionalProperties": values}


def closed(properties: Mapping[str, Schema]) -> Schema:
    """A mapping with these keys and no others."""
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def when(kind: str, then: Schema, otherwise: Schema) -> Schema:
    """One schema for values of a kind, another for the rest."""
    return {"if": {"type": kind}, "then": then, "else": otherwise}


def filled(schema: Schema) -> Schema:
    """A schema of an existing value."""
    return {"not": {"type": "null"}, **schema}


def described(properties: Mapping[str, Schema], texts: Mapping[str, Text]) -> Any:
    """The same keys with their texts in the reference."""
    return {
        key: {"description": texts[key][0], **schema} if key in texts else dict(schema)
        for key, schema in properties.items()
    }


def properties_of(model: type[BaseModel], own: Mapping[str, Schema]) -> dict[str, Schema]:
    """The keys of a model. Pydantic's schema of a field is used unless `own` has one."""
    known = model.model_json_schema(schema_generator=_Generator)["properties"]
    properties = {key: own.get(key) or _plain(known[key]) for key in known}
    unsaid = [key for key, schema in properties.items() if not schema]
    assert not unsaid, f"{model.__name__}: missing in the schema: {unsaid}"
    return properties


def _plain(schema: Schema) -> Schema:
    """Pydantic's schema of a field without titles, and without `anyOf` for optional values."""
    schema = {key: value for key, value in schema.items() if key != "title"}
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    return {**kinds[0], **schema} if kinds else schema


def doc(text: str | None) -> str:
    """Documentation on one line, and no longer than an editor shows."""
    return shorten(text or "", MOST_SHOWN, placeholder=" ...")


def offered(words: Mapping[str, str]) -> Schema:
    """Words for completion, each with its documentation; other values are allowed."""
    return {"anyOf": [*({"const": w, "description": text} for w, text in words.items()), {}]}


def names(item: str = "tensor-name") -> Schema:
    """A list of names; null removes it."""
    return {"type": ["array", "null"], "items": ref(item), "minItems": 1, "maxItems": MOST_NAMES}


def number(how: Field) -> Schema:
    """A number or an expression, within the bounds of its kind; null removes it."""
    if how.kind == "choice":
        return {"enum": [*how.choices, None]}
    if how.kind == "flag":
        return {"type": ["boolean", "string", "null"], "pattern": NO_BOOLEAN}
    if how.kind == "real":
        limits = {"minimum": how.low, "maximum": how.high}
        kept = {key: value for key, value in limits.items() if value is not None}
        return {"type": ["number", "string", "null"], "pattern": EXPRESSION, **kept}
    low = max(int(how.low or 0), 1 if how.kind == "size" else 0)
    high = int(how.high or LARGEST_SIZE)
    bounds = {"minimum": low, "maximum": high}
    return {"type": ["integer", "string", "null"], "pattern": EXPRESSION, **bounds}


def numbers(how: Field) -> Schema:
    """The same, or a list of several."""
    one = number(how)
    return when("array", {"items": one, "minItems": 1}, one) if how.many else one
