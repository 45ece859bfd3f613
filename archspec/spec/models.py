"""A spec and a block as pydantic models: what may be written, before names are resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic import Field as ModelField

from archspec.diagnostics import Span, did_you_mean
from archspec.expression import (
    Expr,
    ExpressionError,
    Name,
    Number,
    Scalar,
    Value,
    constant,
)
from archspec.expression import evaluate as value_of_expression
from archspec.ir import Field
from archspec.ops import OPS
from archspec.source import locate
from archspec.spec import arguments
from archspec.spec.layers import (
    COMBINATORS,
    Layers,
    Stack,
    layer_of,
    shorthand,
    stack_of,
    text_of,
    validator,
)
from archspec.spec.problems import (
    Collector,
    Problem,
    Problems,
    describe,
    fail,
    problems_of,
    to_pydantic,
)

MOST_REPEATS = 1000
MOST_STAGES = 100
LARGEST_INPUT = 65536
INDICES = ("index", "repeat", "stage", "block_index", "block_count")
FLOW = ("in_channels", "channels", "stride")
SCOPE = (*FLOW, *INDICES)

CHANNELS = Field("size", many=True)
STRIDE = Field("size", many=True, high=4096)
REPEAT = Field("size", high=MOST_REPEATS)
ONCE = Number(1)

Attribute = Annotated[str, validator(arguments.attribute)]
Doc = Annotated[str, validator(text_of, "`doc`", 4000)]


def class_name(value: Any) -> str:
    name = arguments.identifier(value, "a class name")
    if name in ("Tensor", "F", "nn", "torch") or not name[0].isupper():
        fail("bad-name", f"`{name}` cannot be a class name", "write it in CamelCase")
    return name


ClassName = Annotated[str, validator(class_name)]


class Model(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
    )


# Stages -------------------------------------------------------------------------------


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


class Run(Model):
    """A stage of blocks. Every other key is an argument or part of the block."""

    model_config = ConfigDict(extra="allow", strict=True)

    block: Annotated[Any, validator(_block_names)]
    repeat: Annotated[Any, validator(arguments.expr, REPEAT)] = ONCE
    channels: Annotated[Any, validator(arguments.value_of, CHANNELS)] = None
    stride: Annotated[Any, validator(arguments.value_of, STRIDE)] = None
    shrink: Annotated[str | None, validator(text_of, "`shrink`", 500)] = None


StageField = Annotated[Stage, validator(stage_of)]


# Stem and head ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Stem or head: layers, each with an attribute name where they are written as a map."""

    entries: tuple[tuple[str | None, Stack], ...] = ()
    raw: Any = None


def section_of(value: Any) -> Section:
    """A stem or head from what is written; raises `Problems`."""
    if isinstance(value, list):
        stack = stack_of(value)
        entries = tuple((None, Stack((layer,), span=layer.span)) for layer in stack.layers)
        return Section(entries, value)
    if value == "none":
        return Section()
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a map or list of layers, found {describe(value)}")
    found, named = Collector(), []
    for key in value:
        with found.trying(key):
            arguments.attribute(key)
            named.append((key, stack_of(value[key])))
    found.finish()
    return Section(tuple(named), value)


SectionField = Annotated[Section, validator(section_of)]


# Blocks -------------------------------------------------------------------------------


def _block_arguments(value: Any) -> dict[str, Any]:
    """Name -> default; None stands for `required`."""
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a map of arguments, found {describe(value)}")
    found, result = Collector(), {}
    for name in value:
        with found.trying(name):
            arguments.identifier(name, "the name of an argument")
            _free(name, "argument")
            given = value[name]
            result[name] = None if given == "required" else arguments.expr(given)
    found.finish()
    return result


def _block_parts(value: Any) -> dict[str, Stack]:
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a map of parts, found {describe(value)}")
    found, result = Collector(), {}
    for name in value:
        with found.trying(name):
            arguments.identifier(name, "the name of a part")
            _free(name, "part")
            result[name] = stack_of(value[name])
    found.finish()
    return result


def _free(name: str, what: str) -> None:
    if name in SCOPE:
        fail(
            "bad-name",
            f"`{name}` is given to every block",
            f"call the {what} otherwise",
        )
    if name in OPS or name in COMBINATORS:
        fail("bad-name", f"`{name}` is an op or combinator", f"call the {what} otherwise")


def _listed(value: Any) -> Stack:
    if not isinstance(value, list):
        fail("wrong-type", f"expected a list of layers, found {describe(value)}")
    return stack_of(value)


