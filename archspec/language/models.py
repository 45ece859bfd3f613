"""A spec as a pydantic model: what may be written, before names are resolved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field as ModelField
from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator

from archspec.diagnostics import Span, did_you_mean
from archspec.expression import Number, Scalar
from archspec.language import arguments, identifiers
from archspec.language.blocks import Block, blocks_of
from archspec.language.fields import Model, Reads
from archspec.language.layers import Stack, shorthand, stack_of
from archspec.language.names import ClassName, Doc, SpecName, not_taken
from archspec.language.problems import Collector, Problems, describe, fail, problems_of
from archspec.language.stages import Stages
from archspec.language.widths import never_shrink, repeats
from archspec.ops import OPS
from archspec.record import field, record
from archspec.source import locate

if TYPE_CHECKING:
    from archspec.language.train import Train

LARGEST_INPUT = 65536


@record(eq=False)
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
        hint = "write e.g. `[{conv: 64}, norm, act]`"
        fail("wrong-type", f"expected a map or list of layers, found {describe(value)}", hint)
    found, named = Collector(), []
    for key in value:
        with found.trying(key):
            identifiers.attribute(key)
            named.append((key, stack_of(value[key])))
    found.finish()
    return Section(tuple(named), value)


SectionField = Annotated[Section, Reads(section_of)]


class Bounds(Model):
    """A budget: at least, at most."""

    min: float | int | None = ModelField(None, ge=0)
    max: float | int | None = ModelField(None, ge=0)


def _bounds(value: Any) -> Any:
    if isinstance(value, Mapping):
        try:
            return Bounds.read(value)
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


Expected = Annotated[Any, Reads(_bounds)]


class Expect(Model):
    """What the network should come to; `build` and `lint` fail outside it."""

    params: Expected = None
    macs: Expected = None
    depth: Expected = None
    output: list[int] | None = None


Size = Annotated[int, ModelField(ge=1, le=LARGEST_INPUT)]


def _args(value: Any) -> dict[str, Scalar]:
    if not isinstance(value, Mapping):
        hint = "write e.g. `args: {classes: 10}`"
        fail("wrong-type", f"expected a map of numbers, found {describe(value)}", hint)
    found, result = Collector(), {}
    for name in value:
        with found.trying(name):
            identifiers.argument_name(name)
            not_taken(name, "argument")
            tree = arguments.expr(value[name])
            if not isinstance(tree, Number):
                message = f"expected a number, found {describe(value[name])}"
                fail("wrong-type", message, f"write e.g. `{name}: 10`")
            result[name] = tree.value
    found.finish()
    return result


@record(eq=False)
class Defaults:
    """`defaults`: the network's norm and act, arguments of ops, arguments and parts of blocks."""

    norm: Stack | None = None
    act: Stack | None = None
    ops: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    blocks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    raw: Any = None


def _defaults(value: Any) -> Defaults:
    if not isinstance(value, Mapping):
        hint = "write e.g. `defaults: {act: silu}`"
        fail("wrong-type", f"expected a map, found {describe(value)}", hint)
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
        hint = "write e.g. `names: {group_norm: bn}`"
        fail("wrong-type", f"expected a map from op to attribute, found {describe(value)}", hint)
    found, result = Collector(), {}
    for op in value:
        if op not in OPS:
            hint = did_you_mean(op, OPS, "ops")
            found.add("unknown-name", f"there is no op `{op}`", hint, op, key=True)
        with found.trying(op, names=False):
            result[op] = identifiers.attribute(value[op])
    found.finish()
    return result


def _train(value: Any) -> Any:
    """The recipe; its models are imported for specs that have one."""
    from archspec.language.train import train_of

    return train_of(value)


if TYPE_CHECKING:
    TrainField: TypeAlias = Train | None
else:
    TrainField = Annotated[Any, Reads(_train)]


class Spec(Model):
    """One network: what a YAML file says, checked. Use `archspec.load` to read a file.

    Validating a plain mapping works too (`Spec.model_validate({...})`); it raises pydantic's
    `ValidationError` where `load` raises `SpecError`.
    """

    name: SpecName
    class_: ClassName | None = ModelField(None, alias="class")
    doc: Doc = ""
    input: Annotated[list[Size], ModelField(min_length=1, max_length=4)]
    args: Annotated[dict[str, Any], Reads(_args)] = {}
    defaults: Annotated[Defaults, Reads(_defaults)] = Defaults()
    stem: SectionField = Section()
    stages: Stages = {}
    head: SectionField = Section()
    blocks: Annotated[dict[str, Block], Reads(blocks_of)] = {}
    names: Annotated[dict[str, str], Reads(_prefixes)] = {}
    init: Literal["resnet", "torch"] = "resnet"
    expect: Expect | None = None
    train: TrainField = None

    if TYPE_CHECKING:  # kept beside the fields: pydantic's private attributes are slow to read
        _data: Any
        _library: Any
        _changed: bool

    @model_validator(mode="wrap")
    @classmethod
    def _keep_data(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Places are found in what was validated, and settings are laid over it."""
        spec = handler(data)
        spec.keep(data)
        return spec

    def keep(self, data: Any, library: Any = None, changed: bool = False) -> None:
        """What the spec was made of and looks blocks up in; whether settings changed it."""
        self.__dict__.update(_data=data, _library=library, _changed=changed)

    def agree(self) -> None:
        """Stages have names for attributes, and channels never shrink."""
        found = Collector()
        never_shrink(self, found)
        found.finish()

    @property
    def data(self) -> Any:
        """The merged mapping that was validated, with the place of each value."""
        return self._data

    @property
    def changed(self) -> bool:
        """Whether arguments or input were set from outside, so that `expect` is void."""
        return self._changed

    @cached_property
    def repeats(self) -> dict[str, int]:
        """Blocks of each stage that has blocks; raises `ExpressionError` or `Problems`."""
        return repeats(self)

    def where(self, *path: str | int, key: bool = False) -> Span | None:
        return locate(self._data, path, key)


KEYS = [f.alias or name for name, f in Spec.model_fields.items()]
