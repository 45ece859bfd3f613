"""A spec as a pydantic model: what may be written, before names are resolved."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from functools import cache, cached_property, partial
from typing import Annotated, Any, Self

from pydantic import (
    Field as ModelField,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from archspec.diagnostics import Span, did_you_mean
from archspec.expression import ExpressionError, Number, Scalar
from archspec.language import arguments, identifiers
from archspec.language.blocks import Blocks
from archspec.language.layers import entry_of, layer_of, shorthand, stack_of
from archspec.language.model import Model, piece, reads, reads_pieces
from archspec.language.names import ClassName, Doc, SpecName, not_taken
from archspec.language.problems import (
    Collector,
    Problems,
    check_mapping,
    describe,
    fail,
    problems_of,
    read_items,
)
from archspec.language.stack import Layer, Stack
from archspec.language.stages import Stage, Stages, child_in_section
from archspec.language.starts import network_init_of, usual_init
from archspec.language.suggestions.indented import check_indentation
from archspec.language.suggestions.layers import check_default
from archspec.language.tensors import Outputs, outputs_of
from archspec.language.train import Train, train_of
from archspec.language.widths import Series, never_shrink, repeats, series_of, times
from archspec.language.words import HEADS
from archspec.memo import Memo
from archspec.ops import OPS
from archspec.places import At, Path
from archspec.records import Record
from archspec.source.document import Document

LARGEST_INPUT = 65536


class Section(Record, eq=False):
    """Stem or head: layers, each with an attribute name if they are written as a mapping."""

    entries: tuple[tuple[str | None, Stack], ...] = ()
    raw: Any = None


def section_of(value: Any, memo: Memo | None = None) -> Section:
    """A stem or head from its YAML value; raises `Problems`."""
    return piece(_section, value, memo)


def _section(value: Any) -> Section:
    if isinstance(value, list):
        layers = stack_of(value, partial(layer_of, children=child_in_section)).layers
        return Section(tuple((None, Stack((layer,), raw=layer.raw)) for layer in layers), value)
    if value == "none":
        return Section(raw=value)
    check_mapping(value, "a mapping or list of layers", "for example, `[{conv: 64}, norm, act]`")
    check_indentation(value, HEADS)
    return Section(tuple(read_items(value, _entry).items()), value)


def _entry(key: str, layers: Any) -> Stack:
    return entry_of(identifiers.place(key), layers, child_in_section)


@cache
def no_section() -> Section:
    """The section without layers: equal sections are one object."""
    return Section()


SectionField = Annotated[Section, reads_pieces(section_of)]


def _entries(section: Section, where: str) -> Iterator[tuple[Stack, At]]:
    for name, stack in section.entries:
        yield stack, At((where,) if name is None else (where, name))


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
            f"expected an integer or bounds, found {describe(value)}",
            hint,
        )
    return value


Expected = Annotated[Any, reads(_bounds)]


class Expect(Model):
    """The counts that the network must have; `build` and `lint` fail if they differ."""

    params: Expected = None
    macs: Expected = None
    depth: Expected = None
    output: list[int] | None = None


Size = Annotated[int, ModelField(ge=1, le=LARGEST_INPUT)]


def _args(value: Any) -> dict[str, Scalar]:
    check_mapping(value, "a mapping of numbers", "for example, `args: {classes: 10}`")
    return read_items(value, _arg)


def _arg(name: str, given: Any) -> Scalar:
    identifiers.argument_name(name)
    not_taken(name, "argument")
    if isinstance(given, list):
        hint = f"define an argument for each, such as `{name}1`"
        fail("wrong-type", f"expected a number, found {describe(given)}", hint)
    tree = arguments.expr(given)
    if isinstance(given, str) or not isinstance(tree, Number):
        hint = f"for example, `{name}: 10`, without quotes"
        fail("wrong-type", f"expected a number, found {describe(given)}", hint)
    return tree.value


class Defaults(Record, eq=False):
    """`defaults`: the network's norm and act, arguments of ops, arguments and parts of blocks."""

    norm: Stack | None = None
    act: Stack | None = None
    ops: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    blocks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    raw: Any = None


@cache
def no_defaults() -> Defaults:
    """Empty defaults."""
    return Defaults()


def _defaults(value: Any, memo: Memo | None = None) -> Defaults:
    return piece(defaults_of, value, memo)


def defaults_of(value: Any) -> Defaults:
    """`defaults` from its YAML value; raises `Problems`."""
    check_mapping(value, "a mapping", "for example, `defaults: {act: silu}`")
    found, parts, ops, blocks = Collector(), {}, {}, {}
    for name in value:
        with found.trying(name):
            if name in ("norm", "act"):
                check_default(name, value[name])
                parts[name] = stack_of(value[name])
            elif name in OPS:
                given = shorthand(name, value[name])
                ops[name] = arguments.op_arguments(OPS[name], given)
            else:
                blocks[name] = shorthand(name, value[name])
    found.finish()
    return Defaults(parts.get("norm"), parts.get("act"), ops, blocks, value)


