"""Layers opened one after the other: ops, parts, and what stands under a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from archspec.diagnostics import Diagnostic, Span, SpecError
from archspec.expression import Name, Value, constant, names
from archspec.ir import Apply, Body, Op, Shape, ShapeError
from archspec.language import Library, Spec
from archspec.language.layers import COMBINATORS, Layer, Stack, layer_of
from archspec.language.problems import Problems, diagnose
from archspec.lower.blocks import Blocks
from archspec.lower.budget import OPEN, VISIT, Budget
from archspec.lower.combinators import LARGEST_MAP, Combinators
from archspec.lower.common import Common
from archspec.lower.model import Flow, Instance, Item, Made, OpUse, Row, Slot, Step
from archspec.lower.scope import Closure, Scope
from archspec.lower.slots import Slots, number_of
from archspec.ops import OPS
from archspec.record import replace
from archspec.source import locate, shared

USUAL = {"norm": Stack((Layer("batch_norm"),)), "act": Stack((Layer("relu"),))}
MOST_DEEP = 48


class Layers:
    """Opens layers in a scope. `used`: the ops and blocks met; `settled`: see `Scope`."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.library: Library = spec._library
        self.settled: set[str] = set()
        self.used: set[str] = set()
        self.touched: set[str] = set()  # the indices that blocks read
        self.steps: list[Step] = []  # of the network itself; a block's are in its instance
        self.role = ""
        self.deep = 0
        self.budget = Budget()
        self.args = {name: constant(value) for name, value in spec.args.items()}
        self.parts = self._network_parts()
        self.common = Common(self)
        self.blocks = Blocks(self)
        self.combinators = Combinators(self)

    def stack(
        self, stack: Stack, scope: Scope, flow: Flow, out: Instance
    ) -> tuple[list[Body], Flow]:
        """The layers of a list, as attributes of the class around."""
        steps: list[Body] = []
        for layer in stack.layers:
            done, flow = self.layer(layer, scope, flow, out)
            steps += done
        return steps, flow

    def layer(
        self, layer: Layer, scope: Scope, flow: Flow, out: Instance
    ) -> tuple[list[Body], Flow]:
        scope.spend(VISIT, layer.span)
        if not scope.decide(layer.when, layer.where("when")):
            with self.deeper(layer, scope):
                return self.stack(layer.otherwise or Stack(), scope, flow, out)
        if layer.head in COMBINATORS and layer.head != "sequence":
            if out.sequential:
                raise self.no_combinator(layer, scope)
            if scope.instance is None:
                self.decided(flow)
            with self.deeper(layer, scope):
                return self.combinators.combine(layer, scope, flow, out)
        if layer.head in scope.parts:
            stack, inside = self.fill(layer, scope)
            if layer.name is not None:
                return self.attribute(layer.name, stack, inside, flow, out, layer.span)
            with self.deeper(layer, scope):
                return self.stack(stack, inside, flow, out)
        if layer.head not in OPS and layer.head != "sequence":
            call = self.blocks.call(layer, scope, flow)
            if call.block.inline and layer.name is None:
                inside = self.blocks.inline_scope(call, scope, flow)
                with self.deeper(layer, scope):
                    done, leaving = self.stack(call.block.body, inside, flow, out)
                self.blocks.kept(layer, call, flow, leaving)
                return done, leaving
        made, flow = self.module(layer, scope, flow)
        return [self._keep(made, layer, out)], flow

    def _keep(self, made: Made, layer: Layer, out: Instance) -> Body:
        item = Item(made, out.mark(), layer.name, layer.span, layer.init == "zeros")
        if item.zeros and not (isinstance(made, OpUse) and made.op.weighted):
            message = f"`{layer.head}` has no weight to start at zero"
            raise SpecError([Diagnostic("bad-layer", message, layer.where("init"))])
        out.items.append(item)
        return Apply(item.mark)

    def attribute(
        self,
        name: str,
        stack: Stack,
        scope: Scope,
        flow: Flow,
        out: Instance,
        span: Span | None,
    ) -> tuple[list[Body], Flow]:
        """All layers of `stack` as one attribute: one alone is itself, more are a Sequential."""
        if scope.instance is None:
            made, flow, zeros = self.common.single(stack, scope, flow)
        else:
            made, flow, zeros = self.single(stack, scope, flow)
        if made is None:
            return [], flow
        item = Item(made, out.mark(), name, span or stack.span, zeros)
        out.items.append(item)
        return [Apply(item.mark)], flow

    def single(self, stack: Stack, scope: Scope, flow: Flow) -> tuple[Made | None, Flow, bool]:
        if stack.listed or len(stack.layers) != 1:
            children, flow = self.row(stack, scope, flow)
            return (Row(children) if children else None), flow, False
        layer = stack.layers[0]
        scope.spend(VISIT, layer.span)
        if not scope.decide(layer.when, layer.where("when")):
            with self.deeper(layer, scope):
                return self.single(layer.otherwise or Stack(), scope, flow)
        if layer.head in COMBINATORS and layer.head != "sequence":
            raise self.no_combinator(layer, scope)
        if layer.head in scope.parts:
            stack, inside = self.fill(layer, scope)
            with self.deeper(layer, scope):
                return self.single(stack, inside, flow)
        made, flow = self.module(layer, scope, flow)
        return made, flow, layer.init == "zeros"

    def row(self, stack: Stack, scope: Scope, flow: Flow) -> tuple[list[Item], Flow]:
        """The layers as children of a Sequential; inline blocks and parts are spliced in."""
        holder = Instance("", None, "", "", sequential=True)
        holder.definitions = scope.instance.definitions if scope.instance else {}
        _, flow = self.stack(stack, scope, flow, holder)
        return holder.items, flow

    def no_combinator(self, layer: Layer, scope: Scope) -> SpecError:
        return scope.error(
            "bad-layer",
            f"`{layer.head}` has no attribute of its own",
            layer.span,
            "it stands in the body of a block or in a plain list; make a block of it",
        )

    def fill(self, layer: Layer, scope: Scope) -> tuple[Stack, Scope]:
        """The layers that stand in place of a part, and what they see."""
        closure = scope.parts[layer.head]
        scope.spend(len(closure.parts), layer.span)
        if closure.network:
            self.used.add(layer.head)
        # norm and act come from the place of use, also in layers that were written elsewhere
        parts = {**closure.parts}
        for name in ("norm", "act"):
            if name in scope.parts and name != layer.head:
                parts[name] = scope.parts[name]
        stack = closure.stack
        if stack.span is None:  # the usual norm and act stand in no file
            stack = shared.shared_pair(stack, layer, partial(_at, stack, layer.span))
        if layer.given or layer.init:
            stack = self._with_arguments(layer, stack, scope)
        return stack, scope.child(parts, closure.names, layer.span)

    def _with_arguments(self, layer: Layer, stack: Stack, scope: Scope) -> Stack:
        """Arguments at a part go to the layer that fills it."""
        if not stack.layers:
            return stack
        scope.spend(OPEN, layer.span)
        if len(stack.layers) != 1:
            hint = "arguments go to a single layer: write them where the part is filled"
            message = f"`{layer.head}` is filled with {len(stack.layers)} layers"
            raise scope.error("bad-layer", message, layer.span, hint)
        filler = stack.layers[0]
        given = filler.given
        written = filler.raw if isinstance(filler.raw, Mapping) else {}
        modifiers = {k: v for k, v in written.items() if k != filler.head}
        if layer.init:
            modifiers["init"] = layer.init
        inner = written.get(filler.head, {})
        inner = inner if isinstance(inner, Mapping) else dict(given)
        try:
            merged = layer_of({filler.head: {**inner, **layer.given}, **modifiers})
        except Problems as error:
            found = []
            for problem in error.problems:
                below = replace(problem, path=(layer.head, *problem.path[1:]))
                place = diagnose(below, layer.raw)
                found.append(replace(place, labels=(*place.labels, *scope.labels)))
            raise SpecError(found) from None
        return Stack((replace(merged, span=layer.span),), span=layer.span)

    def closures(
        self,
        parts: Mapping[str, Stack],
        lexical: Mapping[str, Closure],
        visible: Mapping[str, Value],
        raw: Any,
    ) -> dict[str, Closure]:
        args = {name: visible[name] for name in self.spec.args if name in visible}
        return {
            name: Closure(stack, lexical, args, locate(raw, (name,)))
            for name, stack in parts.items()
        }

    def module(self, layer: Layer, scope: Scope, flow: Flow) -> tuple[Made, Flow]:
        """One layer as a module of its own: an op, a block, a Sequential."""
        if layer.head in OPS:
            return self.op(OPS[layer.head], layer, scope, flow)
        if layer.head == "sequence":
            children, flow = self.row(layer.branches[0].stack, scope, flow)
            return Row(children), flow
        call = self.blocks.call(layer, scope, flow)
        made: Made
        with self.deeper(layer, scope):
            if call.block.inline:
                made, leaving = self.blocks.inline_row(call, scope, flow)
            else:
                made, leaving = self.blocks.remembered(call, flow)
        self.blocks.kept(layer, call, flow, leaving)
        return made, leaving

    def op(self, op: type[Op], layer: Layer, scope: Scope, flow: Flow) -> tuple[OpUse, Flow]:
        self.used.add(op.key)
        scope.grow(1, layer.span)
        scope.spend(OPEN, layer.span)
        use, step, leaving = self.common.op(op, layer, scope, flow)
        (scope.instance.steps if scope.instance else self.steps).append(step)
        return use, leaving

    def open_op(
        self, op: type[Op], layer: Layer, scope: Scope, flow: Flow
    ) -> tuple[OpUse, Step, Flow]:
        try:
            slots, concrete, shape = self._fit(op, layer, scope, flow)
        except ShapeError as error:
            hint = _hint(error, layer)
            at, said = _cause(error, layer), layer.given.get(_CAUSES.get(error.rule, ""))
            raise scope.given(said, error.rule, error.message, at, hint) from None
        if min(shape.sizes) < 1 or shape.elements > LARGEST_MAP:
            message = f"`{op.key}` leaves {shape} of {flow.shape}"
            raise scope.error("feature-map-vanishes", message, layer.span)
        name = op.torch_name(flow.shape)
        at = scope.at or layer.span
        step = Step(concrete, flow.shape, shape, layer, at, scope.labels, flow.last, self.role)
        costs = concrete.parameters(), concrete.macs(shape)
        use = OpUse(op, name, flow.shape.rank, slots, shape, *costs)
        return use, step, flow.through(step, slots)

    def _fit(
        self, op: type[Op], layer: Layer, scope: Scope, flow: Flow
    ) -> tuple[dict[str, Slot], Op, Shape]:
        slots = Slots(op, layer, self.spec, scope, flow).all()
        numbers = {name: number_of(slot) for name, slot in slots.items()}
        concrete = op(**numbers, rank=flow.shape.rank)
        return slots, concrete, concrete.output(flow.shape)

    @contextmanager
    def beside(self, role: str) -> Iterator[None]:
        """Layers that are opened here stand beside the main path."""
        before, self.role = self.role, role
        try:
            yield
        finally:
            self.role = before

    @contextmanager
    def deeper(self, layer: Layer, scope: Scope) -> Iterator[None]:
        self.deep += 1
        try:
            if self.deep > MOST_DEEP:
                message = f"`{layer.head}` uses itself, or blocks are nested too deep"
                raise SpecError([Diagnostic("cycle", message, layer.span, "", scope.labels[-2:])])
            yield
        finally:
            self.deep -= 1

    def decided(self, flow: Flow) -> None:
        """A decision depends on these channels, so no argument of the network is left in them."""
        self.settled |= names(flow.channels)

    def _network_parts(self) -> dict[str, Closure]:
        parts: dict[str, Closure] = {}
        for name, usual in USUAL.items():
            given = getattr(self.spec.defaults, name)
            parts[name] = Closure(given or usual, {}, self.args, network=True)
        for closure in parts.values():
            closure.parts = {k: v for k, v in parts.items() if v is not closure}
        return parts


def _at(stack: Stack, span: Span | None) -> Stack:
    return replace(stack, layers=tuple(replace(x, span=span) for x in stack.layers))


_CAUSES = {"groups-do-not-divide": "groups", "feature-map-vanishes": "kernel"}


def _cause(error: ShapeError, layer: Layer) -> Span | None:
    """The argument that is at fault, if the layer says it; else the layer."""
    argument = _CAUSES.get(error.rule, "")
    said, whole = layer.at(argument), layer.span
    if argument not in layer.given or said is None or whole is None or said.file != whole.file:
        return whole
    inside = whole[1:3] <= said[1:3] and said[3:] <= whole[3:]
    return said if inside else whole


def _hint(error: ShapeError, layer: Layer) -> str:
    guessed = layer.given.get("groups") == Name("in_channels")
    if error.rule != "groups-do-not-divide" or not guessed:
        return error.hint
    return "`in_channels` is what enters the block; for a depthwise one write `depthwise_conv`"
