"""Stages of blocks, and layers between them."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any

from pydantic import Field as ModelField, ValidationError

from archspec.diagnostics import closest, guess, instead
from archspec.expression import Expr, Number
from archspec.ir import Field
from archspec.language import arguments, identifiers
from archspec.language.layers import MOST_REPEATS, child_of, stack_of
from archspec.language.model import Model, piece, reads, reads_pieces
from archspec.language.names import text_of
from archspec.language.problems import (
    Problems,
    check_mapping,
    describe,
    fail,
    problems_of,
    read_items,
)
from archspec.language.stack import Layer, Stack
from archspec.language.suggestions.indented import check_indentation, flow
from archspec.language.suggestions.layers import check_entry
from archspec.language.templates import LayerName, name_of
from archspec.language.tensors import saved_of, source_of
from archspec.language.words import MODIFIERS
from archspec.memo import Memo
from archspec.records import Record

MOST_STAGES = 100
CHANNELS = Field("size", many=True)
STRIDE = Field("size", many=True, high=4096)
REPEAT = Field("size", high=MOST_REPEATS)
ONCE = Number(1)
OF_BLOCKS = ("block", "repeat", "channels", "stride", "shrink")


class Stage(Record, eq=False):
    """An entry of `stages`: a stage of blocks, or (`between`) layers between the stages."""

    blocks: tuple[str, ...] = ()
    repeat: Expr = ONCE
    channels: Expr | tuple[Expr, ...] | None = None
    stride: Expr | tuple[Expr, ...] | None = None
    shrink: str | None = None
    name: LayerName | None = None
    source: str | None = None
    save: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    between: Stack | None = None
    raw: Any = None

    @property
    def has_blocks(self) -> bool:
        """Whether it is a stage of blocks, or layers that contain one."""
        return bool(self.blocks or (self.between and self.between.runs))


def stage_of(value: Any) -> Stage:
    """An entry of `stages` from its YAML value; raises `Problems`."""
    if not is_run(value):
        _check_block_is_there(value)
        return Stage(between=stack_of(value, child_in_section), raw=value)
    return _run(value)


def is_run(value: Any) -> bool:
    """Whether a value is a stage of blocks, not a layer."""
    return isinstance(value, Mapping) and "block" in value


def child_in_section(value: Any, step: str | int | None = None) -> Layer:
    """A child of a sequence in stem, stages, or head, where it may also be a stage."""
    if is_run(value):
        run = _run(value)
        return Layer("block", raw=value, step=step, run=run, source=run.source, save=run.save)
    return child_of(value, step, child_in_section)


def _run(value: Mapping[str, Any]) -> Stage:
    try:
        run = Run.model_validate({key: value[key] for key in value if key in RUN_KEYS})
    except ValidationError as error:
        raise Problems(problems_of(error, RUN_KEYS)) from None
    written = {key: getattr(run, key) for key in run.model_fields_set if key != "block"}
    given = {key: value[key] for key in value if key not in RUN_KEYS}
    return Stage(blocks=run.block, given=given, raw=value, **written)


def _check_block_is_there(value: Any) -> None:
    """Reject a value that is not a layer between the stages, because it has the keys of a stage."""
    keys = list(value) if isinstance(value, Mapping) else []
    heads = [key for key in keys if key not in MODIFIERS]
    of_stage = {"channels", "stride"} & set(keys) or ("repeat" in keys and not heads)
    several = len(heads) > 1
    wrong = next((key for key in keys if closest(str(key), ["block"])), None)
    if wrong and (of_stage or several):
        hint = instead("did you mean `block`?", wrong, "block", guess(wrong, ["block"]).sure)
        fail("unknown-key", f"a stage has no `{wrong}`", hint, wrong, key=True)
    if of_stage:
        fail(
            "missing-key",
            "missing required key `block` in this stage",
            "for example, `block: basic`",
        )


def _block_names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not 1 <= len(names) <= MOST_REPEATS or not all(isinstance(n, str) for n in names):
        fail("wrong-type", f"expected the name of a block, found {describe(value)}")
    return tuple(str(name) for name in names)


def _repeat(value: Any) -> Expr:
    if isinstance(value, list):
        message = f"expected one integer for `repeat`, found {describe(value)}"
        fail("wrong-type", message, "use one number; define a separate stage for each value")
    return arguments.expr(value, REPEAT)


class Run(Model):
    """A stage of blocks. All other keys are arguments or parts of the block, and not in here."""

    block: Annotated[Any, reads(_block_names)]
    repeat: Annotated[Any, reads(_repeat)] = ONCE
    channels: Annotated[Any, reads(arguments.value_of, CHANNELS)] = None
    stride: Annotated[Any, reads(arguments.value_of, STRIDE)] = None
    shrink: Annotated[str | None, reads(text_of, "`shrink`", 500)] = None
    name: Annotated[Any, reads(name_of)] = None
    source: Annotated[Any, reads(source_of)] = ModelField(None, alias="from")
    save: Annotated[Any, reads(saved_of)] = ()


RUN_KEYS = tuple(field.alias or name for name, field in Run.model_fields.items())


def stages_of(value: Any, memo: Memo | None = None) -> dict[str, Stage]:
    """`stages` from its YAML value; raises `Problems`."""
    hint = "for example, `layer1: {block: basic, repeat: 2, channels: 64}` below it"
    check_mapping(value, "a mapping", hint)
    if len(value) > MOST_STAGES:
        fail("out-of-range", f"expected at most {MOST_STAGES} stages, found {len(value)}")
    check_indentation(value, OF_BLOCKS)
    blocks = value.get("block")
    named = isinstance(blocks, str) or (isinstance(blocks, list) and {*map(type, blocks)} == {str})
    if named and len(value.keys() & {*OF_BLOCKS}) > 1:
        hint = f"add its name, for example `layer1: {flow(value)}`"
        fail("bad-layer", "a stage has no name", hint, "block", key=True)

    def read(key: str, stage: Any) -> Stage:
        identifiers.place(key, "the name of a stage")
        check_entry(key, stage)
        return piece(stage_of, stage, memo)

    return read_items(value, read)


Stages = Annotated[dict[str, Stage], reads_pieces(stages_of)]
