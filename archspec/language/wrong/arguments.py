"""Arguments that an op does not take, told all at once by a pydantic model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, create_model

from archspec.diagnostics import did_you_mean, instead
from archspec.ir import Op, OpField, fields_of
from archspec.language.arguments import NEVER_WRITTEN, value_of
from archspec.language.problems import Collector, Problems, problems_of, to_pydantic


def told(op: type[Op], given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises `Problems` with everything that is wrong; what the model takes is right."""
    model = model_of(op)
    try:
        valid = model.model_validate(dict(given))
        return {name: getattr(valid, name) for name in given}
    except ValidationError as error:
        problems = problems_of(error, model.model_fields)
    found = Collector()
    for problem in problems:
        if problem.rule == "unknown-key" and len(problem.path) == 1:
            hint = unknown_argument(op, str(problem.path[0]))
            message = f"`{op.key}` has no argument `{problem.path[0]}`"
            found.add("unknown-key", message, hint, *problem.path, key=True)
        else:
            found.keep([problem])
    found.finish()
    raise AssertionError(problems)


def unknown_argument(op: type[Op], wrong: str) -> str:
    """What to write instead of an argument that the op does not have."""
    for f in fields_of(op):
        if wrong == f.torch and f.name != f.torch and f.how.kind not in NEVER_WRITTEN:
            return instead(f"write `{f.name}`", wrong, f.name)
        arrives = f.how.kind == "arrives"
        if arrives and wrong in (f.torch, "channels", "in_channels", "features"):
            return "what arrives is known and never written"
    written = [f.name for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN]
    if not written:
        return f"`{op.key}` has no arguments: write `{op.key}` alone"
    return did_you_mean(wrong, written, "it has")


_MODELS: dict[str, type[BaseModel]] = {}


def model_of(op: type[Op]) -> type[BaseModel]:
    """The pydantic model of an op's arguments, made on first use."""
    if op.key not in _MODELS:
        _MODELS[op.key] = _model(op)
    return _MODELS[op.key]


def _model(op: type[Op]) -> type[BaseModel]:
    fields: Any = {
        f.name: (Annotated[Any, _validator(f)], None)
        for f in fields_of(op)
        if f.how.kind not in NEVER_WRITTEN
    }
    return create_model(op.__name__, __config__=ConfigDict(extra="forbid", strict=True), **fields)


def _validator(f: OpField) -> PlainValidator:
    def validate(value: Any) -> Any:
        try:
            return value_of(value, f.how)
        except Problems as error:
            raise to_pydantic(error) from None

    return PlainValidator(validate)
