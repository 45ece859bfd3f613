"""Layers, and what they give to blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import Diagnostic, Label, Span, did_you_mean
from archspec.language.blocks import Block, unusable
from archspec.language.check.expressions import check_names
from archspec.language.check.findings import Findings, Scope, labelled
from archspec.language.layers import COMBINATORS, Layer, Stack
from archspec.language.library import BlockError, Library
from archspec.language.names import PARTS_OF_ALL, SCOPE
from archspec.language.problems import Problems, diagnose
from archspec.ops import OPS
from archspec.record import replace


class Layers:
    """Follows layers into the blocks that they use; `args` are those of the spec."""

    def __init__(self, library: Library, args: frozenset[str] = frozenset()) -> None:
        self.library = library
        self.args = args
        self.found = Findings()
        self.checked: set[int] = set()

    def stack(self, stack: Stack | None, scope: Scope) -> None:
        """One layer after the other."""
        for layer in stack.layers if stack else ():
            self._layer(layer, scope)

    def _layer(self, layer: Layer, scope: Scope) -> None:
        for name in ("when", "project", "drop_path"):
            check_names(self.found, scope, getattr(layer, name), layer.raw, name)
        for stack in (layer.otherwise, layer.shortcut, layer.before):
            self.stack(stack, scope)
        if layer.head in COMBINATORS:
            for branch in layer.branches:
                self.stack(branch.stack, scope)
            self._no_nesting(layer, scope)
        elif layer.head in scope.parts:
            return  # what is given here is read when it is known what fills the part
        elif layer.head in OPS:
            for arg, value in layer.given.items():
                check_names(self.found, scope, value, layer.raw, layer.head, arg)
        else:
            self._block_call(layer, scope)

    def _no_nesting(self, layer: Layer, scope: Scope) -> None:
        if layer.head != "sequence":
            return
        for below in layer.branches[0].stack.layers:
            if below.head in COMBINATORS:
                hint = "a `sequence` holds layers only: make a block of it"
                message = f"`{below.head}` stands inside a `sequence`"
                self.found.report("bad-layer", message, below.span, hint, scope)

    def _block_call(self, layer: Layer, scope: Scope) -> None:
        head, span = layer.head, layer.where(layer.head, key=True)
        if not self.is_block(head):
            from archspec.language.check.unknown import layer_hint

            message = f"there is no op, block or part `{head}`"
            hint = layer_hint(head, scope, self.library)
            self.found.report("unknown-layer", message, span, hint, scope)
            return
        block = self.known_block(head, span, scope)
        if block is not None:
            self.call(head, block, layer.given, layer.raw, (head,), scope, layer.span)

    def is_block(self, name: str) -> bool:
        """Whether there is such a block, be it one with findings of its own."""
        try:
            return self.library.block(name) is not None
        except BlockError:
            return True

    def known_block(self, name: str, span: Span | None, scope: Scope) -> Block | None:
        """The block of a name, checked itself; None if that is told."""
        try:
            block = self.library.block(name)
        except BlockError as error:
            used = Label(span, "used here") if span else None
            self.found += [labelled(d, used) for d in error.diagnostics]
            return None
        if block is None:
            hint = did_you_mean(name, self.library.names(), "blocks")
            self.found.report("unknown-block", f"there is no block `{name}`", span, hint, scope)
            return None
        self.check_block(name, block, span)
        return block

    def check_block(self, name: str, block: Block, span: Span | None = None) -> None:
        """The layers of a block, once; `span` is a place that uses it."""
        if id(block) in self.checked:
            return
        self.checked.add(id(block))
        known = frozenset([*SCOPE, *block.args, *block.parts])
        own = name in self.library.own
        used_at = Label(span, f"`{name}` is used here") if span and not own else None
        scope = Scope(known, frozenset([*PARTS_OF_ALL, *block.parts]), used_at)
        for arg, default in block.args.items():
            check_names(self.found, scope, default, block.raw, "args", arg)
        outside = Scope(known, frozenset(PARTS_OF_ALL), used_at)
        for stack in block.parts.values():
            self.stack(stack, outside)
        self.stack(block.body, scope)

    def wrong_name(self, name: str, file: str) -> None:
        """Why a block's file cannot have its name, told at its first line."""
        self.found += [Diagnostic(p.rule, p.message, Span(file), p.hint) for p in unusable(name)]

    def call(
        self,
        name: str,
        block: Block,
        given: Mapping[str, Any],
        raw: Any,
        path: tuple[str, ...],
        scope: Scope,
        span: Span | None,
        beside: tuple[str, ...] = (),
    ) -> None:
        """What a block is given: `path` leads to it in `raw`, `beside` could have been meant."""
        try:
            bound = self.library.bind(given, name, block, beside)
        except Problems as error:
            told = [diagnose(problem.below(*path), raw) for problem in error.problems]
            self.found += [labelled(replace(d, span=d.span or span), scope.used_at) for d in told]
            return
        for arg, value in bound.args.items():
            check_names(self.found, scope, value, raw, *path, arg)
        inside = frozenset([*SCOPE, *block.args, *block.parts]) | self.args
        for stack in bound.parts.values():
            self.stack(stack, Scope(inside, scope.parts, scope.used_at))
