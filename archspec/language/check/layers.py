"""Layers, and what they give to blocks."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from archspec.diagnostics import Diagnostic, Label, Span, did_you_mean
from archspec.language.blocks import Block, unusable
from archspec.language.check.findings import Findings, Scope, Where
from archspec.language.check.references import references
from archspec.language.layers import Layer, Stack
from archspec.language.library import BlockError, Bound, Library, bind_use
from archspec.language.problems import Problems, diagnose
from archspec.language.suggestions.unknown import layer_hint
from archspec.language.words import PARTS_OF_ALL, SCOPE
from archspec.memo import Memo


class Use(Protocol):
    """A use of a block, to be bound to what the block declares; raises `Problems`."""

    def __call__(self, *, memo: Memo | None) -> Bound:
        """What is given."""


class Layers:
    """Follows layers into the blocks that they use; `args` are those of the spec.

    Blocks wait in a list until the layers that use them are checked, so that a long chain of
    blocks needs no deep recursion.
    """

    def __init__(self, library: Library, args: frozenset[str] = frozenset()) -> None:
        self.library = library
        self.args = args
        self.found = Findings()
        self._met: set[str] = set()
        self._waiting: list[tuple[str, Block, Span | None]] = []

    def stack(self, stack: Stack | None, where: Where, scope: Scope) -> None:
        """Layers, with all that stands in their branches."""
        if stack is None:
            return
        asked = references(stack, memo=self.library.memo)
        if not asked.names <= scope.names:
            self.found.check_names(scope, asked.trees, where)
        for at, layer in asked.calls:
            if layer.head not in scope.parts:  # a part is checked when it is known what fills it
                self._block_call(layer, where.below(*at.path), scope)
        for at, layer in asked.nested:
            hint = "a `sequence` holds layers only: make a block of it"
            message = f"`{layer.head}` stands inside a `sequence`"
            self.found.report("bad-layer", message, where.span(*at.path), hint, scope)

    def _block_call(self, layer: Layer, where: Where, scope: Scope) -> None:
        head, span = layer.head, where.span(layer.head, key=True)
        if not self.is_block(head):
            message = f"there is no op, block or part `{head}`"
            hint = layer_hint(head, scope.parts, self.library.names())
            self.found.report("unknown-layer", message, span, hint, scope)
            return
        block = self.known_block(head, span, scope)
        if block is not None:
            use = partial(bind_use, layer, head, block)
            self.call(use, block, where.below(head), scope, where.span())

    def is_block(self, name: str) -> bool:
        """Whether there is such a block, be it one with findings of its own."""
        try:
            return self.library.block(name) is not None
        except BlockError:
            return True

    def known_block(self, name: str, span: Span | None, scope: Scope) -> Block | None:
        """The block of a name, which is then checked itself; None if that is reported."""
        try:
            block = self.library.block(name)
        except BlockError as error:
            used = Label(span, "used here") if span else None
            self.found += [_labelled(d, used) for d in error.diagnostics]
            return None
        if block is None:
            hint = did_you_mean(name, self.library.names(), "blocks")
            self.found.report("unknown-block", f"there is no block `{name}`", span, hint, scope)
            return None
        self.meet(name, block, span)
        return block

    def meet(self, name: str, block: Block, span: Span | None = None) -> None:
        """Has the layers of a block checked, once; `span` is a place that uses it."""
        if name not in self._met:
            self._met.add(name)
            self._waiting.append((name, block, span))

    def check_blocks(self) -> None:
        """Checks every block that was met, and those that these use."""
        for name, block, span in self._waiting:  # it grows meanwhile
            self._check_block(name, block, span)

    def _check_block(self, name: str, block: Block, span: Span | None) -> None:
        where = Where(self.library.documents[name])
        known = frozenset([*SCOPE, *block.args, *block.parts])
        own = name in self.library.own
        used_at = Label(span, f"`{name}` is used here") if span and not own else None
        scope = Scope(known, frozenset([*PARTS_OF_ALL, *block.parts]), used_at)
        for arg, default in block.args.items():
            self.found.check_value(scope, default, where.below("args", arg))
        outside = Scope(known, frozenset(PARTS_OF_ALL), used_at)
        for part, stack in block.parts.items():
            self.stack(stack, where.below("parts", part), outside)
        self.stack(block.body, where.below("body"), scope)

    def wrong_name(self, name: str, file: str) -> None:
        """Why a block's file cannot have its name, reported at its first line."""
        self.found += [Diagnostic(p.rule, p.message, Span(file), p.hint) for p in unusable(name)]

    def call(self, use: Use, block: Block, where: Where, scope: Scope, span: Span | None) -> None:
        """What a block is given at a place."""
        try:
            bound = use(memo=self.library.memo)
        except Problems as error:
            found = [diagnose(p.below(*where.path), where.document) for p in error.problems]
            self.found += [_labelled(d._replace(span=d.span or span), scope.used_at) for d in found]
            return
        for arg, value in bound.args.items():
            self.found.check_value(scope, value, where.below(arg))
        inside = frozenset([*SCOPE, *block.args, *block.parts]) | self.args
        for part, stack in bound.parts.items():
            self.stack(stack, where.below(part), Scope(inside, scope.parts, scope.used_at))


def _labelled(diagnostic: Diagnostic, label: Label | None) -> Diagnostic:
    """The same with one more place, if there is one."""
    return diagnostic._replace(labels=(*diagnostic.labels, label)) if label else diagnostic
