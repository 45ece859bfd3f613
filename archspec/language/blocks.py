"""Blocks: reusable groups of layers with arguments and parts."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field as ModelField, PrivateAttr, ValidationError

from archspec.diagnostics import shown
from archspec.expression import Number
from archspec.language import arguments, identifiers, own
from archspec.language.layers import stack_of
from archspec.language.model import Model, piece, reads, reads_pieces
from archspec.language.names import ClassName, Doc, at_key, not_a_device, not_taken
from archspec.language.problems import (
    Problem,
    Problems,
    check_mapping,
    describe,
    fail,
    problems_of,
    read_items,
)
from archspec.language.stack import Stack
from archspec.language.starts import init_of
from archspec.language.suggestions.indented import check_indentation, flow
from archspec.language.suggestions.layers import as_list
from archspec.language.templates import name_of
from archspec.language.tensors import inputs_of, names_of
from archspec.language.words import PARTS_OF_ALL
from archspec.memo import Memo


def _block_arguments(value: Any) -> dict[str, Any]:
    """Name -> default; None means `required`."""
    hint = f"set their defaults: `{{{_keyed(value, 'required')}}}`"
    check_mapping(value, "a mapping of arguments", hint)
    return read_items(value, _block_argument)


def _block_argument(name: str, given: Any) -> Any:
    identifiers.argument_name(name)
    not_taken(name, "argument")
    if given is None:
        hint = f"set its default, for example `{name}: 1`, or use `{name}: required`"
        fail("wrong-type", "expected a number, found nothing", hint)
    return None if given == "required" else arguments.value_of(given)


def _keyed(names: Any, default: str) -> str:
    """A list of names as keys of a mapping."""
    listed = names if isinstance(names, list) and names else [names if names else "name"]
    return ", ".join(f"{shown(str(name))}: {default}" for name in listed[:5])


def _block_parts(value: Any) -> dict[str, Stack]:
    hint = f"set their defaults: `{{{_keyed(value, 'none')}}}`"
    check_mapping(value, "a mapping of parts", hint)
    return read_items(value, _block_part)


def _block_part(name: str, layers: Any) -> Stack:
    identifiers.argument_name(name, "the name of a part")
    not_taken(name, "part")
    return stack_of(layers)


def _listed(value: Any) -> Stack:
    if not isinstance(value, list):
        fail("wrong-type", f"expected a list of layers, found {describe(value)}", as_list(value))
    return stack_of(value)


NO_LAYERS = Stack(none=True)


class Block(Model):
    """A block: a reusable group of layers, with arguments (numbers) and parts (layers)."""

    doc: Doc = ""
    class_: ClassName | None = ModelField(None, alias="class")
    name: Annotated[Any, reads(name_of)] = None
    inline: bool = False
    inputs: Annotated[tuple[str, ...], reads(inputs_of)] = ()
    outputs: Annotated[tuple[str, ...], reads(names_of)] = ()
    args: Annotated[dict[str, Any], reads(_block_arguments)] = {}
    parts: Annotated[dict[str, Stack], reads(_block_parts)] = {}
    init: Annotated[dict[str, Any], reads(init_of)] = {}
    body: Annotated[Stack, reads(_listed)] = NO_LAYERS
    imported: Annotated[str | None, reads(own.path_of)] = ModelField(None, alias="import")
    call: Annotated[dict[str, Any], reads(own.keywords_of)] = {}
    like: Annotated[Stack, reads(stack_of)] = NO_LAYERS
    macs: Annotated[Any, reads(arguments.expr, own.COUNT)] = Number(0)
    params: Annotated[Any, reads(arguments.expr, own.COUNT)] = Number(0)

    _raw: Any = PrivateAttr(None)

    def agree(self) -> None:
        """A name is only one of argument, part, and input; `init` needs a class to be set in."""
        keys = {name: f.alias or name for name, f in Block.model_fields.items()}
        own.agree({keys[name] for name in self.model_fields_set})
        if self.inline and self.init:
            message = "an inline block has no class, so it cannot have its own `init`"
            hint = "set `init` on its layers, or remove `inline`"
            raise Problems([at_key("bad-layer", message, ("init",), hint)])
        for name in self.args.keys() & self.parts.keys():
            message = f"`{name}` is declared as both an argument and a part"
            raise Problems([at_key("bad-name", message, ("parts", name))])
        for place, name in enumerate(self.inputs):
            if name in self.args or name in self.parts:
                message = (
                    f"`{name}` is declared as both an input and "
                    f"{'an argument' if name in self.args else 'a part'}"
                )
                raise Problems([Problem("bad-name", message, "", ("inputs", place))])

    @property
    def is_class(self) -> bool:
        """Whether the block is a class in the generated source."""
        return not self.inline and self.imported is None

    @property
    def raw(self) -> Any:
        """The block as written in YAML."""
        return self._raw

    __hash__ = object.__hash__
    __eq__ = object.__eq__  # equal blocks are one object, see `archspec.memo.canonical`


def block_of(value: Any) -> Block:
    """A block from its YAML value; raises `Problems`."""
    if not isinstance(value, Mapping):
        hint = "for example, `body: [{conv: channels}, norm, act]` under its name"
        if isinstance(value, list):
            hint = f"use `{{body: {flow(value)}}}`"
        message = f"expected a block (a mapping with a `body`), found {describe(value)}"
        fail("wrong-type", message, hint)
    try:
        block = Block.model_validate(dict(value))
    except ValidationError as error:
        raise Problems(problems_of(error, _keys())) from None
    block._raw = value
    return block


def _keys() -> list[str]:
    return [field.alias or name for name, field in Block.model_fields.items()]


def _block_name(name: Any) -> None:
    identifiers.attribute(name, "the name of a block")
    not_taken(name, "block")
    if name in PARTS_OF_ALL:
        fail("bad-name", f"`{name}` is reserved: every block has it as a part", "rename the block")


def unusable(name: str) -> tuple[Problem, ...]:
    """Why no block, and no file of a block, can have this name."""
    try:
        _block_name(name)
        not_a_device(f"{name}.yaml", f"{name}_block")
    except Problems as error:
        return error.problems
    return ()


def blocks_of(value: Any, memo: Memo | None = None) -> dict[str, Block]:
    """`blocks` from its YAML value; raises `Problems`."""
    hint = "for example, `blocks: {cell: {body: [{conv: channels}, norm, act]}}`"
    check_mapping(value, "a mapping of blocks", hint)
    check_indentation(value, _keys())

    def read(name: str, block: Any) -> Block:
        _block_name(name)
        return piece(block_of, block, memo)

    return read_items(value, read)


Blocks = Annotated[dict[str, Block], reads_pieces(blocks_of)]
