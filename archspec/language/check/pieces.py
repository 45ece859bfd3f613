"""Names in one piece of a spec: stem or head, a stage, the defaults, or a block.

A pure function: a piece with the same names and blocks in scope has the same problems anywhere.
The paths of its problems are relative to the piece.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from archspec.diagnostics import did_you_mean
from archspec.expression import Name, walk
from archspec.language.blocks import Block
from archspec.language.check import tensors
from archspec.language.check.references import Tree, references, trees_in, trees_of_init
from archspec.language.library import Bound, Broken, Meanings, bind_defaults, bind_use
from archspec.language.problems import Problem, Problems
from archspec.language.spec import Defaults, Section, Spec
from archspec.language.stack import Layer, Stack
from archspec.language.stages import RUN_KEYS, Stage
from archspec.language.starts import Init, written
from archspec.language.suggestions.unknown import (
    PASSED,
    belongs_on_top,
    default_hint,
    layer_hint,
    name_hint,
    name_in_list,
)
from archspec.language.templates import expressions_of
from archspec.language.words import BRANCHED, INDICES, PARTS_OF_ALL, SCOPE, TURN
from archspec.memo import Memo, remember_by_reads
from archspec.ops import OPS
from archspec.places import At, Path
from archspec.records import Record
from archspec.source.findings import MAX_FINDINGS

BRANCHED_HEADS = frozenset(BRANCHED)
Piece = Section | Stage | Defaults | Block
OF_STAGES = RUN_KEYS


class Known(NamedTuple):
    """The scope of every piece of a spec: the network's arguments, and the existing blocks."""

    args: frozenset[str]
    blocks: frozenset[str]


class Use(Record):
    """A block that a piece names, and where it is first named."""

    block: str
    path: Path
    key: bool


class Checked(Record):
    """A checked piece; `reads` are the blocks that were looked up."""

    problems: tuple[Problem, ...]
    uses: tuple[Use, ...]
    reads: frozenset[str]


class Scope(Record):
    """What is in scope for layers: names in expressions, and parts."""

    names: frozenset[str]
    parts: frozenset[str] = frozenset(PARTS_OF_ALL)


class Binding(Protocol):
    """A use of a block, to be matched with what the block declares; raises `Problems`."""

    def __call__(self, *, memo: Memo | None) -> Bound:
        """The arguments as given."""


def check_init(init: Init, args: frozenset[str]) -> Iterator[Problem]:
    """Check the names in the `init` of a spec."""
    yield from _unknown(trees_of_init(written(init), At()), ("init",), args)


