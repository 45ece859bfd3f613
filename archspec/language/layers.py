"""Layers as written: an op, block, part, or combinator, with its modifiers.

A `Stack` is one layer, a list of layers, or `none`.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field as ModelField, ValidationError

from archspec.diagnostics import is_slip
from archspec.ir import Field
from archspec.ir.ops import DIMENSIONS
from archspec.language import arguments, identifiers
from archspec.language.interpolation import interpolation_of
from archspec.language.model import Model, reads
from archspec.language.problems import (
    Collector,
    Problems,
    describe,
    fail,
    problems_of,
    read_items,
    read_list,
)
from archspec.language.sharing import shared_of
from archspec.language.stack import Branch, Layer, Stack
from archspec.language.starts import starts_of
from archspec.language.suggestions.indented import check_indentation, check_items
from archspec.language.suggestions.layers import (
    as_list,
    check_entry,
    check_part,
    no_layer,
    op_in_value,
)
from archspec.language.suggestions.pythonic import positional
from archspec.language.templates import name_of
from archspec.language.tensors import saved_of, sizes_of, slice_of, source_of
from archspec.language.words import (
    BRANCHED,
    COMBINATORS,
    HEADS,
    MODIFIERS,
    OF_BRANCHES,
    OF_RESIDUAL,
    OF_TENSORS,
    ONE_BODY,
    PARTS_OF_ALL,
    TENSOR,
)
from archspec.ops import OPS

MOST_BRANCHES = 64
MOST_REPEATS = 1000
REPEAT = Field("count", high=MOST_REPEATS)


Reader = Callable[[Any, str | int | None], Layer]  # of one layer, at its location among others


def stack_of(value: Any, read: Reader | None = None) -> Stack:
    """Layers from their YAML value, each read by `read`; raises `Problems`."""
    read = read or layer_of
    if value == "none":
        return Stack(none=True, raw=value)
    if not isinstance(value, list):
        return Stack((read(value, None),), raw=value)
    check_items(value, _inside)
    there = {place: part for place, part in enumerate(value) if part != "none"}
    layers = read_items(there, lambda place, part: read(part, place)).values()
    return Stack(tuple(layers), listed=True, none=not layers, raw=value)


def _inside(head: str) -> Container[str]:
    """The arguments of a layer type, as far as they are known without its block."""
    if head in OPS:
        return arguments.written_fields(OPS[head])
    return () if head in HEADS else ("channels", "stride")


def entry_of(key: str, value: Any, read: Reader | None = None) -> Stack:
    """The layers of an entry of a mapping, `name: layer`; raises `Problems`."""
    check_entry(key, value)
    return stack_of(value, read or child_of)


def layer_of(value: Any, step: str | int | None = None, children: Reader | None = None) -> Layer:
    """One layer from its YAML value; `children` reads those of a sequence. Raises `Problems`."""
    children = children or child_of
    if isinstance(value, str) and value:
        return _with_head(value, {}, {}, value, step, children)
    heads = [key for key in value if key not in MODIFIERS] if isinstance(value, Mapping) else []
    if not heads and isinstance(value, Mapping) and not value.keys().isdisjoint(OF_TENSORS):
        return _tensor(value, step)
    if len(heads) != 1 or not heads[0] or op_in_value(value):
        no_layer(value, heads, listed=isinstance(step, int))
    modifiers = {key: value[key] for key in value if key in MODIFIERS}
    return _with_head(heads[0], value[heads[0]], modifiers, value, step, children)


def child_of(value: Any, step: str | int | None = None, children: Reader | None = None) -> Layer:
    """A child of a sequence: a layer, or a list of layers, which is also a sequence."""
    children = children or child_of
    if not isinstance(value, list):
        return layer_of(value, step, children)
    branch = Branch(None, stack_of(value, children))
    return Layer("sequence", raw=value, step=step, branches=(branch,))


def _tensor(value: Mapping[str, Any], step: str | int | None) -> Layer:
    """An entry that is not a layer: a tensor that is read or named."""
    found = Collector()
    for key in value:
        if key not in (*OF_TENSORS, "when"):
            hint = "add the layer too; for example, `conv: 64`"
            found.add("bad-layer", f"`{key}` has no layer next to it", hint, key, key=True)
    found.finish()
    return Layer(TENSOR, raw=value, step=step, **_modifiers(TENSOR, value, None))


def _with_head(
    head: str,
    given: Any,
    modifiers: Mapping[str, Any],
    raw: Any,
    step: str | int | None,
    children: Reader,
) -> Layer:
    found, parts = Collector(), {}
    with found.trying():
        parts = _modifiers(head, modifiers, given)
    arguments_given: Mapping[str, Any] = {}
    branches: tuple[Branch, ...] = ()
    with found.trying(*([head] if isinstance(raw, Mapping) else [])):
        if head == "sequence":
            branches = (Branch(None, _children(given, children)),)
        elif head in ONE_BODY:
            branches = (Branch(None, _body(given)),)
        elif head in BRANCHED:
            branches = _branches(given)
        elif head in _ARGUMENTS:
            arguments_given = _ARGUMENTS[head](given)
        elif head in OPS:
            arguments_given = arguments.op_arguments(OPS[head], shorthand(head, given))
        else:
            arguments_given = shorthand(head, given)
    found.finish()
    return Layer(head, arguments_given, raw, step, branches=branches, **parts)


_ARGUMENTS = {"slice": slice_of, "interpolate": interpolation_of, "share": shared_of}


def _children(given: Any, read: Reader) -> Stack:
    """The children of a sequence: a list, or a mapping by name."""
    if not isinstance(given, Mapping):
        return _body(given, read)
    check_indentation(given, HEADS)
    found, layers = Collector(), []
    for key, value in given.items():
        with found.trying(key):
            identifiers.child(key)
            check_entry(key, value)
            if value != "none":
                layers.append(_named(read(value, key), key))
    found.finish()
    return Stack(tuple(layers), listed=True, none=not layers, raw=given)


def _named(layer: Layer, key: str) -> Layer:
    """A layer with the name of its key; two or more layers are a sequence."""
    if layer.name is not None:
        hint = "the key is its name"
        fail("bad-layer", f"`{key}` is given a second name", hint, "name", key=True)
    if layer.repeat is None:
        return replace(layer, name=key)
    branch = Branch(None, Stack((replace(layer, step=None),), raw=layer.raw))
    return Layer("sequence", raw=[layer.raw], step=layer.step, name=key, branches=(branch,))


def shorthand(head: str, given: Any) -> Mapping[str, Any]:
    """The arguments as a mapping: `linear: 10` is `linear: {features: 10}`."""
    if head in PARTS_OF_ALL:
        check_part(head, given)
    if isinstance(given, Mapping):
        return given
    if given is None:
        fail(
            "wrong-type",
            f"`{head}` has no value",
            f"use `{head}` or `{head}: {{}}`",
        )
    if head in OPS and (layer := positional(OPS[head], given)):
        fail("wrong-type", f"expected one value, found {describe(given)}", f"use `{layer}`")
    first = OPS[head].first if head in OPS else "channels"
    if first is None:
        fail("wrong-type", f"`{head}` takes no value", f"use `{head}` alone, or a mapping")
    return {first: given}


def _body(given: Any, read: Reader | None = None) -> Stack:
    if not isinstance(given, list):
        fail("wrong-type", f"expected a list of layers, found {describe(given)}", as_list(given))
    return stack_of(given, read)


def _branches(given: Any) -> tuple[Branch, ...]:
    if not isinstance(given, (list, Mapping)):
        read = f"[[], {{from: {given}}}]" if isinstance(given, str) else "[[], {conv: 64}]"
        message = f"expected a list or mapping of branches, found {describe(given)}"
        fail("wrong-type", message, f"use a list, `[]` for the input itself: `{read[:60]}`")
    if isinstance(given, Mapping):
        check_indentation(given, HEADS)
    if not 1 <= len(given) <= MOST_BRANCHES:
        fail("out-of-range", f"expected 1 to {MOST_BRANCHES} branches, found {len(given)}")
    if isinstance(given, Mapping):
        return tuple(read_items(given, _branch).values())
    return tuple(read_list(given, lambda part: Branch(None, stack_of(part))))


def _branch(name: Any, layers: Any) -> Branch:
    return Branch(identifiers.place(str(name)), entry_of(str(name), layers))


# Modifiers, as a pydantic model -------------------------------------------------------


Condition = Annotated[Any, reads(arguments.expr, Field("flag"))]
Layers = Annotated[Any, reads(stack_of)]
Rate = Annotated[Any, reads(arguments.expr, Field("real", low=0, high=1))]


class Modifiers(Model):
    """The modifiers of a layer."""

    name: Annotated[Any, reads(name_of)] = None
    repeat: Annotated[Any, reads(arguments.expr, REPEAT)] = None
    when: Condition = None
    otherwise: Layers = ModelField(None, alias="else")
    init: Annotated[Any, reads(starts_of)] = None
    numbered: bool = False
    shortcut: Layers = None
    project: Condition = None
    before: Layers = None
    drop_path: Rate = None
    source: Annotated[Any, reads(source_of)] = ModelField(None, alias="from")
    save: Annotated[Any, reads(saved_of)] = ()
    along: Literal[DIMENSIONS] | None = None  # type: ignore[valid-type]
    sizes: Annotated[Any, reads(sizes_of)] = None


def _modifiers(head: str, given: Mapping[str, Any], below: Any) -> dict[str, Any]:
    """`below` is the value of the layer type."""
    if not given:
        return {}
    found = Collector()
    if "numbered" in given and (head != "sequence" or isinstance(below, (list, tuple))):
        hint = (
            "remove it from the list, which is always numbered; it is for `sequence: {name: "
            "layer, ...}`"
        )
        message = "`numbered` requires a `sequence` that is a mapping"
        found.add("unknown-key", message, hint, "numbered", key=True)
    for key in given:
        owner = "residual" if key in OF_RESIDUAL else OF_BRANCHES.get(key, head)
        if head != owner and not is_slip(head, owner):  # a typo in it is reported itself
            hint = f"move it next to `{owner}:`"
            found.add("unknown-key", f"`{key}` requires `{owner}`", hint, key, key=True)
    if isinstance(given.get("shortcut"), bool):
        hint = (
            "set the layers of the shortcut, for example `shortcut: conv_norm`, or remove the key"
        )
        message = f"expected layers, found {describe(given['shortcut'])}"
        found.add("wrong-type", message, hint, "shortcut")
    if "else" in given and "when" not in given:
        found.add("bad-layer", "`else` requires `when`", "add a condition with `when:`", "else")
    if "name" in given and head in COMBINATORS and head != "sequence":
        hint = "to name these layers, wrap them in a block or a `sequence`"
        found.add("bad-layer", f"`{head}` has no attribute to name", hint, "name", key=True)
    found.finish()
    try:
        model = Modifiers.model_validate(given)
    except ValidationError as error:
        raise Problems(problems_of(error, MODIFIERS)) from None
    return {key: getattr(model, key) for key in model.model_fields_set}
