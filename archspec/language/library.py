"""Which block a name refers to, and how its arguments and parts are set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import Enum, auto
from pathlib import Path
from typing import Any

from archspec import resources
from archspec.diagnostics import Diagnostic, Span, SpecError, UnreadableFile, did_you_mean, instead
from archspec.expression import Expr
from archspec.files import MAX_BYTES
from archspec.ir import Field
from archspec.language import arguments, identifiers
from archspec.language.blocks import Block, block_of
from archspec.language.layers import stack_of
from archspec.language.limits import characters
from archspec.language.model import piece
from archspec.language.problems import Collector, Problems, describe, diagnose, fail, read_list
from archspec.language.stack import Stack
from archspec.language.suggestions.elsewhere import OF_STAGES_ELSEWHERE
from archspec.language.suggestions.indented import flow, unwrapped, wraps
from archspec.language.tensors import source_of
from archspec.language.words import COMBINATORS, PARTS_OF_ALL
from archspec.memo import Memo, remember
from archspec.ops import OPS
from archspec.paths import display_path, leaves_project, posix
from archspec.records import Record
from archspec.source.document import Document, Part
from archspec.source.folder import Files
from archspec.source.reader import parse

BUILT_IN = str(resources.BLOCKS)
HEADS = frozenset([*COMBINATORS, *PARTS_OF_ALL])
BLOCK_CHANNELS = Field("size", many=True)  # a list next to `repeat`
BLOCK_STRIDE = Field("size", many=True, high=4096)


class BlockError(SpecError):
    """A block file with findings of its own."""


class Broken(Enum):
    """Stands for a block whose file has findings."""

    BROKEN = auto()


class Meanings:
    """Name -> its block, `BROKEN`, or None: every name has an entry."""

    def __init__(self, library: "Library") -> None:
        self.library = library

    def get(self, name: str) -> Block | Broken | None:
        try:
            return self.library.block(name)
        except BlockError:
            return Broken.BROKEN


@remember
def parsed(text: bytes, file: str, *, memo: Memo | None) -> Document:
    """A document that may be used again: a spec, a block, or a base spec."""
    return parse(text, file)


class Library:
    """The blocks available to a spec: its own, those in files next to it, and the built-in ones."""

    def __init__(
        self,
        own: Mapping[str, Block],
        beside: Path | None = None,
        files: Files | None = None,
        memo: Memo | None = None,
        document: Document | None = None,
    ) -> None:
        self.own, self.beside, self.memo = own, beside, memo
        self.files = files or Files()
        self.folders = [*([posix(f"{beside}/blocks")] if beside else []), BUILT_IN]
        self.document = document or Document({})
        self.documents: dict[str, Document] = {}  # of the blocks that were looked up
        self._found: dict[str, Block | None] = {}
        gone = (path[1] for path in self.document.gone if path[0] == "blocks")
        self._wrong = {str(name): BlockError(()) for name in gone}
        self._bytes = 0
        self._characters = 0

    def block(self, name: str) -> Block | None:
        """The block with this name, or None.

        Raises `BlockError` if its file has findings, and `UnreadableFile` if it cannot be read.
        """
        if name in self._wrong:
            raise self._wrong[name]
        if name not in self._found:
            try:
                self._found[name] = self._own(name) or self._from_file(name)
            except BlockError as error:  # read once, however many specs use it
                self._wrong[name] = error
                raise
        return self._found[name]

    def readable(self, name: str) -> Block | None:
        """The same, but None for a file with findings: they are reported where it is used."""
        try:
            return self.block(name)
        except BlockError:
            return None

    def known(self) -> dict[str, Block]:
        """Every block that was looked up and exists."""
        return {name: block for name, block in self._found.items() if block is not None}

    def imports(self) -> tuple[tuple[str, Span], ...]:
        """The classes that these blocks import, and where each is named."""
        imported = {n: b.imported for n, b in self.known().items() if b.imported}
        found = [(path, self.documents[n].span(("import",))) for n, path in imported.items()]
        known = ((path, span) for path, span in found if span)
        return tuple(sorted(known, key=lambda one: one[1]))

    def _own(self, name: str) -> Block | None:
        block = self.own.get(name)
        if block is not None:
            self.documents[name] = Part(self.document, "blocks", name)
        return block

    def _from_file(self, name: str) -> Block | None:
        try:
            identifiers.attribute(name)
        except Problems:
            return None
        for folder in self.folders:
            path = f"{folder}/{name}.yaml"
            if self.files.is_there(path):
                beside = self.beside if folder != BUILT_IN else None
                return self.read(name, path, beside)
        return None

    def read(self, name: str, path: str, beside: Path | None) -> Block:
        """A block from a file. The files next to the spec share the size limit of one file, and are
        in its project.
        """
        if beside and leaves_project(path, beside):
            message = f"`{display_path(path)}` is a symlink to a path outside the project"
            raise UnreadableFile(message, "copy the file into this directory")
        text = self.files.read(path)
        if beside:
            self._admit(len(text), path)
        try:
            document = parsed(text, display_path(path), memo=self.memo)
            if beside:
                whose = "the blocks that this spec uses"
                self._characters = characters(document, whose, self._characters)
        except SpecError as error:
            raise BlockError(error.diagnostics) from None
        self.documents[name] = document
        return block_in(document, memo=self.memo)

    def _admit(self, size: int, path: str) -> None:
        """The total size of the files, within the limit of one file."""
        self._bytes += size
        if size <= MAX_BYTES < self._bytes:
            message = f"the blocks that this spec uses exceed {MAX_BYTES:,} bytes in total"
            place, hint = Span(display_path(path)), "use fewer or smaller blocks"
            raise BlockError([Diagnostic("too-large", message, place, hint)])

    def is_class(self, name: str) -> bool:
        """Whether a name refers to a block that is one module."""
        block = self._found.get(name)
        return block is not None and not block.inline

    def of_spec_alone(self, name: str) -> bool:
        """Whether only the spec defines this block, so that no block in a file can use it."""
        files = (f"{folder}/{name}.yaml" for folder in self.folders)
        return name in self.own and not any(map(self.files.is_there, files))

    def names(self) -> Iterator[str]:
        """Every available block."""
        yield from self.own
        for folder in self.folders:
            yield from self.files.stems(folder)

    def hidden(self) -> Iterator[tuple[str, str]]:
        """The files next to the spec that have the name of an op, combinator, norm, or act."""
        for folder in self.folders[:-1]:
            for name in self.files.stems(folder):
                if name in OPS or name in HEADS:
                    yield name, f"{folder}/{name}.yaml"


@remember
def block_in(document: Document, *, memo: Memo | None) -> Block:
    """The block in a document; raises `BlockError`."""
    try:
        return piece(block_of, document.data, memo)
    except Problems as error:
        raise BlockError(diagnose(p, document) for p in error.problems) from None


def block_file(path: Path) -> tuple[Block, Document]:
    """The block in a file of a project, and its document.

    Raises `BlockError`, and `UnreadableFile`, also for a symlink to a path outside the project.
    """
    folder = path.parent.parent
    library = Library({}, folder)
    block = library.read(path.stem, str(path), folder)
    return block, library.documents[path.stem]


def built_in(name: str) -> tuple[Block, Document]:
    """A built-in block and its document."""
    library = Library({})
    block = library.block(name)
    assert block is not None, name
    return block, library.documents[name]


MOST_NUMBERS = 1000  # in a list
LISTS = "a list of lists has one list per block, in a stage or next to `repeat`"


class Bound(Record, eq=False):
    """The values that a caller sets: numbers for arguments, layers for parts."""

    args: dict[str, Expr | tuple[Expr | tuple[Expr, ...], ...]] = field(default_factory=dict)
    parts: dict[str, Stack] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)  # names of tensors


def bind(given: Mapping[str, Any], name: str, block: Block, beside: Sequence[str] = ()) -> Bound:
    """The arguments and parts in `given`, each as the block declares it.

    Raises `Problems`. `beside` are other keys that the user may have meant.
    """
    found, bound = Collector(), Bound()
    for key in given:
        with found.trying(key):
            if key in ("channels", "stride"):
                how = BLOCK_CHANNELS if key == "channels" else BLOCK_STRIDE
                bound.args[key] = arguments.value_of(given[key], how)  # type: ignore[assignment]
            elif key in block.args:
                bound.args[key] = _number(given[key], key, name)
            elif key in block.parts or key in PARTS_OF_ALL:
                bound.parts[key] = stack_of(given[key])
            elif key in block.inputs:
                bound.inputs[key] = source_of(given[key])
            else:
                _report_unknown(found, key, given, name, block, beside)
    found.finish()
    return bound


@remember
def bind_use(
    use: Any, name: str, block: Block, beside: tuple[str, ...] = (), *, memo: Memo | None
) -> Bound:
    """The same for the values of a layer or stage (`use.given`)."""
    return bind(use.given, name, block, beside)


@remember
def bind_defaults(defaults: Any, name: str, block: Block, *, memo: Memo | None) -> Bound:
    """The same for the values in `defaults`, where per-block lists are not allowed."""
    given = defaults.blocks.get(name, {})
    bound, found = bind(given, name, block), Collector()
    for arg, value in bound.args.items():
        if isinstance(value, tuple) and any(isinstance(part, tuple) for part in value):
            found.add("wrong-type", f"`{arg}` is a list of lists", LISTS, arg)
    found.finish()
    return bound


def _number(value: Any, key: str, name: str) -> Any:
    if isinstance(value, Mapping):
        fail("wrong-type", f"`{key}` of block `{name}` is a number, but layers were given")
    if not isinstance(value, list):
        return arguments.expr(value)
    if not 1 <= len(value) <= MOST_NUMBERS:
        fail("out-of-range", f"expected a list of numbers, found {describe(value)}")
    return tuple(read_list(value, arguments.value_of))


def _report_unknown(
    found: Collector,
    key: str,
    given: Mapping[str, Any],
    name: str,
    block: Block,
    beside: Sequence[str],
) -> None:
    if key == "in_channels":
        hint = "remove it; input sizes are inferred"
    elif wraps(key, given[key]):
        layer = f"{{block: {name}, ...}}" if beside else f"{name}: {{...}}"
        hint = f"remove `{key}`: `{layer.replace('...', flow(unwrapped(given))[1:-1])}`"
    else:
        known = [
            *block.args,
            *block.parts,
            *block.inputs,
            "channels",
            "stride",
            *PARTS_OF_ALL,
            *beside,
        ]
        hint = did_you_mean(key, known, "available in a stage" if beside else "available")
        if beside and key in OF_STAGES_ELSEWHERE:
            hint = instead(OF_STAGES_ELSEWHERE[key], key, "")
    message = f"block `{name}` has no argument or part `{key}`"
    found.add("unknown-key", message, hint, key, key=True)