def _unknown(
    trees: Iterable[Tree], path: Path, known: frozenset[str], args: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """Report every name in expressions below a location where names are not allowed.

    `args` are those of the spec.
    """
    for at, tree, names in trees:
        if missing := names - known:
            for name in walk(tree):
                if isinstance(name, Name) and name.id in missing:
                    message, place = f"`{name.id}` is not defined here", (*path, *at.path)
                    hint = name_hint(name.id, place, known)
                    if name.id in args:
                        hint = PASSED.format(name.id)
                    yield Problem("unknown-name", message, hint, place, word=name)


def _saved(stack: Stack) -> Iterator[str]:
    """The tensors that layers save, also in branches."""
    return (name for layer, _ in stack.all for name in layer.save)


class _TooManyError(Exception):
    """Enough problems were found."""


@remember_by_reads
def check_piece(piece: Piece, known: Known, blocks: Meanings, *, memo: Memo | None) -> Checked:
    """Check that every name in a piece is defined and every argument fits.

    If there are too many problems, only the first `MAX_FINDINGS` and one more are returned.
    """
    check = _Check(known, blocks, memo)
    with suppress(_TooManyError):
        check.piece(piece)
    return Checked(tuple(check.problems), tuple(check.uses.values()), frozenset(check.uses))


class _Check:
    """The check of one piece."""

    def __init__(self, known: Known, blocks: Meanings, memo: Memo | None) -> None:
        self.known, self.blocks, self.memo = known, blocks, memo
        self.problems: list[Problem] = []
        self.uses: dict[str, Use] = {}
        self.tensors: frozenset[str | None] = frozenset()  # names that `from` can read

    def report(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) > MAX_FINDINGS:
            raise _TooManyError

    def piece(self, piece: Piece) -> None:
        match piece:
            case Section():
                self.section(piece)
            case Stage(between=None):
                self.stage(piece, ())
            case Stage():
                self.stack(piece.between, (), Scope(self.known.args))
            case Defaults():
                self.defaults(piece)
            case Block():
                self.block(piece)

    def block(self, block: Block) -> None:
        """The defaults of arguments, the layers of parts, and the body."""
        outside = Scope(frozenset([*SCOPE, *block.args, *block.parts]))
        for arg, default in block.args.items():
            self.value(default, ("args", arg), outside)
        self.value(expressions_of(block.name), ("name",), outside)
        for part, stack in block.parts.items():
            self.stack(stack, ("parts", part), outside)
        self.names(trees_of_init(written(block.init), At()), ("init",), outside)
        for name, value in block.call.items():
            self.value(value, ("call", name), outside)
        self.value(block.macs, ("macs",), outside)
        self.value(block.params, ("params",), outside)
        self.stack(block.like, ("like",), outside)
        self.tensors = frozenset([*block.inputs, *_saved(block.body)])
        self.stack(block.body, ("body",), Scope(outside.names, outside.parts | set(block.parts)))
        for problem in tensors.of_block(block, self.block_if_known):
            self.report(problem)

    def section(self, section: Section) -> None:
        """The layers of each entry."""
        saved = (tensor for _, stack in section.entries for tensor in _saved(stack))
        self.tensors = frozenset([*(name for name, _ in section.entries), *saved])
        for name, stack in section.entries:
            before = len(self.problems)
            self.stack(stack, () if name is None else (name,), Scope(self.known.args))
            if name in Spec.model_fields:
                first, hint = self.problems[before:][:1], belongs_on_top(str(name))
                self.problems[before:] = [p._replace(hint=hint) for p in first]

    def stage(self, stage: Stage, path: Path) -> None:
        """The arguments given to each of its blocks."""
        here = Scope(self.known.args | set(INDICES))
        self.value(stage.repeat, (*path, "repeat"), Scope(self.known.args))
        self.value(stage.channels, (*path, "channels"), here)
        self.value(stage.stride, (*path, "stride"), here)
        self.value(expressions_of(stage.name), (*path, "name"), here)
        inside = Scope(self.known.args | set(SCOPE))
        for name in dict.fromkeys(stage.blocks):
            block = self.block_named(name, (*path, "block"), key=False)
            if isinstance(block, Block):
                self.call(partial(bind_use, stage, name, block, OF_STAGES), block, path, inside)

    def defaults(self, defaults: Defaults) -> None:
        """The norm and act, and the arguments of ops and blocks."""
        anywhere = Scope(self.known.args | set(SCOPE))
        for name, stack in (("norm", defaults.norm), ("act", defaults.act)):
            if stack is not None:
                self.filler(stack, (name,), anywhere)
                if any(layer.head == name for layer in stack.layers):
                    message = f"`{name}` refers to itself"
                    hint = "use an op or a block: `norm: {group_norm: 32}`"
                    self.report(Problem("cycle", message, hint, (name,)))
        for name, given in defaults.ops.items():
            for arg, value in given.items():
                self.value(value, (name, arg), anywhere)
        for name in defaults.blocks:
            self.default_of_block(defaults, name)

    def default_of_block(self, defaults: Defaults, name: str) -> None:
        block = self.look_up(name, (name,), key=True)
        if block is None:
            message = f"unknown op or block `{name}`"
            hint = default_hint(name, self.known.blocks)
            self.report(Problem("unknown-default", message, hint, (name,), key=True))
        elif isinstance(block, Block):
            scope = Scope(frozenset([*SCOPE, *block.args, *block.parts]))
            self.call(partial(bind_defaults, defaults, name, block), block, (name,), scope)

    # Layers

    def stack(self, stack: Stack | None, path: Path, scope: Scope) -> None:
        """Layers, including those in their branches."""
        if stack is None:
            return
        asked = references(stack)
        self.names(asked.trees, path, scope)
        for at, layer, turn in asked.calls:
            if layer.head not in scope.parts:  # a part is checked once its layers are known
                self.layer(layer, (*path, *at.path, layer.head), scope, turn)
        for at, layer, _ in asked.runs:
            self.stage(layer.run, (*path, *at.path))
        for at, layer, _ in asked.nested:
            message = f"`{layer.head}` is not allowed inside a `sequence`"
            hint = "a `sequence` contains only layers: move it into a block"
            self.report(Problem("bad-layer", message, hint, (*path, *at.path)))

    def layer(self, layer: Layer, path: Path, scope: Scope, turn: tuple[str, ...]) -> None:
        """A layer that is not an op; `path` ends in its layer type; `turn` holds the indices in
        scope.
        """
        head = layer.head
        block = self.look_up(head, path, key=True)
        if block is None:
            message = f"unknown layer `{head}`"
            known = scope.parts | self.known.blocks
            meant = layer_hint(head, known)
            hint = meant if meant.sure else name_in_list(head, layer.raw, known) or meant
            branch = not BRANCHED_HEADS.isdisjoint(path[:-1]) and not meant.instead
            if layer.raw == head and (head in self.tensors or branch):
                hint = f"to read the tensor of this name, use `{{from: {head}}}`"
            self.report(Problem("unknown-layer", message, hint, path, key=True))
        elif isinstance(block, Block):
            turn = turn[: len(TURN)] if block.inline else turn
            here = replace(scope, names=scope.names.union(turn))
            self.call(partial(bind_use, layer, head, block), block, path, here)

    def block_named(self, name: str, path: Path, key: bool) -> Block | Broken | None:
        """A name that can only refer to a block."""
        block = self.look_up(name, path, key)
        if block is None:
            hint: str = did_you_mean(name, self.known.blocks, "blocks")
            if name in OPS:
                hint = f"`{name}` is an op: use it without `block`, as in `{{{name}: ...}}`"
            self.report(Problem("unknown-block", f"unknown block `{name}`", hint, path, key))
        return block

    def look_up(self, name: str, path: Path, key: bool) -> Block | Broken | None:
        """What a name refers to; the lookup is recorded."""
        self.uses.setdefault(name, Use(name, path, key))
        return self.blocks.get(name)

    def call(self, bind: Binding, block: Block, path: Path, scope: Scope) -> None:
        """The arguments given to a block at a location."""
        try:
            bound = bind(memo=self.memo)
        except Problems as error:
            for problem in error.problems:
                self.report(problem.below(*path))
            return
        for arg, value in bound.args.items():
            self.value(value, (*path, arg), scope)
        names = frozenset([*SCOPE, *block.args, *block.parts]) | self.known.args
        for part, stack in bound.parts.items():
            self.filler(stack, (*path, part), Scope(names, scope.parts))

    def filler(self, stack: Stack, path: Path, scope: Scope) -> None:
        """The layers given for a part."""
        self.stack(stack, path, scope)
        for problem in tensors.of_filler(stack, path):
            self.report(problem)

    def block_if_known(self, name: str) -> Block | None:
        """The block that a layer type refers to, which was looked up; it may be a part."""
        block = self.blocks.get(name) if name in self.uses else None
        return block if isinstance(block, Block) else None

    # Names in expressions

    def value(self, value: Any, path: Path, scope: Scope) -> None:
        """Check the names in a value that is an expression or a list of expressions."""
        self.names(trees_in(value, At()), path, scope)

    def names(self, trees: Iterable[Tree], path: Path, scope: Scope) -> None:
        """Check the names in all expressions below a location."""
        for problem in _unknown(trees, path, scope.names, self.known.args):
            self.report(problem)
