"""Names: every layer, argument and expression of a spec, and of the blocks it uses.

What can be known without shapes is found here, all at once; sizes and shapes are the business
of lowering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from archspec.diagnostics import (
    Diagnostic,
    Hint,
    Label,
    Span,
    SpecError,
    closest,
    did_you_mean,
    instead,
)
from archspec.expression import Expr, ExpressionError, Name, walk
from archspec.ops import OPS
from archspec.record import record, replace
from archspec.source import Text, locate, shared
from archspec.source.files import display_path
from archspec.source.findings import MAX_FINDINGS, too_many_findings
from archspec.spec.blocks import Block, unusable
from archspec.spec.layers import COMBINATORS, Layer, Stack
from archspec.spec.library import BlockError, Library
from archspec.spec.models import Section, Spec
from archspec.spec.names import FLOW, INDICES, PARTS_OF_ALL, SCOPE
from archspec.spec.problems import Problems, diagnose
from archspec.spec.stages import Run, Stage
from archspec.spec.wrong import elsewhere

FIXABLE = ("unknown-layer", "unknown-block", "unknown-default")
OF_STAGES = tuple(Run.model_fields)


@record
class Scope:
    """What is visible where layers stand: names in expressions, and parts."""

    names: frozenset[str]
    parts: frozenset[str] = frozenset(PARTS_OF_ALL)
    used_at: Label | None = None


def check(spec: Spec) -> list[Diagnostic]:
    """Every name that means nothing, and every argument that does not fit.

    Raises `SpecError` where there are too many.
    """
    return _Check(spec, spec._library).run(spec)


def check_block(name: str, block: Block, library: Library) -> list[Diagnostic]:
    """The same for a block by itself, whoever uses it."""
    checking = _Check(None, library)
    top = locate(block.raw, ())
    checking.wrong_name(name, top.file if top else "")
    checking.check_block(name, block)
    return checking.found


def pinpoint(span: Span | None, raw: Any, name: Name) -> Span | None:
    """The very word within the text of an expression, where it stands on one line."""
    if span is None or name.column is None or span.line != span.end_line:
        return span
    if not isinstance(raw, Text) or span.end_column - span.column < len(raw):
        return span
    start = span.column + name.column + (1 if raw.quoted else 0)
    return replace(span, column=start, end_column=start + len(name.id))


class _Check:
    def __init__(self, spec: Spec | None, library: Library) -> None:
        self.library = library
        self.found: list[Diagnostic] = []
        self.checked: set[int] = set()
        self.args = frozenset(spec.args if spec else ())

    def run(self, spec: Spec) -> list[Diagnostic]:
        network = Scope(self.args)
        self._once(spec.stem, partial(self._section, spec.stem, network))
        for key, stage in spec.stages.items():
            self._once(stage, partial(self._stage, key, stage))
        self._once(spec.head, partial(self._section, spec.head, network))
        for name, block in spec.blocks.items():
            self.check_block(name, block)
        self._once(spec.defaults, partial(self._defaults, spec))
        self._lengths(spec)
        self._any_layer(spec)
        self._files_beside()
        return self.found

    def _once(self, piece: Any, check: Callable[[], None]) -> None:
        """Not again, if it was right in a spec that sees the same; its blocks are looked up."""
        store = shared.store()
        if store is None:
            check()
            return
        own = id(self.library.own) if self.library.own else 0
        key = (id(piece), self.args, own, self.library.folders[0])
        if key in store.checked:
            self.library.look_up(store.checked[key][1])
            return
        before = len(self.found)
        check()
        if len(self.found) == before:
            store.checked[key] = piece, self.library.met()

    def _any_layer(self, spec: Spec) -> None:
        sections = [stack.layers for part in (spec.stem, spec.head) for _, stack in part.entries]
        if not any(sections) and not spec.stages:
            hint = "write a `stem`, `stages` or a `head`, e.g. `stem: [{conv: 64}, norm, act]`"
            self.report("no-layers", "the network has no layers", spec.where("name"), hint)

    def _files_beside(self) -> None:
        """Files of blocks that no layer can mean, for the name means something else."""
        for name, path in self.library.hidden():
            self.wrong_name(name, display_path(path))

    def wrong_name(self, name: str, file: str) -> None:
        """Told at the first line of the block's file."""
        self.found += [Diagnostic(p.rule, p.message, Span(file), p.hint) for p in unusable(name)]

    def report(
        self,
        rule: str,
        message: str,
        span: Span | None,
        hint: str = "",
        scope: Scope | None = None,
    ) -> None:
        if len(self.found) >= MAX_FINDINGS:
            raise SpecError([*self.found, too_many_findings(span)])
        labels = (scope.used_at,) if scope and scope.used_at else ()
        fix = hint.at(span) if isinstance(hint, Hint) and rule in FIXABLE else None
        self.found.append(Diagnostic(rule, message, span, hint, labels, fix=fix))

    # Where layers stand

    def _section(self, section: Section, scope: Scope) -> None:
        for _, stack in section.entries:
            self._stack(stack, scope)

    def _stage(self, key: str, stage: Stage) -> None:
        here = Scope(self.args | set(INDICES))
        if stage.between is not None:
            self._stack(stage.between, Scope(self.args))
            return
        self._expr(stage.repeat, Scope(self.args), stage.raw, "repeat")
        self._expr(stage.channels, here, stage.raw, "channels")
        self._expr(stage.stride, here, stage.raw, "stride")
        inside = Scope(self.args | set(SCOPE))
        for name in dict.fromkeys(stage.blocks):
            block = self._known_block(name, stage.where("block"), Scope(frozenset()))
            if block is not None:
                self._call(name, block, stage.given, stage.raw, (), inside, stage.span, OF_STAGES)

    def _known_block(self, name: str, span: Span | None, scope: Scope) -> Block | None:
        try:
            block = self.library.block(name)
        except BlockError as error:
            used = Label(span, "used here") if span else None
            self.found += [_with_label(d, used) for d in error.diagnostics]
            return None
        if block is None:
            hint = did_you_mean(name, self.library.names(), "blocks")
            self.report("unknown-block", f"there is no block `{name}`", span, hint, scope)
            return None
        self.check_block(name, block, span)
        return block

    def check_block(self, name: str, block: Block, span: Span | None = None) -> None:
        if id(block) in self.checked:
            return
        self.checked.add(id(block))
        known = frozenset([*SCOPE, *block.args, *block.parts])
        own = name in self.library.own
        used_at = Label(span, f"`{name}` is used here") if span and not own else None
        scope = Scope(known, frozenset([*PARTS_OF_ALL, *block.parts]), used_at)
        for arg, default in block.args.items():
            self._expr(default, scope, block.raw, "args", arg)
        outside = Scope(known, frozenset(PARTS_OF_ALL), used_at)
        for stack in block.parts.values():
            self._stack(stack, outside)
        self._stack(block.body, scope)

    def _defaults(self, spec: Spec) -> None:
        defaults = spec.defaults
        anywhere = Scope(self.args | set(SCOPE))
        for name in ("norm", "act"):
            stack = getattr(defaults, name)
            if stack is not None:
                self._stack(stack, anywhere)
                self._not_itself(name, stack)
        for name, given in defaults.ops.items():
            for arg, value in given.items():
                self._expr(value, anywhere, defaults.raw, name, arg)
        for name, raw in defaults.blocks.items():
            span = locate(defaults.raw, (name,), key=True)
            if not self._is_block(name):
                known = [*OPS, *self.library.names(), *PARTS_OF_ALL]
                hint = did_you_mean(name, known)
                if text := _elsewhere_hint(name):
                    hint = instead(text, name, elsewhere.elsewhere(name))
                message = f"`{name}` is no op and no block"
                self.report("unknown-default", message, span, hint)
                continue
            block = self._known_block(name, span, anywhere)
            if block is not None:
                scope = Scope(frozenset([*SCOPE, *block.args, *block.parts]))
                self._call(name, block, raw, defaults.raw, (name,), scope, span)

    def _not_itself(self, name: str, stack: Stack) -> None:
        if any(layer.head == name for layer in stack.layers):
            hint = "name an op or a block: `norm: {group_norm: 32}`"
            self.report("cycle", f"`{name}` is filled with itself", stack.span, hint)

    def _lengths(self, spec: Spec) -> None:
        try:
            counts = spec.repeats
        except ExpressionError:
            return
        except Problems as error:
            self.found += [diagnose(p, spec.data) for p in error.problems]
            return
        for key, count in counts.items():
            stage = spec.stages[key]
            self._length(stage, "channels", stage.channels, count)
            self._length(stage, "stride", stage.stride, count)
            if len(stage.blocks) > 1 or isinstance(stage.raw["block"], list):
                self._length(stage, "block", stage.blocks, count)
            for name in stage.blocks[:1]:
                try:
                    block = self.library.block(name)
                except BlockError:  # told where the block is used
                    continue
                for arg, value in stage.given.items():
                    if isinstance(value, list) and block and arg in block.args:
                        self._length(stage, arg, tuple(value), count)

    def _length(self, stage: Stage, name: str, values: Any, count: int) -> None:
        if isinstance(values, tuple) and len(values) != count:
            entries = "1 entry" if len(values) == 1 else f"{len(values)} entries"
            blocks = "1 block" if count == 1 else f"{count} blocks"
            message = f"`{name}` has {entries} for {blocks}"
            hint = "a list in a stage says a value block by block"
            said = stage.where("repeat") if "repeat" in stage.raw else None
            used_at = Label(said, f"{blocks} here") if said else None
            self.report(
                "wrong-length",
                message,
                stage.where(name),
                hint,
                Scope(frozenset(), used_at=used_at),
            )

    # Layers

    def _stack(self, stack: Stack | None, scope: Scope) -> None:
        for layer in stack.layers if stack else ():
            self._layer(layer, scope)

    def _layer(self, layer: Layer, scope: Scope) -> None:
        for name in ("when", "project", "drop_path"):
            self._expr(getattr(layer, name), scope, layer.raw, name)
        for stack in (layer.otherwise, layer.shortcut, layer.before):
            self._stack(stack, scope)
        if layer.head in COMBINATORS:
            for branch in layer.branches:
                self._stack(branch.stack, scope)
            self._no_nesting(layer, scope)
        elif layer.head in scope.parts:
            return  # what is given here is read when it is known what fills the part
        elif layer.head in OPS:
            for arg, value in layer.given.items():
                self._expr(value, scope, layer.raw, layer.head, arg)
        else:
            self._block_call(layer, scope)

    def _no_nesting(self, layer: Layer, scope: Scope) -> None:
        if layer.head != "sequence":
            return
        for below in layer.branches[0].stack.layers:
            if below.head in COMBINATORS:
                hint = "a `sequence` holds layers only: make a block of it"
                message = f"`{below.head}` stands inside a `sequence`"
                self.report("bad-layer", message, below.span, hint, scope)

    def _is_block(self, name: str) -> bool:
        """Whether there is such a block, be it one with findings of its own."""
        try:
            return self.library.block(name) is not None
        except BlockError:
            return True

    def _block_call(self, layer: Layer, scope: Scope) -> None:
        if not self._is_block(layer.head):
            self._unknown_head(layer, scope)
            return
        span = layer.where(layer.head, key=True)
        block = self._known_block(layer.head, span, scope)
        if block is not None:
            self._call(
                layer.head,
                block,
                layer.given,
                layer.raw,
                (layer.head,),
                scope,
                layer.span,
            )

    def _unknown_head(self, layer: Layer, scope: Scope) -> None:
        torch = elsewhere.torch_names()
        known = {*OPS, *COMBINATORS, *scope.parts, *self.library.names()}
        near = did_you_mean(layer.head, known | torch.keys(), "there are")
        text = near.split(" there are")[0] if "did you mean" in near else ""
        for word, op in torch.items():
            text = text.replace(f"did you mean `{word}`", f"did you mean `{op}`")
        listed = "`archspec list` names all ops and blocks"
        meant = {torch.get(word, word) for word in closest(layer.head, known | torch.keys())}
        word = elsewhere.elsewhere(layer.head) or (meant.pop() if len(meant) == 1 else "")
        text = _elsewhere_hint(layer.head) or text
        hint = instead(" ".join(filter(None, [text, listed])), layer.head, word)
        message = f"there is no op, block or part `{layer.head}`"
        span = layer.where(layer.head, key=True)
        self.report("unknown-layer", message, span, hint, scope)

    def _call(
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
        try:
            bound = self.library.bind(given, name, block, beside)
        except Problems as error:
            for problem in error.problems:
                place = diagnose(problem.below(*path), raw)
                self.found.append(
                    _with_label(replace(place, span=place.span or span), scope.used_at)
                )
            return
        for arg, value in bound.args.items():
            self._expr(value, scope, raw, *path, arg)
        inside = frozenset([*SCOPE, *block.args, *block.parts]) | self.args
        for stack in bound.parts.values():
            self._stack(stack, Scope(inside, scope.parts, scope.used_at))

    # Expressions

    def _expr(self, value: Any, scope: Scope, raw: Any, *path: str) -> None:
        trees: Iterable[tuple[int | None, Any]] = [(None, value)]
        if isinstance(value, tuple):
            trees = enumerate(value)
        for place, tree in trees:
            if isinstance(tree, Expr):
                steps = path if place is None else (*path, place)
                self._names(tree, scope, raw, steps)

    def _names(self, tree: Expr, scope: Scope, raw: Any, path: tuple[Any, ...]) -> None:
        for name in walk(tree):
            if isinstance(name, Name) and name.id not in scope.names:
                span = pinpoint(locate(raw, path), _value(raw, path), name)
                hint = _padding_hint(name.id, path) or _name_hint(name.id, scope)
                self.report("unknown-name", f"`{name.id}` is not known here", span, hint, scope)


def _value(raw: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        if (isinstance(raw, Mapping) and step in raw) or (
            isinstance(raw, list) and isinstance(step, int)
        ):
            raw = raw[step]
    return raw


def _elsewhere_hint(wrong: str) -> str:
    """What to write for an op's name of another framework."""
    ours = elsewhere.elsewhere(wrong)
    if not ours:
        return ""
    norm = ", or `norm` for that of the network" if ours == "batch_norm" else ""
    return f"did you mean `{ours}`{norm}?"


def _padding_hint(wrong: str, path: tuple[Any, ...]) -> str:
    if "padding" not in path:
        return ""
    return {
        "same": "leave `padding` out: an odd kernel keeps the size then",
        "valid": "write `padding: 0`",
    }.get(wrong.lower(), "")


def _name_hint(wrong: str, scope: Scope) -> str:
    if wrong in ("none", "None"):
        return "`none` is no layer; here stands a number, or nothing at all for the default"
    if not scope.names:
        return "write a number: no name is known here, for the spec has no `args`"
    if wrong in FLOW:
        return f"`{wrong}` is known inside blocks only"
    return did_you_mean(wrong, scope.names, "known here")


def _with_label(diagnostic: Diagnostic, label: Label | None) -> Diagnostic:
    return replace(diagnostic, labels=(*diagnostic.labels, label)) if label else diagnostic
