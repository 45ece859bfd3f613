"""A spec as a pydantic model: what may be written, before names are resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import Field as ModelField
from pydantic import ModelWrapValidatorHandler, PrivateAttr, ValidationError, model_validator

from archspec.diagnostics import Span, did_you_mean
from archspec.expression import Number, Scalar
from archspec.ops import OPS
from archspec.source import locate
from archspec.spec import arguments
from archspec.spec.blocks import Block, blocks_of
from archspec.spec.layers import Stack, shorthand, stack_of, validator
from archspec.spec.names import Attribute, ClassName, Doc, Model, at_key, not_taken
from archspec.spec.problems import Collector, Problems, describe, fail, problems_of, to_pydantic
from archspec.spec.stages import StageField
from archspec.spec.widths import never_shrink

MOST_STAGES = 100


LARGEST_INPUT = 65536


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
            arguments.argument_name(name)
            not_taken(name, "argument")
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
        with found.trying(op, names=False):
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
    blocks: Annotated[dict[str, Block], validator(blocks_of)] = {}
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
                        at_key(p.rule, p.message, ("stages", key), p.hint) for p in error.problems
                    ]
        never_shrink(self, found)
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