def _prefixes(value: Any) -> dict[str, str]:
    what, hint = "a mapping from op to attribute", "for example, `names: {group_norm: bn}`"
    check_mapping(value, what, hint)
    found, result = Collector(), {}
    for op in value:
        if op not in OPS:
            hint = did_you_mean(op, OPS, "ops")
            found.add("unknown-name", f"unknown op `{op}`", hint, op, key=True)
        with found.trying(op, names=False):
            result[op] = identifiers.attribute(value[op])
    found.finish()
    return result


#: What draws a spec in a notebook, as SVG: `archspec.api` adds it, because it takes an analysis.
PICTURES: "list[Callable[[Spec], str | None]]" = []


class Spec(Model):
    """One network, as read from YAML and checked. Use `archspec.load` to read a file.

    Validating a plain mapping works too (`Spec.model_validate({...})`); it raises pydantic's
    `ValidationError` instead of `SpecError`.
    """

    name: SpecName
    class_: ClassName | None = ModelField(None, alias="class")
    doc: Doc = ""
    input: Annotated[list[Size], ModelField(min_length=1, max_length=4)]
    args: Annotated[dict[str, Any], reads(_args)] = ModelField(default_factory=dict)
    defaults: Annotated[Defaults, reads_pieces(_defaults)] = ModelField(default_factory=no_defaults)
    stem: SectionField = ModelField(default_factory=no_section)
    stages: Stages = ModelField(default_factory=dict)
    head: SectionField = ModelField(default_factory=no_section)
    outputs: Annotated[Outputs | None, reads(outputs_of)] = None
    blocks: Blocks = ModelField(default_factory=dict)
    names: Annotated[dict[str, str], reads(_prefixes)] = ModelField(default_factory=dict)
    init: Annotated[Any, reads(network_init_of)] = ModelField(default_factory=usual_init)
    expect: Expect | None = None
    train: Annotated[Train | None, reads(train_of)] = None

    @model_validator(mode="wrap")
    @classmethod
    def _keep_data(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Settings are applied to the validated document."""
        spec = handler(data)
        vars(spec)["document"] = Document(data)
        return spec

    def _repr_svg_(self) -> str | None:
        """Its network as a picture, for a notebook."""
        return next((draw(self) for draw in PICTURES), None)

    def _repr_html_(self) -> str | None:
        """The same, where a notebook prefers HTML."""
        return self._repr_svg_()

    def keep(self, document: Document, library: Any, changed: bool) -> None:
        """Keep the document and the blocks that the spec was made from, and whether settings
        changed it.
        """
        vars(self).update(document=document, library=library, changed=changed)

    def agree(self) -> None:
        """Channels never shrink."""
        found = Collector()
        with suppress(
            ExpressionError, Problems
        ):  # reported by the check of names, with its location
            never_shrink(self.args, self.runs, self.repeats, found)
        found.finish()

    # Set by `keep`, and not fields: specs with the same YAML are equal.

    @cached_property
    def document(self) -> Document:
        """The merged mapping that was validated, with the location of each value."""
        return Document({})

    @cached_property
    def library(self) -> Any:
        """The blocks available to the spec; None for a spec that was not loaded."""
        return None

    @cached_property
    def changed(self) -> bool:
        """Whether arguments or input were overridden, so that `expect` does not apply."""
        return False

    @property
    def data(self) -> Any:
        """The merged mapping that was validated."""
        return self.document.data

    @cached_property
    def runs(self) -> dict[Path, Stage]:
        """The stages that have blocks, by their paths, in the order in which they are written."""
        return dict(self._runs())

    def _runs(self) -> Iterator[tuple[Path, Stage]]:
        for path, written in self._series:
            if stage := written if isinstance(written, Stage) else written.run:
                yield path, stage

    @cached_property
    def _series(self) -> list[tuple[Path, Stage | Layer]]:
        """The stages, and the layers that may be repeated blocks."""
        found = list[tuple[Path, Stage | Layer]]()
        for written, at in self._written:
            if isinstance(written, Stage):
                found.append((at.path, written))
            else:
                found += [((*at.path, *place.path), one) for one, place in written.series]
        return found

    def stacks(self) -> Iterator[tuple[Stack, At]]:
        """The layers of stem, stages, and head, and their paths."""
        return ((one, at) for one, at in self._written if isinstance(one, Stack))

    @cached_property
    def _written(self) -> list[tuple[Stack | Stage, At]]:
        """The same, with the stages of blocks among them."""
        stages = [
            (stage if stage.between is None else stage.between, At(("stages", key)))
            for key, stage in self.stages.items()
        ]
        return [*_entries(self.stem, "stem"), *stages, *_entries(self.head, "head")]

    @cached_property
    def repeats(self) -> dict[Path, int]:
        """The number of blocks of each stage that has blocks; raises `ExpressionError` or
        `Problems`.
        """
        return repeats(self.args, self.runs)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """The stages, and the repeated blocks that have a class, in order.

        Raises the same errors as `repeats`.
        """
        counts = dict[Path, int]()
        for path, written in self._series:
            if path in self.repeats:
                counts[path] = self.repeats[path]
            elif isinstance(written, Layer) and self.library.is_class(written.head):
                counts[path] = times(written.repeat, self.args)
        return tuple(series_of(counts))

    def where(self, *path: str | int, key: bool = False) -> Span | None:
        """The span of a value (or key) of the spec."""
        return self.document.span(path, key)


KEYS = [f.alias or name for name, f in Spec.model_fields.items()]
