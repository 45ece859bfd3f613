"""Names in one piece of a spec: stem or head, a stage, the defaults or a block.

A pure function: a piece that sees the same names and blocks has the same problems wherever it
stands. Their paths lead on from the piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol

from archspec.diagnostics import did_you_mean
from archspec.expression import Name, walk
from archspec.language.blocks import Block
from archspec.language.check import tensors
from archspec.language.check.references import Tree, references, trees_in, trees_of_init
from archspec.language.library import Bound, Broken, Meanings, bind_defaults, bind_use
from archspec.language.problems import Problem, Problems
from archspec.language.spec import Defaults, Section
from archspec.language.stack import Layer, Stack
from archspec.language.stages import RUN_KEYS, Stage
from archspec.language.starts import Init, written
from archspec.language.suggestions.unknown import default_hint, layer_hint, name_hint, name_in_list
from archspec.language.templates import expressions_of
from archspec.language.words import INDICES, PARTS_OF_ALL, SCOPE, TURN
from archspec.memo import Memo, remember_by_reads
from archspec.places import At, Path
from archspec.source.findings import MAX_FINDINGS

Piece = Section | Stage | Defaults | Block
OF_STAGES = RUN_KEYS


class Known(NamedTuple):
    """What every piece of a spec sees: the arguments of the network, and which blocks there are."""

    args: frozenset[str]
    blocks: frozenset[str]


class Use(NamedTuple):
    """A block that a piece names, and where it does so first."""

    block: str
    path: Path
    key: bool


class Checked(NamedTuple):
    """A piece, checked; `reads` are the blocks that were looked up."""

    problems: tuple[Problem, ...]
    uses: tuple[Use, ...]
    reads: frozenset[str]


class Scope(NamedTuple):
    """What is visible where layers stand: names in expressions, and parts."""

    names: frozenset[str]
    parts: frozenset[str] = frozenset(PARTS_OF_ALL)


class Binding(Protocol):
    """A use of a block, to be bound to what the block declares; raises `Problems`."""

    def __call__(self, *, memo: Memo | None) -> Bound:
        """What is given."""


def check_init(init: Init, args: frozenset[str]) -> Iterator[Problem]:
    """Every name that means nothing in the `init` of a spec."""
    yield from _unknown(trees_of_init(written(init), At()), ("init",), args)


def _unknown(trees: Iterable[Tree], path: Path, known: frozenset[str]) -> Iterator[Problem]:
    """Every name in expressions that stand below a place, which means nothing there."""
    for at, tree, names in trees:
        if missing := names - known:
            for name in walk(tree):
                if isinstance(name, Name) and name.id in missing:
                    message, place = f"`{name.id}` is not known here", (*path, *at.path)
                    hint = name_hint(name.id, place, known)
                    yield Problem("unknown-name", message, hint, place, word=name)


class _TooManyError(Exception):
    """No more problems are looked for."""


@remember_by_reads
def check_piece(piece: Piece, known: Known, blocks: Meanings, *, memo: Memo | None) -> Checked:
    """Every name that means nothing, and every argument that does not fit.

    Of too many problems there are `MAX_FINDINGS` and one more.
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
        self.stack(block.body, ("body",), Scope(outside.names, outside.parts | set(block.parts)))
        for problem in tensors.of_block(block, self.block_if_known):
            self.report(problem)

    def section(self, section: Section) -> None:
        """The layers of each entry."""
        for name, stack in section.entries:
            self.stack(stack, () if name is None else (name,), Scope(self.known.args))

    def stage(self, stage: Stage, path: Path) -> None:
        """What is given to each of its blocks."""
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
        """The norm and act, the arguments of ops and blocks."""
        anywhere = Scope(self.known.args | set(SCOPE))
        for name, stack in (("norm", defaults.norm), ("act", defaults.act)):
            if stack is not None:
                self.filler(stack, (name,), anywhere)
                if any(layer.head == name for layer in stack.layers):
                    message = f"`{name}` is filled with itself"
                    hint = "name an op or a block: `norm: {group_norm: 32}`"
                    self.report(Problem("cycle", message, hint, (name,)))
        for name, given in defaults.ops.items():
            for arg, value in given.items():
                self.value(value, (name, arg), anywhere)
        for name in defaults.blocks:
            self.default_of_block(defaults, name)

    def default_of_block(self, defaults: Defaults, name: str) -> None:
        block = self.look_up(name, (name,), key=True)
        if block is None:
            message = f"`{name}` is no op and no block"
            hint = default_hint(name, self.known.blocks)
            self.report(Problem("unknown-default", message, hint, (name,), key=True))
        elif isinstance(block, Block):
            scope = Scope(frozenset([*SCOPE, *block.args, *block.parts]))
            self.call(partial(bind_defaults, defaults, name, block), block, (name,), scope)

    # Layers

    def stack(self, stack: Stack | None, path: Path, scope: Scope) -> None:
        """Layers, with all that stands in their branches."""
        if stack is None:
            return
        asked = references(stack)
        self.names(asked.trees, path, scope)
        for at, layer, turn in asked.calls:
            if layer.head not in scope.parts:  # a part is checked when it is known what fills it
                self.layer(layer, (*path, *at.path, layer.head), scope, turn)
        for at, layer, _ in asked.runs:
            self.stage(layer.run, (*path, *at.path))
        for at, layer, _ in asked.nested:
            message = f"`{layer.head}` stands inside a `sequence`"
            hint = "a `sequence` holds layers only: make a block of it"
            self.report(Problem("bad-layer", message, hint, (*path, *at.path)))

    def layer(self, layer: Layer, path: Path, scope: Scope, turn: tuple[str, ...]) -> None:
        """A layer that is no op; `path` ends in its head, and `turn` are the indices it sees."""
        head = layer.head
        block = self.look_up(head, path, key=True)
        if block is None:
            message = f"there is no op, block or part `{head}`"
            known = scope.parts | self.known.blocks
            hint = name_in_list(head, layer.raw, known) or layer_hint(head, known)
            self.report(Problem("unknown-layer", message, hint, path, key=True))
        elif isinstance(block, Block):
            turn = turn[: len(TURN)] if block.inline else turn
            here = scope._replace(names=scope.names.union(turn))
            self.call(partial(bind_use, layer, head, block), block, path, here)

    def block_named(self, name: str, path: Path, key: bool) -> Block | Broken | None:
        """What can be nothing else than a block."""
        block = self.look_up(name, path, key)
        if block is None:
            hint = did_you_mean(name, self.known.blocks, "blocks")
            self.report(Problem("unknown-block", f"there is no block `{name}`", hint, path, key))
        return block

    def look_up(self, name: str, path: Path, key: bool) -> Block | Broken | None:
        """What a name means; that it was asked is noted."""
        self.uses.setdefault(name, Use(name, path, key))
        return self.blocks.get(name)

    def call(self, bind: Binding, block: Block, path: Path, scope: Scope) -> None:
        """What a block is given at a place."""
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
        """Layers that fill a part."""
        self.stack(stack, path, scope)
        for problem in tensors.of_filler(stack, path):
            self.report(problem)

    def block_if_known(self, name: str) -> Block | None:
        """The block that a head means, which was looked up; it may be a part."""
        block = self.blocks.get(name) if name in self.uses else None
        return block if isinstance(block, Block) else None

    # Names in expressions

    def value(self, value: Any, path: Path, scope: Scope) -> None:
        """Every name in a value that is an expression, or a list of them."""
        self.names(trees_in(value, At()), path, scope)

    def names(self, trees: Iterable[Tree], path: Path, scope: Scope) -> None:
        """Every name in expressions that stand below a place."""
        for problem in _unknown(trees, path, scope.names):
            self.report(problem)
