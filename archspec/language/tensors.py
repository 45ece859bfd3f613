"""Named tensors as written: `save`, `from`, slices, and the parts of a split."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archspec.diagnostics import did_you_mean, shown
from archspec.expression import Expr
from archspec.ir import Field
from archspec.ir.bodies import INPUT
from archspec.language import arguments, identifiers
from archspec.language.names import not_taken
from archspec.language.problems import Collector, describe, fail, read_list

MOST_NAMES = 64
SIZE = Field("size")
SIZES = Field("size", many=True)
START = Field("count")
OF_SLICE = {"start": START, "channels": SIZE}


def tensor_name(value: Any, what: str = "the name of a tensor") -> str:
    """A name for a tensor, which becomes a variable of the generated source."""
    if isinstance(value, str) and "{" in value:
        hint = "names of tensors are fixed; next to `repeat`, `save` names the last output"
        fail("bad-name", f"`{value}` is not valid as {what}", hint)
    if isinstance(value, str) and "." in value:
        hint = f"for example, `{value.replace('.', '_')}`: the name of a variable, not of a layer"
        fail("bad-name", f"`{value}` is not valid as {what}", hint)
    name = identifiers.argument_name(value, what)
    if name == INPUT:
        fail(
            "bad-name",
            "`input` is reserved: it is always the network's or block's input",
            "choose another name",
        )
    return name if name == "x" else identifiers.attribute(name, what)


def saved_of(value: Any) -> tuple[str, ...]:
    """`save`: one name, or several for a block with `outputs`."""
    return names_of(value) if isinstance(value, list) else (tensor_name(value),)


def names_of(value: Any) -> tuple[str, ...]:
    """A list of names of tensors, each once."""
    _check_list(value)
    names = set[str]()

    def read(name: Any) -> str:
        if tensor_name(name) in names:
            fail("bad-name", f"`{name}` is listed twice", "list each tensor once")
        names.add(name)
        return str(name)

    return tuple(read_list(value, read, names=False))


def _check_list(value: Any) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_NAMES:
        hint = f"use a list: `[{value}]`" if isinstance(value, str) and len(value) < 60 else ""
        fail("wrong-type", f"expected a list of names, found {describe(value)}", hint)


def inputs_of(value: Any) -> tuple[str, ...]:
    """`inputs` of a block: names of tensors that its callers pass."""

    def read(name: str) -> str:
        not_taken(name, "input")
        return identifiers.attribute(name, "the name of an input")

    return tuple(read_list(names_of(value), read, names=False))


class Outputs(NamedTuple):
    """The outputs of a network: the names of its tensors, and those in training if they differ."""

    eval: tuple[str, ...]
    training: tuple[str, ...] = ()

    def places(self, written: Any) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """Each name, and its path below `outputs` as written."""
        modes = ("eval", "training") if isinstance(written, Mapping) else ("",)
        for mode in modes:
            for place, name in enumerate(getattr(self, mode or "eval")):
                yield name, (mode, place) if mode else (place,)


_MODES = {"train": "training", "test": "eval", "inference": "eval", "evaluation": "eval"}


def outputs_of(value: Any) -> Outputs:
    """`outputs` of a network: a list, or one list per mode."""
    if not isinstance(value, Mapping):
        return Outputs(_listed(value))
    found, modes = Collector(), dict[str, tuple[str, ...]]()
    for key in value:
        if key not in Outputs._fields:
            hint = did_you_mean(key, Outputs._fields, "available", _MODES)
            modes[hint.instead] = ()
            found.add("unknown-key", f"unknown mode `{key}`", hint, key, key=True)
            continue
        with found.trying(key):
            modes[key] = _listed(value[key])
    for key in Outputs._fields:
        if key not in value and key not in modes:
            instead = f"use `{key}: [...]`, or one list"
            found.lacks(key, f"missing required key `{key}`", instead)
    found.finish()
    return Outputs(**modes)


def _listed(value: Any) -> tuple[str, ...]:
    _check_list(value)
    example = "outputs: [layer3, layer4]"
    if not any(isinstance(name, str) for name in value):
        hint = f"use the names of tensors: `{example}`"
        fail("wrong-type", f"expected a list of names, found {value}"[:100], hint)
    found = Collector()
    for place, name in enumerate(value):
        with found.trying(place, names=False):
            if value.index(source_of(name, example)) < place:
                fail("unknown-output", f"output `{name}` is listed twice", "list each output once")
    found.finish()
    return tuple(value)


def _read(name: Any) -> str:
    return f"{{from: {shown(str(name))}}}"


FROM = "from: skip"


def source_of(value: Any, example: str = FROM) -> str:
    """`from`: the name of a tensor, which may be an entry of the network."""
    if not isinstance(value, str) or not value:
        hint = f"use the name of a tensor: `{example}`"
        if value and isinstance(value, list) and example == FROM:
            hint = f"use one branch per tensor: `concat: [{', '.join(map(_read, value))}]`"
        fail("wrong-type", f"expected a name, found {describe(value)}", hint)
    return str(value)


def slice_of(given: Any) -> dict[str, Expr]:
    """The arguments of a `slice`; a single one is its channels."""
    if isinstance(given, list):
        hint = "use `slice: {start: ..., channels: ...}`"
        fail("wrong-type", f"expected a mapping, found {describe(given)}", hint)
    if not isinstance(given, Mapping):
        return {"channels": arguments.expr(given, SIZE)}

    def read(key: str, value: Any) -> Expr:
        return arguments.expr(value, OF_SLICE[key])

    hint = "it has `start` and `channels`"
    return arguments.given_to("slice", given, OF_SLICE, read, lambda _: hint, ["channels"])


def sizes_of(value: Any) -> tuple[Expr, ...]:
    """The parts of a split."""
    sizes = arguments.value_of(value, SIZES)
    if not isinstance(sizes, tuple):
        hint = "set a size for each branch: `sizes: [26, 26, 52]`"
        fail("wrong-type", f"expected a list of numbers, found {describe(value)}", hint)
    return sizes
