"""The values that a key accepts, in words, and pydantic's errors in our words."""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from archspec.diagnostics import did_you_mean
from archspec.language.problems import Problem, describe, unknown_key
from archspec.language.suggestions.indented import flow
from archspec.language.train.model import LARGEST, Takes, listed
from archspec.source.scalars import boolean_hint

LIMITS = ("ge", "gt", "le", "lt")
OUT_OF_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
# Other names of the values of a key: torch's, and what papers say.
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "loss": {
        "CrossEntropyLoss": "cross_entropy",
        "ce": "cross_entropy",
        "BCEWithLogitsLoss": "bce",
        "MSELoss": "mse",
        "l2": "mse",
        "HuberLoss": "huber",
        "smooth_l1": "huber",
    },
    "optimizer": {"torch.optim.SGD": "sgd", "torch.optim.AdamW": "adamw"},
}
OF_STEP = {"step_size": "every", "gamma": "factor", "milestones": "at"}  # torch's names
NAMED = {"data": "data set"}  # what the choices of a key are, if the key itself does not say


def takes(field: FieldInfo) -> str:
    """The values that a key accepts, in words."""
    if own := _own(field):
        return own.words
    if field.annotation is bool:
        return "`true` or `false`"
    if get_origin(field.annotation) is Literal:
        return listed(get_args(field.annotation))
    return _number(field)


def _own(field: FieldInfo) -> Takes | None:
    return next((mark for mark in field.metadata if isinstance(mark, Takes)), None)


def _number(field: FieldInfo) -> str:
    limits = _limits(field)
    kind = "an integer" if _kind(field) is int else "a number"
    low = f"above {limits['gt']:,}" if "gt" in limits else f"of at least {limits['ge']:,}"
    if limits.get("le") == LARGEST:
        return f"{kind} {low}"
    if "lt" in limits:
        return f"{kind} {low} and below {limits['lt']:,}"
    if "gt" in limits:
        return f"{kind} {low} and at most {limits['le']:,}"
    return f"{kind} from {limits['ge']:,} to {limits['le']:,}"


def _limits(field: FieldInfo) -> dict[str, float]:
    marks = field.metadata
    return {name: getattr(m, name) for m in marks for name in LIMITS if hasattr(m, name)}


def _kind(field: FieldInfo) -> Any:
    """The type of the value of a key, without null."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else field.annotation


# Errors -------------------------------------------------------------------------------


def problem_of(
    error: Any, model: type[BaseModel], elsewhere: dict[str, str], options: dict[str, str]
) -> Problem | None:
    """An error about a value in our words; None for those that `problems_of` handles.

    `elsewhere` maps other programs' names of keys, `options` those of keys that are options of the
    training script here.
    """
    kind, path, value = error["type"], tuple(error["loc"]), error["input"]
    if kind == "missing" or "message" in error.get("ctx", ()):
        return None
    if kind == "extra_forbidden":
        keys = _model(field_at(model, path[:-1])).model_fields
        hint = unknown_key(str(path[-1]), keys, OF_STEP if path[:-1] else elsewhere)
        if option := options.get(str(path[-1])):
            hint = f"remove it; it is an option of the training script: `{option}`"
        return Problem("unknown-key", f"unknown key `{path[-1]}`", hint, path, key=True)
    field = field_at(model, path)
    if kind == "literal_error" and isinstance(value, str):
        key, values = str(path[-1]), get_args(field.annotation)
        meant: str = did_you_mean(value, values, "available", ELSEWHERE.get(key))
        if key == "data" and not value.isidentifier():
            meant = "use `data: folder`, and pass the directory to the script with `--data DIR`"
        name = NAMED.get(str(path[-1]), path[-1])
        return Problem("unknown-name", f"unknown {name} `{value[:40]}`", meant, path)
    huge = kind == "float_type" and type(value) is int
    rule = "out-of-range" if huge or kind in OUT_OF_RANGE else "wrong-type"
    message = f"expected {takes(field)}, found {describe(value)}"
    return Problem(rule, message, _hint(field, value) or _example(field, value, path), path)


def _example(field: FieldInfo, value: Any, path: tuple[Any, ...]) -> str:
    """The hint for a value that is neither a number nor a string."""
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    named = [word for word in words if isinstance(value, (list, dict)) and word in value]
    examples = [*named, *(field.examples or ()), *words]
    if not examples or isinstance(value, (int, float, str)):
        return ""
    return f"for example, `{path[-1]}: {flow(examples[0])}`"


def _hint(field: FieldInfo, value: Any) -> str:
    if value is None:
        return (
            ""
            if field.is_required()
            else ("remove the key; use `null` only to drop an inherited value")
        )
    if own := _own(field):
        return own.hint
    if isinstance(value, str):
        expression = "use a number; recipes do not support expressions"
        return boolean_hint(value) if field.annotation is bool else expression
    if not isinstance(value, (int, float)):
        return ""
    if _kind(field) is int and isinstance(value, float) and value.is_integer():
        return f"use `{int(value)}`" if abs(value) <= LARGEST else ""
    return (
        f"the maximum is {LARGEST:,.0f}" if value > _limits(field).get("le", 0) == LARGEST else ""
    )


def field_at(model: type[BaseModel], path: tuple[str | int, ...]) -> FieldInfo:
    """The key at a path below a model, or an item of its list."""
    field = FieldInfo.from_annotation(model)
    for step in path:
        if get_origin(_kind(field)) is dict:
            field = FieldInfo.from_annotation(get_args(_kind(field))[1])
        elif isinstance(step, int):
            field = FieldInfo.from_annotation(get_args(_kind(field))[0])
        else:
            field = _model(field).model_fields[step]
    return field


def _model(field: FieldInfo) -> type[BaseModel]:
    """The model that reads a mapping; for a key with another form, the model of that form."""
    before = [m.json_schema_input_type for m in field.metadata if isinstance(m, BeforeValidator)]
    kinds = [part for kind in (*before, field.annotation) for part in (kind, *get_args(kind))]
    return next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel))
