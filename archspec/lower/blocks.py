"""Blocks opened: each use that differs once, in the block's own names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Diagnostic, Label, Span, SpecError
from archspec.expression import Expr, Name, Number, Value, constant, names
from archspec.ir import Chain
from archspec.language import Block
from archspec.language.arguments import ANY
from archspec.language.layers import Layer
from archspec.language.library import BLOCK_CHANNELS, BLOCK_STRIDE
from archspec.language.names import INDICES, PARTS_OF_ALL
from archspec.lower.budget import CALL
from archspec.lower.model import Flow, Instance, Row, Use
from archspec.lower.naming import camel, name_items
from archspec.lower.scope import Closure, Said, Scope
from archspec.record import field, record
from archspec.source import locate, shared

if TYPE_CHECKING:
    from archspec.lower.layers import Layers


@record(eq=False, frozen=False)
class Memo:
    """Uses of one block with the same arguments; the indices matter if they were read."""

    call: Call  # kept, for keys name its blocks and parts by identity
    touched: frozenset[str] = frozenset()
    made: dict[Any, Instance] = field(default_factory=dict)


@record(eq=False, frozen=False)
class Call:
    """A use of a block: its arguments as values, its parts, and where it stands."""

    name: str
    block: Block
    given: dict[str, Value]
    parts: dict[str, Closure]
    indices: dict[str, Value]
    label: Label | None
    scope: Scope | None = None
    layer: Layer | None = None
    stage: Said | None = None

    def said(self, name: str) -> Span | None:
        """Where an argument is given: at the use, or where the block around it was given it."""
        if self.stage is not None:
            return self.stage(name) if name in self.given else None
        if self.layer is None or self.scope is None or name not in self.given:
            return None
        raw = self.layer.given.get(name)
        outer = self.scope.said(raw.strip()) if isinstance(raw, str) else None
        return outer or self.layer.at(name)

    @property
    def span(self) -> Span | None:
        """Where the block is used."""
        return self.label.span if self.label else None

    @property
    def arriving(self) -> str:
        """The name of the channels that arrive: those that leave, unless others are given."""
        return "in_channels" if "channels" in self.given else "channels"

    def key(self, flow: Flow) -> Any:
        given = tuple(sorted((name, value.number) for name, value in self.given.items()))
        parts = tuple(sorted((name, part.key()) for name, part in self.parts.items()))
        return self.name, id(self.block), flow.shape, given, parts

    def visible(self) -> Any:
        """The arguments of the network that its parts can name."""
        return tuple((name, part.visible()) for name, part in self.parts.items())

    def seen(self, touched: frozenset[str]) -> Any:
        return tuple(self.indices[name].number for name in sorted(touched & self.indices.keys()))

    def outside(self, flow: Flow) -> dict[str, Expr | None]:
        """The block's names in formulas of the caller."""
        known: dict[str, Expr | None] = {n: value.expr for n, value in self.given.items()}
        known.setdefault("stride", Number(1))
        known[self.arriving] = flow.channels
        return known


