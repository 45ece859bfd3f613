"""Layers as they are written: an op, a block, a part or a combinator, with its modifiers.

A `Stack` is what stands where layers stand: one layer, a list of them, or `none`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field as ModelField
from pydantic import ValidationError

from archspec.diagnostics import Span
from archspec.expression import Expr
from archspec.ir import Field
from archspec.language import arguments, identifiers
from archspec.language.fields import Model, Reads
from archspec.language.problems import Collector, Problems, describe, fail, problems_of
from archspec.ops import OPS
from archspec.record import field, record
from archspec.source import Map, locate

ONE_BODY = ("sequence", "residual", "scale")
BRANCHED = ("concat", "add", "split")
COMBINATORS = (*ONE_BODY, *BRANCHED)
ANYWHERE = ("name", "when", "else", "init")
OF_RESIDUAL = ("shortcut", "project", "before", "drop_path")
MODIFIERS = (*ANYWHERE, *OF_RESIDUAL)
HEADS = (*OPS, *COMBINATORS)
MOST_BRANCHES = 64


@record(eq=False)
class Stack:
    """Layers one after the other. `listed`: written as a list, even of one."""

    layers: tuple[Layer, ...] = ()
    listed: bool = False
    none: bool = False
    span: Span | None = None


@record(eq=False)
class Branch:
    """One branch of a combinator; it has a name where branches are a map."""

    name: str | None
    stack: Stack


@record(eq=False)
class Layer:
    """One layer. `given` holds the arguments: parsed for an op, as written for a block or part."""

    head: str
    given: Mapping[str, Any] = field(default_factory=dict)
    raw: Any = None
    span: Span | None = None
    name: str | None = None
    when: Expr | None = None
    otherwise: Stack | None = None
    init: str | None = None
    branches: tuple[Branch, ...] = ()
    shortcut: Stack | None = None
    project: Expr | None = None
    before: Stack | None = None
    drop_path: Expr | None = None

    def where(self, *path: str | int, key: bool = False) -> Span | None:
        """The place of an argument or modifier."""
        return locate(self.raw, path, key) or self.span

    def at(self, argument: str) -> Span | None:
        """The place of an argument below the head."""
        if not isinstance(self.raw, Mapping):
            return self.span
        return self.where(self.head, argument)


def stack_of(value: Any) -> Stack:
    """Layers from what is written; raises `Problems`."""
    span = getattr(value, "span", None)
    if value == "none":
        return Stack(none=True, span=span)
    if not isinstance(value, list):
        return Stack((layer_of(value),), span=span)
    found, layers = Collector(), []
    for place, part in enumerate(value):
        with found.trying(place):
            if part != "none":
                layers.append(layer_of(part))
    found.finish()
    return Stack(tuple(layers), listed=True, none=not layers, span=span)


def layer_of(value: Any) -> Layer:
    """One layer from what is written; raises `Problems`."""
    span = getattr(value, "span", None)
    if isinstance(value, str):
        return _with_head(str(value), {}, {}, value, span)
    heads = [key for key in value if key not in MODIFIERS] if isinstance(value, Mapping) else []
    if len(heads) == 1:
        modifiers = {key: value[key] for key in value if key in MODIFIERS}
        return _with_head(heads[0], value[heads[0]], modifiers, value, span)
    from archspec.language.wrong.layers import no_layer

    no_layer(value, heads)


def _with_head(head: str, given: Any, modifiers: Mapping[str, Any], raw: Any, span: Any) -> Layer:
    found, parts = Collector(), {}
    with found.trying():
        parts = _modifiers(head, modifiers)
    arguments_given: Mapping[str, Any] = {}
    branches: tuple[Branch, ...] = ()
    with found.trying(*([head] if isinstance(raw, Mapping) else [])):
        if head in ONE_BODY:
            branches = (Branch(None, _body(given)),)
        elif head in BRANCHED:
            branches = _branches(given)
        elif head in OPS:
            arguments_given = arguments.op_arguments(OPS[head], shorthand(head, given))
        else:
            arguments_given = shorthand(head, given)
    found.finish()
    return Layer(head, arguments_given, raw, span, branches=branches, **parts)


def shorthand(head: str, given: Any) -> Mapping[str, Any]:
    """The arguments as a map: `linear: 10` is `linear: {features: 10}`."""
    if isinstance(given, Mapping):
        return given
    if given is None:
        fail(
            "wrong-type",
            f"`{head}` has nothing behind it",
            f"write `{head}` or `{head}: {{}}`",
        )
    first = OPS[head].first if head in OPS else "channels"
    if first is None:
        fail("wrong-type", f"`{head}` takes no value", f"write `{head}` alone, or a map")
    located = Map({first: given})
    span = getattr(given, "span", None)
    if span is not None:
        located.span, located.key_spans, located.value_spans = (
            span,
            {first: span},
            {first: span},
        )
    return located


def _body(given: Any) -> Stack:
    if not isinstance(given, list):
        fail("wrong-type", f"expected a list of layers, found {describe(given)}")
    return stack_of(given)


def _branches(given: Any) -> tuple[Branch, ...]:
    if isinstance(given, Mapping):
        items = [(str(key), key, given[key]) for key in given]
    elif isinstance(given, list):
        items = [(None, place, part) for place, part in enumerate(given)]  # type: ignore[misc]
    else:
        fail("wrong-type", f"expected a list or map of branches, found {describe(given)}")
    if not 1 <= len(items) <= MOST_BRANCHES:
        fail(
            "out-of-range",
            f"expected 1 to {MOST_BRANCHES} branches, found {len(items)}",
        )
    found, branches = Collector(), []
    for name, step, part in items:
        with found.trying(step):
            if name is not None:
                identifiers.attribute(name)
            branches.append(Branch(name, stack_of(part)))
    found.finish()
    return tuple(branches)


# Modifiers, as a pydantic model -------------------------------------------------------


Condition = Annotated[Any, Reads(arguments.expr, Field("flag"))]
Layers = Annotated[Any, Reads(stack_of)]
Rate = Annotated[Any, Reads(arguments.expr, Field("real", low=0, high=1))]


class Modifiers(Model):
    """What may stand beside a layer's head."""

    name: Annotated[Any, Reads(identifiers.attribute)] = None
    when: Condition = None
    otherwise: Layers = ModelField(None, alias="else")
    init: Literal["zeros"] | None = None
    shortcut: Layers = None
    project: Condition = None
    before: Layers = None
    drop_path: Rate = None


def _modifiers(head: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if not given:
        return {}
    found = Collector()
    for key in given:
        if key in OF_RESIDUAL and head != "residual":
            hint = "put it beside `residual:`"
            found.add("unknown-key", f"`{key}` belongs to `residual`", hint, key, key=True)
    if "else" in given and "when" not in given:
        found.add("bad-layer", "`else` without `when`", "write the condition: `when:`", "else")
    if "name" in given and head in COMBINATORS and head != "sequence":
        hint = "what needs a name is a block or a `sequence`"
        found.add("bad-layer", f"`{head}` has no attribute to name", hint, "name", key=True)
    found.finish()
    try:
        model = Modifiers.read(given)
    except ValidationError as error:
        raise Problems(problems_of(error, MODIFIERS)) from None
    return {key: getattr(model, key) for key in model.model_fields_set}