class Block(Model):
    """A block: layers under a name, with arguments (numbers) and parts (layers)."""

    doc: Doc = ""
    class_: ClassName | None = ModelField(None, alias="class")
    name: Attribute | None = None
    inline: bool = False
    args: Annotated[dict[str, Any], validator(_block_arguments)] = {}
    parts: Annotated[dict[str, Stack], validator(_block_parts)] = {}
    body: Annotated[Stack, validator(_listed)]

    _raw: Any = PrivateAttr(None)

    @model_validator(mode="after")
    def _once(self) -> Self:
        for name in self.args.keys() & self.parts.keys():
            message = f"`{name}` is an argument and a part"
            error = Problems([_problem("bad-name", message, ("parts", name))])
            raise to_pydantic(error)
        return self

    @property
    def raw(self) -> Any:
        return self._raw


def _problem(rule: str, message: str, path: tuple[str | int, ...], hint: str = "") -> Problem:
    return Problem(rule, message, hint, path, key=True)


def block_of(value: Any) -> Block:
    """A block from what is written; raises `Problems`."""
    if not isinstance(value, Mapping):
        fail(
            "wrong-type",
            f"expected a block (a map with a `body`), found {describe(value)}",
        )
    try:
        block = Block.model_validate(dict(value))
    except ValidationError as error:
        keys = [f.alias or name for name, f in Block.model_fields.items()]
        raise Problems(problems_of(error, keys)) from None
    block._raw = value
    return block


def _blocks(value: Any) -> dict[str, Block]:
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a map of blocks, found {describe(value)}")
    found, result = Collector(), {}
    for name in value:
        with found.trying(name):
            arguments.identifier(name, "the name of a block")
            _free(name, "block")
            result[name] = block_of(value[name])
    found.finish()
    return result


# The spec -----------------------------------------------------------------------------


class Bounds(Model):
    """A budget: at least, at most."""

    min: float | int | None = ModelField(None, ge=0)
    max: float | int | None = ModelField(None, ge=0)


def _bounds(value: Any) -> Any:
    if isinstance(value, Mapping):
        try:
            return Bounds.model_validate(dict(value))
        except ValidationError as error:
            raise Problems(problems_of(error, Bounds.model_fields)) from None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        hint = "a number is exact; `{max: 4.2e9}` is a budget"
        fail(
            "wrong-type",
            f"expected a whole number or bounds, found {describe(value)}",
            hint,
        )
    return value


Expected = Annotated[Any, validator(_bounds)]


class Expect(Model):
    """What the network should come to; `build` and `lint` fail outside it."""

    params: Expected = None
    macs: Expected = None
    depth: Expected = None
    output: list[int] | None = None


Size = Annotated[int, ModelField(ge=1, le=LARGEST_INPUT)]


def _args(value: Any) -> dict[str, Scalar]:
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a map of numbers, found {describe(value)}")
    found, result = Collector(), {}
    for name in value:
        with found.trying(name):
            arguments.identifier(name, "the name of an argument")
            _free(name, "argument")
            tree = arguments.expr(value[name])
            if not isinstance(tree, Number):
                fail("wrong-type", f"expected a number, found {describe(value[name])}")
            result[name] = tree.value
    found.finish()
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Defaults:
    """`defaults`: the network's norm and act, arguments of ops, arguments and parts of blocks."""

    norm: Stack | None = None
    act: Stack | None = None
    ops: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    blocks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    raw: Any = None


def _defaults(value: Any) -> Defaults:
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected a map, found {describe(value)}")
    found, parts, ops, blocks = Collector(), {}, {}, {}
    for name in value:
        with found.trying(name):
            if name in ("norm", "act"):
                parts[name] = stack_of(value[name])
            elif name in OPS:
                given = shorthand(name, value[name])
                ops[name] = arguments.op_arguments(OPS[name], given)
            else:
                blocks[name] = shorthand(name, value[name])
    found.finish()
    return Defaults(parts.get("norm"), parts.get("act"), ops, blocks, value)


