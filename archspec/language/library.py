"""Which block a name means, and what a use of it gives."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from archspec import resources
from archspec.diagnostics import Diagnostic, Span, did_you_mean
from archspec.expression import Expr
from archspec.ir import Field
from archspec.language import arguments, identifiers
from archspec.language.amount import characters
from archspec.language.blocks import Block, block_of
from archspec.language.layers import COMBINATORS, Stack, stack_of
from archspec.language.names import PARTS_OF_ALL
from archspec.language.problems import Collector, Problems, diagnose
from archspec.ops import OPS
from archspec.record import field, record
from archspec.source import read, seen, shared
from archspec.source.files import MAX_BYTES, display_path, leaves_project, working_folder

BUILT_IN = str(resources.BLOCKS)
HEADS = frozenset([*COMBINATORS, *PARTS_OF_ALL])
BLOCK_CHANNELS = Field("size")
BLOCK_STRIDE = Field("size", high=4096)


class BlockError(Exception):
    """A block file with findings of its own."""

    def __init__(self, diagnostics: list[Any]) -> None:
        super().__init__()
        self.diagnostics = diagnostics


@record(eq=False)
class Bound:
    """What a use of a block gives: numbers for arguments, layers for parts."""

    args: dict[str, Expr | tuple[Expr, ...]] = field(default_factory=dict)
    parts: dict[str, Stack] = field(default_factory=dict)


@lru_cache(maxsize=512)
def _block_file(path: str, _stamp: tuple[int, int, str]) -> Block:
    data = read(path)
    try:
        return block_of(data)
    except Problems as error:
        raise BlockError([diagnose(p, data) for p in error.problems]) from None


def block_file(path: str | Path) -> Block:
    """A block from its file; read again only when the file has changed, or its shown path."""
    path = str(path)
    return shared.shared_file(block_file, path, partial(_block_file_now, path))


def _block_file_now(path: str) -> Block:
    status = os.stat(path)
    return _block_file(path, (status.st_mtime_ns, status.st_size, working_folder()))


@lru_cache(maxsize=256)
def _folders(beside: Path | None) -> list[str]:
    """Where files of blocks are looked for, in this order."""
    return [*([str(beside / "blocks")] if beside else []), BUILT_IN]


def _left(name: str, path: str) -> Diagnostic:
    message = f"the file of the block `{name}` is a link that leads out of the project"
    return Diagnostic("unknown-block", message, Span(display_path(path)), "put a copy of it here")


class Library:
    """The blocks that a spec sees: its own, the files beside it, the built-in ones."""

    def __init__(self, own: Mapping[str, Block], beside: Path | None = None) -> None:
        self.own = own
        self.beside = beside
        self.folders = _folders(beside)
        self._found: dict[str, Block | None] = {}
        self._wrong: dict[str, BlockError] = {}
        self._bytes = 0
        self._characters = 0
        self._bound: dict[tuple[int, int], tuple[Any, Block, Bound]] = {}

    def block(self, name: str) -> Block | None:
        """The block of this name, or None; raises `BlockError` if its file has findings."""
        if name in self._wrong:
            raise self._wrong[name]
        if name not in self._found:
            try:
                self._found[name] = self.own.get(name) or self._from_file(name)
            except BlockError as error:  # read once, however many use it
                self._wrong[name] = error
                raise
        return self._found[name]

    def look_up(self, names: Set[str]) -> None:
        """What is asked of these names, without an answer: a cache knows what was looked at."""
        for name in names - self._found.keys():
            self.block(name)

    def met(self) -> frozenset[str]:
        """The names that were looked up."""
        return frozenset(self._found)

    def _from_file(self, name: str) -> Block | None:
        try:
            identifiers.attribute(name)
        except Problems:
            return None
        for folder in self.folders:
            path = f"{folder}/{name}.yaml"
            if seen.is_file(path):
                if self.beside and folder is self.folders[0]:
                    return self._admitted(name, path, self.beside)
                return block_file(path)
        return None

    def _admitted(self, name: str, path: str, beside: Path) -> Block:
        """A block from a file beside the spec; all of them hold no more than one may."""
        self._admit(name, path, beside)
        block = block_file(path)
        whose = "the blocks that this spec uses"
        self._characters = characters(block.raw, whose, self._characters)
        return block

    def _admit(self, name: str, path: str, beside: Path) -> None:
        """Only files of the project; all of them no larger than one may be."""
        if leaves_project(path, beside):
            raise BlockError([_left(name, path)])
        size = os.stat(path).st_size
        self._bytes += size
        if size <= MAX_BYTES < self._bytes:
            message = f"the blocks that this spec uses are larger than {MAX_BYTES:,} bytes"
            place, hint = Span(display_path(path)), "use fewer or smaller ones"
            raise BlockError([Diagnostic("too-large", message, place, hint)])

    def names(self) -> Iterator[str]:
        """Every block there is."""
        yield from self.own
        for folder in self.folders:
            yield from seen.stems(folder)

    def hidden(self) -> Iterator[tuple[str, str]]:
        """The files beside the spec that are called like an op, a combinator, a norm or an act."""
        for folder in self.folders[:-1]:
            for name in seen.stems(folder):
                path = f"{folder}/{name}.yaml"
                if (name in OPS or name in HEADS) and seen.is_file(path):
                    yield name, path

    def bind(
        self, given: Mapping[str, Any], name: str, block: Block, beside: Sequence[str] = ()
    ) -> Bound:
        """The arguments and parts that `given` sets; raises `Problems`.

        `beside` are other keys that could have been meant.
        """
        store = shared.store()
        known = self._bound if store is None else store.bound
        key = (id(given), id(block))
        if key not in known:
            known[key] = (given, block, bind(given, name, block, beside))
        return known[key][2]


def bind(given: Mapping[str, Any], name: str, block: Block, beside: Sequence[str] = ()) -> Bound:
    """Each value as what the block declares it to be; raises `Problems`."""
    found, bound = Collector(), Bound()
    for key in given:
        with found.trying(key):
            if key in ("channels", "stride"):
                how = BLOCK_CHANNELS if key == "channels" else BLOCK_STRIDE
                bound.args[key] = arguments.expr(given[key], how)
            elif key in block.args:
                bound.args[key] = _number(given[key], key, name)
            elif key in block.parts or key in PARTS_OF_ALL:
                bound.parts[key] = stack_of(given[key])
            else:
                _unknown(found, key, name, block, beside)
    found.finish()
    return bound


def _number(value: Any, key: str, name: str) -> Any:
    if isinstance(value, Mapping):
        message = f"`{key}` of `{name}` is a number, and here it is given layers"
        raise Problems(_one("wrong-type", message))
    return arguments.value_of(value)


def _one(rule: str, message: str) -> list[Any]:
    from archspec.language.problems import Problem

    return [Problem(rule, message)]


def _unknown(found: Collector, key: str, name: str, block: Block, beside: Sequence[str]) -> None:
    if key == "in_channels":
        hint = "what arrives is known and never written"
    else:
        known = [*block.args, *block.parts, "channels", "stride", *PARTS_OF_ALL, *beside]
        hint = did_you_mean(key, known, "a stage of it has" if beside else "it has")
    message = f"`{name}` has no argument or part `{key}`"
    found.add("unknown-key", message, hint, key, key=True)