class Blocks:
    """Opens the uses of blocks, and remembers them."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers
        self.store = shared.store()
        self.memo = self._memo()

    def _memo(self) -> dict[Any, Memo]:
        """The uses so far; networks that a block cannot tell apart have them in common."""
        if self.store is None:
            return {}
        memo: dict[Any, Memo] = self.store.networks.setdefault(self.layers.common.alike(), {})
        return memo

    def block(self, name: str) -> Block:
        self.layers.used.add(name)
        block = self.layers.library.block(name)
        assert block is not None, f"the check of names lets `{name}` through"
        return block

    def call(self, layer: Layer, scope: Scope, flow: Flow) -> Call:
        """The block of a layer with what the layer gives it, read where it is written."""
        if layer.head in PARTS_OF_ALL:  # it is no part here: only where it is being filled
            hint = "name an op or a block: `norm: {group_norm: 32}`"
            message = f"`{layer.head}` is filled with itself"
            raise scope.error("cycle", message, layer.span, hint)
        block = self.block(layer.head)
        bound = self.layers.library.bind(layer.given, layer.head, block)
        given = {}
        for arg, expr in bound.args.items():
            how = {"channels": BLOCK_CHANNELS, "stride": BLOCK_STRIDE}.get(arg, ANY)
            if isinstance(expr, tuple):
                message = f"`{arg}` is a list, which says numbers block by block in a stage"
                raise scope.error("wrong-type", message, layer.at(arg), "write one number")
            given[arg] = scope.argument(expr, how, layer.at(arg), arg)
            if scope.instance is None:
                self._decide_names(given[arg])
        raw = layer.raw[layer.head] if isinstance(layer.raw, Mapping) else None
        parts = self.layers.closures(bound.parts, scope.parts, scope.values, raw)
        indices = {name: scope.values[name] for name in INDICES if name in scope.values}
        span = layer.where(layer.head, key=True)
        label = Label(span, f"`{layer.head}` is used here") if span else None
        if scope.instance is None:
            self.layers.decided(flow)
        parts = self._inherited(parts, scope)
        return Call(layer.head, block, given, parts, indices, label, scope, layer)

    def _inherited(self, parts: dict[str, Closure], scope: Scope) -> dict[str, Closure]:
        """A block's norm and act go on into the blocks of its body."""
        for name in ("norm", "act"):
            if name not in parts and name in scope.parts:
                parts[name] = scope.parts[name]
        return parts

    def inside(self, call: Call, instance: Instance | None, flow: Flow) -> Scope:
        """What the body of a block sees. With a class, its own names; inline, the caller's."""
        block = call.block
        labels = (call.label,) if call.label else ()
        outer = call.scope.labels if call.scope else ()
        scope = Scope({}, {}, self.layers.budget, instance, (*labels, *outer))
        defaults = self.layers.spec.defaults.blocks.get(call.name, {})
        bound = self.layers.library.bind(defaults, call.name, block)
        raw = locate(self.layers.spec.defaults.raw, (call.name,))
        parts = {name: Closure(stack, self.layers.parts) for name, stack in block.parts.items()}
        parts |= {
            name: Closure(stack, self.layers.parts, self.layers.args, raw)
            for name, stack in bound.parts.items()
        }
        parts = (
            {"norm": self.layers.parts["norm"], "act": self.layers.parts["act"]}
            | parts
            | call.parts
        )
        scope.parts, scope.said = parts, partial(self._said, call, frozenset(bound.args))
        scope.truths = {name: not parts[name].none for name in block.parts}
        scope.values |= call.indices
        for name, expr in block.args.items():
            if name in bound.args:
                where = self.layers.spec.where("defaults", call.name, name)
                scope.pending[name] = (bound.args[name], where)  # type: ignore[assignment]
            elif expr is not None:
                scope.pending[name] = (expr, locate(block.raw, ("args", name)))
            elif name not in call.given:
                message, hint = f"`{call.name}` is not told its `{name}`", f"write `{name}: ...`"
                raise SpecError([Diagnostic("missing-key", message, call.span, hint)])
        if instance is not None:
            scope.symbolic = {"in_channels", "channels", "stride", *block.args}
        given = {"stride": constant(1)} | call.given
        for name, value in given.items():
            scope.values[name] = scope.define(name, value, given=True)
        arriving = "in_channels" if "channels" in call.given else "channels"
        scope.values["in_channels"] = scope.define(arriving, flow.value, given=True)
        if "channels" not in call.given:
            scope.values["channels"] = scope.values["in_channels"]
        return scope

    def _said(self, call: Call, defaults: frozenset[str], name: str) -> Span | None:
        """Where an argument of the block is given: at the use, or in `defaults`."""
        if name in defaults and name not in call.given:
            return self.layers.spec.where("defaults", call.name, name)
        return call.said(name)

    def _counted(self, call: Call) -> Scope:
        """Where a block is used, with the steps of opening it counted."""
        scope = call.scope or Scope({}, {}, self.layers.budget)
        parts = sum(part.size for part in call.parts.values())
        scope.spend(CALL + len(call.block.args) + parts, call.span)
        return scope

    def inline_scope(self, call: Call, scope: Scope, flow: Flow) -> Scope:
        self._counted(call)
        inside = self.inside(call, None, flow)
        inside.instance = scope.instance
        inside.touched, inside.settled = scope.touched, scope.settled
        return inside

    def inline_row(self, call: Call, scope: Scope, flow: Flow) -> tuple[Row, Flow]:
        inside = self.inline_scope(call, scope, flow)
        children, flow = self.layers.row(call.block.body, inside, flow)
        return Row(children), flow

    def remembered(self, call: Call, flow: Flow) -> tuple[Use, Flow]:
        """A use of a block; one with the same arguments is opened once."""
        around = self._counted(call)
        key: Any = (call.key(flow), self.layers.role)  # steps beside the main path are told apart
        if self.store is not None:
            key = (*key, call.visible())
        memo = self.memo.setdefault(key, Memo(call))
        seen = call.seen(memo.touched)
        if seen not in memo.made:
            budget = self.layers.budget
            size, spent = budget.layers, budget.steps
            instance, touched = self.open(call, flow)
            instance.size, instance.spent = budget.layers - size, budget.steps - spent
            if self.store is not None:
                self.store.opened += 1
            if not touched <= memo.touched:
                memo.touched, memo.made = memo.touched | touched, {}
                seen = call.seen(memo.touched)
            memo.made[seen] = instance
        else:
            around.grow(max(1, memo.made[seen].size), call.span)
            self.layers.common.met(memo.made[seen].used)
            if self.store is not None:  # another network may have opened it: not less than alone
                around.spend(memo.made[seen].spent, call.span)
        self.layers.touched |= memo.touched
        if call.scope is not None:
            call.scope.touched |= memo.touched
        use = Use(memo.made[seen], call.outside(flow))
        return use, self.leaving(use, call, flow)

    def open(
        self, call: Call, flow: Flow, sequential: bool = False
    ) -> tuple[Instance, frozenset[str]]:
        """The block with its layers, in its own names."""
        block = call.block
        name = block.class_ or camel(call.name)
        instance = Instance(call.name, block, name, block.doc, sequential)
        before, self.layers.used = self.layers.used, set()
        scope = self.inside(call, instance, flow)
        inner = Flow(flow.shape, Name(call.arriving), (1,) * flow.shape.rank)
        if sequential:
            instance.items, leaving = self.layers.row(block.body, scope, inner)
        else:
            steps, leaving = self.layers.stack(block.body, scope, inner, instance)
            instance.body = Chain(tuple(steps))
        instance.leaving = leaving
        name_items(instance, self.layers.spec.names)
        instance.used = frozenset(self.layers.used)
        self.layers.used |= before
        return instance, frozenset(scope.touched)

    def leaving(self, use: Use, call: Call, flow: Flow) -> Flow:
        """What leaves the block, in formulas of the caller."""
        inner = use.instance.leaving
        assert inner is not None
        stride = None
        if flow.stride is not None and inner.stride is not None:
            pairs = zip(flow.stride, inner.stride, strict=False)
            stride = tuple(a * b for a, b in pairs) if inner.shape.rank else ()
        channels = use.formula(inner.channels)
        value = Value(inner.shape.channels, channels)
        if channels is None and call.scope is not None:
            value = call.scope.printable(value, inner.channels, "channels")
        formula = value.expr or Number(inner.shape.channels)
        return Flow(inner.shape, formula, stride, inner.last)

    def kept(self, layer: Layer, call: Call, x: Flow, y: Flow) -> None:
        """Raises a finding where a layer says a stride that the block does not take."""
        if "stride" not in layer.given or x.stride is None or y.stride is None:
            return
        by = int(call.given["stride"].number)
        if call.scope is not None and y.stride != tuple(step * by for step in x.stride):
            message = f"`{call.name}` does not stride as it is told here"
            hint = "use `stride` in one layer of the block, or leave it out here"
            raise call.scope.error("stride-ignored", message, layer.at("stride"), hint)

    def _decide_names(self, value: Value) -> None:
        if value.expr is not None:
            self.layers.settled |= names(value.expr)
