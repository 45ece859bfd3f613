"""The recipe: the `train` section."""

from __future__ import annotations

from archspec.language.train import Train
from archspec.schema.pieces import Schema, closed, when


def train() -> Schema:
    """The recipe. The linter checks which keys can be combined."""
    whole = Train.model_json_schema()
    return _nullable(_plain(whole, whole["$defs"]))


def _plain(schema: Schema, models: Schema) -> Schema:
    """Pydantic's schema in a form that works well in editors: models where they are used, kinds
    distinguished by `if`, and no default that only means "off".
    """
    if "$ref" in schema:
        model = models[schema["$ref"].rpartition("/")[2]]
        return _described(schema, _plain(model, models))
    if "anyOf" in schema:
        kinds = [_plain(kind, models) for kind in schema["anyOf"] if kind != {"type": "null"}]
        kinds.sort(key=lambda kind: kind.get("type") != "object")
        return _described(schema, kinds[0] if len(kinds) == 1 else when("object", *kinds))
    if schema.get("type") == "object":
        if "properties" not in schema:  # any keys
            value = _nullable(_plain(schema["additionalProperties"], models))
            return _described(schema, {"type": "object", "additionalProperties": value})
        properties = schema["properties"].items()
        return closed({key: _nullable(_plain(value, models)) for key, value in properties})
    dropped = (
        ["title"]
        if schema.get("default") or schema.get("default") is False
        else ["title", "default"]
    )
    return _described(schema, {k: v for k, v in schema.items() if k not in dropped})


def _described(schema: Schema, plain: Schema) -> Schema:
    text = schema.get("description")
    return {"description": text, **plain} if text else plain


def _nullable(schema: Schema) -> Schema:
    """The same for a key of a spec, where null removes an inherited key."""
    if "if" in schema:
        return {**schema, "else": _nullable(schema["else"])}
    if "enum" in schema:
        kept = {key: value for key, value in schema.items() if key != "type"}
        return {**kept, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}
