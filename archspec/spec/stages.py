"""Stages: runs of blocks, and layers between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import ConfigDict, ValidationError

from archspec.diagnostics import Span
from archspec.expression import Expr, Number
from archspec.ir import Field
from archspec.source import locate
from archspec.spec import arguments
from archspec.spec.layers import Stack, stack_of, text_of, validator
from archspec.spec.names import Model
from archspec.spec.problems import Problems, describe, fail, problems_of

MOST_REPEATS = 1000


CHANNELS = Field("size", many=True)


STRIDE = Field("size", many=True, high=4096)


REPEAT = Field("size", high=MOST_REPEATS)


ONCE = Number(1)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """An entry of `stages`: a run of blocks, or (`between`) layers between the stages."""

    blocks: tuple[str, ...] = ()
    repeat: Expr = ONCE
    channels: Expr | tuple[Expr, ...] | None = None
    stride: Expr | tuple[Expr, ...] | None = None
    shrink: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    between: Stack | None = None
    raw: Any = None
    span: Span | None = None

    def where(self, *path: str | int, key: bool = False) -> Span | None:
        return locate(self.raw, path, key) or self.span


def stage_of(value: Any) -> Stage:
    """An entry of `stages` from what is written; raises `Problems`."""
    span = getattr(value, "span", None)
    if not isinstance(value, Mapping) or "block" not in value:
        _forgotten_block(value)
        return Stage(between=stack_of(value), raw=value, span=span)
    try:
        run = Run.model_validate(dict(value))
    except ValidationError as error:
        raise Problems(problems_of(error, Run.model_fields)) from None
    written = {key: getattr(run, key) for key in run.model_fields_set if key != "block"}
    given = {key: value[key] for key in value if key not in Run.model_fields}
    written = {key: written[key] for key in written if key in Run.model_fields}
    return Stage(blocks=run.block, given=given, raw=value, span=span, **written)


def _forgotten_block(value: Any) -> None:
    if isinstance(value, Mapping) and {"repeat", "channels", "stride"} & set(value):
        hint = "write e.g. `block: basic`"
        fail("missing-key", "this stage does not say its `block`", hint)


def _block_names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not 1 <= len(names) <= MOST_REPEATS or not all(isinstance(n, str) for n in names):
        fail("wrong-type", f"expected the name of a block, found {describe(value)}")
    return tuple(str(name) for name in names)


def _repeat(value: Any) -> Expr:
    if isinstance(value, list):
        message = f"`repeat` is one number, found {describe(value)}"
        fail("wrong-type", message, "write one number; each stage has an entry of its own")
    return arguments.expr(value, REPEAT)


class Run(Model):
    """A stage of blocks. Every other key is an argument or part of the block."""

    model_config = ConfigDict(extra="allow", strict=True)

    block: Annotated[Any, validator(_block_names)]
    repeat: Annotated[Any, validator(_repeat)] = ONCE
    channels: Annotated[Any, validator(arguments.value_of, CHANNELS)] = None
    stride: Annotated[Any, validator(arguments.value_of, STRIDE)] = None
    shrink: Annotated[str | None, validator(text_of, "`shrink`", 500)] = None


StageField = Annotated[Stage, validator(stage_of)]