def _prefixes(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        fail(
            "wrong-type",
            f"expected a map from op to attribute, found {describe(value)}",
        )
    found, result = Collector(), {}
    for op in value:
        if op not in OPS:
            hint = did_you_mean(op, OPS, "ops")
            found.add("unknown-name", f"there is no op `{op}`", hint, op, key=True)
        with found.trying(op):
            result[op] = arguments.attribute(value[op])
    found.finish()
    return result


class Spec(Model):
    """One network: what a YAML file says, checked. Use `archspec.load` to read a file.

    Validating a plain mapping works too (`Spec.model_validate({...})`); it raises pydantic's
    `ValidationError` where `load` raises `SpecError`.
    """

    name: Attribute
    class_: ClassName | None = ModelField(None, alias="class")
    doc: Doc = ""
    input: Annotated[list[Size], ModelField(min_length=1, max_length=4)]
    args: Annotated[dict[str, Any], validator(_args)] = {}
    defaults: Annotated[Defaults, validator(_defaults)] = Defaults()
    stem: SectionField = Section()
    stages: Annotated[dict[str, StageField], ModelField(max_length=MOST_STAGES)] = {}
    head: SectionField = Section()
    blocks: Annotated[dict[str, Block], validator(_blocks)] = {}
    names: Annotated[dict[str, str], validator(_prefixes)] = {}
    init: Literal["resnet", "torch"] = "resnet"
    expect: Expect | None = None
    train: dict[str, Any] | None = None

    _data: Any = PrivateAttr(None)
    _library: Any = PrivateAttr(None)
    _changed: bool = PrivateAttr(False)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_data(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Places are found in what was validated, and settings are laid over it."""
        spec = handler(data)
        spec._data = data
        return spec

    @model_validator(mode="after")
    def _widths(self) -> Self:
        found = Collector()
        for key in self.stages:
            with found.trying("stages"):
                try:
                    arguments.attribute(key, "the name of a stage")
                except Problems as error:
                    found.problems += [
                        _problem(p.rule, p.message, ("stages", key), p.hint) for p in error.problems
                    ]
        _never_shrink(self, found)
        try:
            found.finish()
        except Problems as error:
            raise to_pydantic(error) from None
        return self

    @property
    def data(self) -> Any:
        """The merged mapping that was validated, with the place of each value."""
        return self._data

    @property
    def changed(self) -> bool:
        """Whether arguments or input were set from outside, so that `expect` is void."""
        return self._changed

    def where(self, *path: str | int, key: bool = False) -> Span | None:
        return locate(self._data, path, key)


# Channels never shrink ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """One block of one stage, and what its expressions see."""

    key: str
    index: int
    names: Mapping[str, Value]


def lookup_in(known: Mapping[str, Value], name: Name) -> Value:
    if name.id not in known:
        raise ExpressionError(
            f"`{name.id}` is not known here", did_you_mean(name.id, known, "known")
        )
    return known[name.id]


def number_of(expr: Expr, known: Mapping[str, Value]) -> Scalar:
    return value_of_expression(expr, partial(lookup_in, known)).number


def repeats(spec: Spec) -> dict[str, int]:
    """Blocks of each stage that has blocks; raises `ExpressionError` or `Problems`."""
    known = {name: constant(value) for name, value in spec.args.items()}
    counts = {}
    for key, stage in spec.stages.items():
        if stage.blocks:
            count = number_of(stage.repeat, known)
            try:
                arguments.check_number(count, REPEAT)
            except Problems as error:
                raise Problems(p.below("stages", key, "repeat") for p in error.problems) from None
            counts[key] = int(count)
    return counts


def places(spec: Spec) -> Iterator[Place]:
    """Every block of the network in order."""
    counts = repeats(spec)
    fixed = {name: constant(value) for name, value in spec.args.items()}
    fixed["block_count"] = constant(sum(counts.values()))
    block_index = 0
    for number, (key, count) in enumerate(counts.items(), 1):
        for index in range(count):
            here = {
                "index": index,
                "repeat": count,
                "stage": number,
                "block_index": block_index,
            }
            names = fixed | {name: constant(value) for name, value in here.items()}
            yield Place(key, index, names)
            block_index += 1


def _never_shrink(spec: Spec, found: Collector) -> None:
    """Compares each block's channels with those of the block before, stage by stage."""
    before: Scalar | None = None
    previous, reported = "", set()
    try:
        for place in places(spec):
            stage = spec.stages[place.key]
            channels = stage.channels
            if isinstance(channels, tuple):
                channels = channels[min(place.index, len(channels) - 1)]
            if channels is None:
                continue
            here = number_of(channels, place.names)
            shrinks = before is not None and here < before and not stage.shrink
            if shrinks and place.key not in reported:
                reported.add(place.key)
                found.problems.append(_shrinks(place.key, previous, before or 0, here))
            before, previous = here, place.key
    except (ExpressionError, Problems):
        return  # the check of names reports it, at its place


def _shrinks(key: str, previous: str, before: Scalar, here: Scalar) -> Problem:
    where = f"`{previous}`" if previous != key else "the block before"
    return Problem(
        "channels-shrink",
        f"`{key}` has {here} channels, fewer than the {before} of {where}",
        f"write at least {before}, or say why: `shrink: the reason`",
        ("stages", key, "channels"),
    )


__all__ = ["Block", "Defaults", "Layers", "Section", "Spec", "Stage", "layer_of"]
