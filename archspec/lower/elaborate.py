"""A spec with every use of every block opened: parts filled, conditions settled, shapes known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.diagnostics import Diagnostic, Label, Span, SpecError
from archspec.expression import Expr, Name, Number, Value, constant, names, simplify
from archspec.ir import (
    Add,
    Apply,
    Body,
    Chain,
    Concat,
    Field,
    Multiply,
    Op,
    Shape,
    ShapeError,
    Split,
    Unsqueeze,
)
from archspec.lower.model import (
    Definition,
    Flow,
    Instance,
    Item,
    Joint,
    Made,
    OpUse,
    Row,
    Use,
)
from archspec.lower.naming import camel, name_items
from archspec.lower.scope import Closure, Scope
from archspec.lower.slots import Slots, number_of
from archspec.ops import OPS, StochasticDepth
from archspec.source import locate
from archspec.spec import Block, Library, Spec
from archspec.spec.arguments import ANY
from archspec.spec.layers import COMBINATORS, Layer, Stack, layer_of
from archspec.spec.library import BLOCK_CHANNELS, BLOCK_STRIDE
from archspec.spec.models import INDICES, Place, Stage, places
from archspec.spec.problems import Problems, diagnose

MOST_DEEP = 32
MOST_BLOCKS = 5000
LARGEST_MAP = 2**40
RATE = Field("real", low=0, high=1)


@dataclass(eq=False, slots=True)
class Opened:
    """The network, opened: its own layers, and what was used on the way."""

    root: Instance
    output: Flow
    symbolic: dict[str, Value]
    used: set[str]


@dataclass(eq=False, slots=True)
class Memo:
    """Uses of one block with the same arguments; the indices matter if they were read."""

    touched: frozenset[str] = frozenset()
    made: dict[Any, Instance] = field(default_factory=dict)


def open_network(spec: Spec) -> Opened:
    """Raises `SpecError` with the findings of every stage."""
    settled: set[str] = set()
    while True:
        elaborator = Elaborator(spec, settled)
        opened = elaborator.network()
        wanted = elaborator.settled & opened.symbolic.keys()
        if not wanted:
            return opened
        settled |= wanted


class Elaborator:
    def __init__(self, spec: Spec, settled: set[str]) -> None:
        self.spec = spec
        self.library: Library = spec._library
        self.fixed = settled
        self.settled: set[str] = set()
        self.used: set[str] = set()
        self.memo: dict[Any, Memo] = {}
        self.deep = 0
        self.parts = self._network_parts()

    def _network_parts(self) -> dict[str, Closure]:
        parts: dict[str, Closure] = {}
        usual = {"norm": "batch_norm", "act": "relu"}
        for name, op in usual.items():
            given = getattr(self.spec.defaults, name)
            parts[name] = Closure(given or Stack((Layer(op),)), {}, network=True)
        for closure in parts.values():
            closure.parts = {k: v for k, v in parts.items() if v is not closure}
        return parts

    # The network

    def network(self) -> Opened:
        spec = self.spec
        root = Instance("", None, spec.class_ or camel(spec.name), spec.doc)
        symbolic = {
            name: Value(value, Name(name))
            for name, value in spec.args.items()
            if name not in self.fixed and type(value) is int
        }
        values = {name: constant(value) for name, value in spec.args.items()} | symbolic
        scope = Scope(values, self.parts)
        shape = Shape(spec.input[0], tuple(spec.input[1:]))
        flow = Flow(shape, Number(shape.channels), (1,) * shape.rank)
        steps: list[Body] = []
        flow = self._section(spec.stem, "stem", scope, flow, root, steps)
        flow = self._stages(flow, root, steps)
        flow = self._section(spec.head, "head", scope, flow, root, steps)
        self.settled |= scope.settled
        root.body = Chain(tuple(steps))
        name_items(root, spec.names)
        return Opened(root, flow, symbolic, self.used)

    def _section(
        self,
        section: Any,
        where: str,
        scope: Scope,
        flow: Flow,
        root: Instance,
        steps: list[Body],
    ) -> Flow:
        for name, stack in section.entries:
            if name is None:
                done, flow = self.stack(stack, scope, flow, root)
                steps += done
            else:
                span = self.spec.where(where, name, key=True)
                done, flow = self.attribute(name, stack, scope, flow, root, span)
                steps += done
        return flow

    # Stages

    def _stages(self, flow: Flow, root: Instance, steps: list[Body]) -> Flow:
        blocks: dict[str, list[Place]] = {}
        for place in places(self.spec):
            blocks.setdefault(place.key, []).append(place)
        if sum(map(len, blocks.values())) > MOST_BLOCKS:
            span = self.spec.where("stages", key=True)
            message = f"the network has more than {MOST_BLOCKS} blocks"
            raise SpecError([Diagnostic("too-large", message, span)])
        found: list[Diagnostic] = []
        for key, stage in self.spec.stages.items():
            span = self.spec.where("stages", key, key=True)
            try:
                if stage.between is not None:
                    scope = Scope({n: constant(v) for n, v in self.spec.args.items()}, self.parts)
                    done, flow = self.attribute(key, stage.between, scope, flow, root, span)
                    steps += done
                    continue
                self._decided(flow)
                row, flow = self._stage(stage, blocks[key], flow, found)
                item = Item(row, root.mark(), key, span)
                root.items.append(item)
                steps.append(Apply(item.mark))
            except SpecError as error:
                found += error.diagnostics
                break
        if found:
            raise SpecError(found)
        return flow

    def _stage(
        self, stage: Stage, blocks: list[Place], flow: Flow, found: list[Diagnostic]
    ) -> tuple[Row, Flow]:
        """The blocks of one stage; after a finding it goes on with what the stage promised."""
        children = []
        for place in blocks:
            promised, scope = self._promise(stage, place, flow)
            name = stage.blocks[place.index if len(stage.blocks) > 1 else 0]
            try:
                item, flow = self._stage_block(name, stage, place, scope, flow)
                children.append(item)
                self._kept(stage, name, promised, flow)
            except SpecError as error:
                found += error.diagnostics
                if len(found) >= 20:
                    raise SpecError([]) from None
                if _cannot_go_on(error):
                    raise SpecError([]) from None
                flow = promised
                break
        return Row(children), flow

    def _promise(self, stage: Stage, place: Place, flow: Flow) -> tuple[Flow, Scope]:
        """What should leave this block, and what the arguments of its stage see."""
        scope = Scope(dict(place.names), self.parts)
        channels = self._in_stage(stage, "channels", place, scope, BLOCK_CHANNELS)
        stride = self._in_stage(stage, "stride", place, scope, BLOCK_STRIDE)
        scope.values["channels"] = channels or constant(flow.shape.channels)
        scope.values["stride"] = stride or constant(1)
        scope.values["in_channels"] = constant(flow.shape.channels)
        wide = scope.values["channels"].number
        by = int(scope.values["stride"].number)
        sizes = tuple(-(-size // by) for size in flow.shape.spatial)
        strides = None if flow.stride is None else tuple(s * by for s in flow.stride)
        return Flow(Shape(int(wide), sizes, flow.shape.last), Number(int(wide)), strides), scope

    def _in_stage(
        self, stage: Stage, name: str, place: Place, scope: Scope, how: Field
    ) -> Value | None:
        expr = getattr(stage, name)
        span = stage.where(name)
        if isinstance(expr, tuple):
            span = stage.where(name, place.index)
            expr = expr[place.index]
        elif name == "stride" and place.index:
            return None
        return None if expr is None else scope.argument(expr, how, span, name)

    def _stage_block(
        self, name: str, stage: Stage, place: Place, scope: Scope, flow: Flow
    ) -> tuple[Item, Flow]:
        block = self._block(name)
        bound = self.library.bind(stage.given, name, block)
        given = {"channels": scope.values["channels"], "stride": scope.values["stride"]}
        for arg, expr in bound.args.items():
            span = stage.where(arg)
            if isinstance(expr, tuple):
                span = stage.where(arg, place.index)
                expr = expr[place.index]
            given[arg] = scope.value(expr, span)
        parts = self._closures(bound.parts, self.parts, scope.values, stage.raw)
        indices = {name: place.names[name] for name in INDICES}
        span = stage.where("block", place.index) or stage.where("block")
        label = Label(span, f"`{name}` is used here") if span else None
        call = Call(name, block, given, parts, indices, label)
        if block.inline:
            made, flow = self._inline_row(call, scope, flow)
            return Item(made, "", None, span), flow
        use, flow = self._remembered(call, flow)
        return Item(use, "", None, span), flow

    def _kept(self, stage: Stage, name: str, promised: Flow, flow: Flow) -> None:
        if flow.shape.channels != promised.shape.channels:
            raise SpecError(
                [
                    Diagnostic(
                        "channels-ignored",
                        f"`{name}` gives {flow.shape.channels} channels where its stage says "
                        f"{promised.shape.channels}",
                        stage.where("channels"),
                        "use `channels` in the block, or say what it gives",
                    )
                ]
            )
        if flow.stride != promised.stride and flow.stride is not None:
            raise SpecError(
                [
                    Diagnostic(
                        "stride-ignored",
                        f"`{name}` does not stride as its stage says",
                        stage.where("stride"),
                        "use `stride` in one layer of the block, or leave it out here",
                    )
                ]
            )

    # Layers one after the other

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
        if not scope.decide(layer.when, layer.where("when")):
            return self.stack(layer.otherwise or Stack(), scope, flow, out)
        if layer.head in COMBINATORS and layer.head != "sequence":
            if out.sequential:
                raise self._no_combinator(layer, scope)
            if scope.instance is None:
                self._decided(flow)
            return self._combine(layer, scope, flow, out)
        if layer.head in scope.parts:
            stack, inside = self.fill(layer, scope)
            if layer.name is not None:
                return self.attribute(layer.name, stack, inside, flow, out, layer.span)
            with self._deeper(layer, scope):
                return self.stack(stack, inside, flow, out)
        if layer.head not in OPS and layer.head != "sequence":
            call = self._call(layer, scope, flow)
            if call.block.inline and layer.name is None:
                inside = self._inline_scope(call, scope, flow)
                with self._deeper(layer, scope):
                    return self.stack(call.block.body, inside, flow, out)
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
        made, flow, zeros = self._single(stack, scope, flow)
        if made is None:
            return [], flow
        item = Item(made, out.mark(), name, span or stack.span, zeros)
        out.items.append(item)
        return [Apply(item.mark)], flow

    def _single(self, stack: Stack, scope: Scope, flow: Flow) -> tuple[Made | None, Flow, bool]:
        if stack.listed or len(stack.layers) != 1:
            children, flow = self.row(stack, scope, flow)
            return (Row(children) if children else None), flow, False
        layer = stack.layers[0]
        if not scope.decide(layer.when, layer.where("when")):
            return self._single(layer.otherwise or Stack(), scope, flow)
        if layer.head in COMBINATORS and layer.head != "sequence":
            raise self._no_combinator(layer, scope)
        if layer.head in scope.parts:
            stack, inside = self.fill(layer, scope)
            with self._deeper(layer, scope):
                return self._single(stack, inside, flow)
        made, flow = self.module(layer, scope, flow)
        return made, flow, layer.init == "zeros"

    def row(self, stack: Stack, scope: Scope, flow: Flow) -> tuple[list[Item], Flow]:
        """The layers as children of a Sequential; inline blocks and parts are spliced in."""
        holder = Instance("", None, "", "", sequential=True)
        holder.definitions = scope.instance.definitions if scope.instance else {}
        _, flow = self.stack(stack, scope, flow, holder)
        return holder.items, flow

    def _no_combinator(self, layer: Layer, scope: Scope) -> SpecError:
        return scope.error(
            "bad-layer",
            f"`{layer.head}` has no attribute of its own",
            layer.span,
            "it stands in the body of a block or in a plain list; make a block of it",
        )

    # Parts

    def fill(self, layer: Layer, scope: Scope) -> tuple[Stack, Scope]:
        """The layers that stand in place of a part, and what they see."""
        closure = scope.parts[layer.head]
        # norm and act come from the place of use, also in layers that were written elsewhere
        parts = {**closure.parts}
        for name in ("norm", "act"):
            if name in scope.parts and name != layer.head:
                parts[name] = scope.parts[name]
        stack = closure.stack
        if layer.given or layer.init:
            stack = self._with_arguments(layer, stack, scope)
        return stack, scope.child(parts, closure.names)

    def _with_arguments(self, layer: Layer, stack: Stack, scope: Scope) -> Stack:
        """Arguments at a part go to the layer that fills it."""
        if not stack.layers:
            return stack
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

    def _closures(
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

    # Modules

    def module(self, layer: Layer, scope: Scope, flow: Flow) -> tuple[Made, Flow]:
        """One layer as a module of its own: an op, a block, a Sequential."""
        if layer.head in OPS:
            return self.op(OPS[layer.head], layer, scope, flow)
        if layer.head == "sequence":
            children, flow = self.row(layer.branches[0].stack, scope, flow)
            return Row(children), flow
        call = self._call(layer, scope, flow)
        with self._deeper(layer, scope):
            if call.block.inline:
                return self._inline_row(call, scope, flow)
            return self._remembered(call, flow)

    def op(self, op: type[Op], layer: Layer, scope: Scope, flow: Flow) -> tuple[OpUse, Flow]:
        self.used.add(op.key)
        slots = Slots(op, layer, self.spec, scope, flow).all()
        numbers = {name: number_of(slot) for name, slot in slots.items()}
        try:
            concrete = op(**numbers, rank=flow.shape.rank)
            shape = concrete.output(flow.shape)
        except ShapeError as error:
            raise scope.error(error.rule, error.message, layer.span, error.hint) from None
        if min(shape.sizes) < 1 or shape.elements > LARGEST_MAP:
            message = f"`{op.key}` leaves {shape} of {flow.shape}"
            raise scope.error("feature-map-vanishes", message, layer.span)
        name = op.torch_name(flow.shape)
        return OpUse(op, name, flow.shape.rank, slots), flow.through(concrete, shape, slots)

    # Blocks

    def _block(self, name: str) -> Block:
        self.used.add(name)
        block = self.library.block(name)
        assert block is not None, f"the check of names lets `{name}` through"
        return block

    def _call(self, layer: Layer, scope: Scope, flow: Flow) -> Call:
        """The block of a layer with what the layer gives it, read where it is written."""
        block = self._block(layer.head)
        bound = self.library.bind(layer.given, layer.head, block)
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
        parts = self._closures(bound.parts, scope.parts, scope.values, raw)
        indices = {name: scope.values[name] for name in INDICES if name in scope.values}
        span = layer.where(layer.head, key=True)
        label = Label(span, f"`{layer.head}` is used here") if span else None
        if scope.instance is None:
            self._decided(flow)
        parts = self._inherited(parts, scope)
        return Call(layer.head, block, given, parts, indices, label, scope)

    def _inherited(self, parts: dict[str, Closure], scope: Scope) -> dict[str, Closure]:
        """A block's norm and act go on into the blocks of its body."""
        for name in ("norm", "act"):
            if name not in parts and name in scope.parts:
                parts[name] = scope.parts[name]
        return parts

    def _inside(self, call: Call, instance: Instance | None, flow: Flow) -> Scope:
        """What the body of a block sees. With a class, its own names; inline, the caller's."""
        block = call.block
        labels = (call.label,) if call.label else ()
        outer = call.scope.labels if call.scope else ()
        scope = Scope({}, {}, instance, (*labels, *outer))
        defaults = self.spec.defaults.blocks.get(call.name, {})
        bound = self.library.bind(defaults, call.name, block)
        raw = locate(self.spec.defaults.raw, (call.name,))
        parts = {name: Closure(stack, self.parts) for name, stack in block.parts.items()}
        parts |= {n: Closure(stack, self.parts, span=raw) for n, stack in bound.parts.items()}
        parts = {"norm": self.parts["norm"], "act": self.parts["act"]} | parts | call.parts
        scope.parts = parts
        scope.truths = {name: not parts[name].none for name in block.parts}
        scope.values |= call.indices
        for name, expr in block.args.items():
            if name in bound.args:
                where = self.spec.where("defaults", call.name, name)
                scope.pending[name] = (bound.args[name], where)  # type: ignore[assignment]
            elif expr is not None:
                scope.pending[name] = (expr, locate(block.raw, ("args", name)))
            elif name not in call.given:
                span = call.label.span if call.label else None
                message = f"`{call.name}` is not told its `{name}`"
                raise SpecError([Diagnostic("missing-key", message, span, f"write `{name}: ...`")])
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

    def _inline_scope(self, call: Call, scope: Scope, flow: Flow) -> Scope:
        inside = self._inside(call, None, flow)
        inside.instance = scope.instance
        inside.touched, inside.settled = scope.touched, scope.settled
        return inside

    def _inline_row(self, call: Call, scope: Scope, flow: Flow) -> tuple[Row, Flow]:
        inside = self._inline_scope(call, scope, flow)
        children, flow = self.row(call.block.body, inside, flow)
        return Row(children), flow

    def _remembered(self, call: Call, flow: Flow) -> tuple[Use, Flow]:
        """A use of a block; one with the same arguments is opened once."""
        memo = self.memo.setdefault(call.key(flow), Memo())
        seen = call.seen(memo.touched)
        if seen not in memo.made:
            instance, touched = self._open(call, flow)
            if not touched <= memo.touched:
                memo.touched, memo.made = memo.touched | touched, {}
                seen = call.seen(memo.touched)
            memo.made[seen] = instance
        if call.scope is not None:
            call.scope.touched |= memo.touched
        use = Use(memo.made[seen], call.outside(flow))
        return use, self._leaving(use, call, flow)

    def _open(
        self, call: Call, flow: Flow, sequential: bool = False
    ) -> tuple[Instance, frozenset[str]]:
        """The block with its layers, in its own names."""
        block = call.block
        name = block.class_ or camel(call.name)
        instance = Instance(call.name, block, name, block.doc, sequential)
        scope = self._inside(call, instance, flow)
        inner = Flow(flow.shape, Name(call.arriving), (1,) * flow.shape.rank)
        if sequential:
            instance.items, leaving = self.row(block.body, scope, inner)
        else:
            steps, leaving = self.stack(block.body, scope, inner, instance)
            instance.body = Chain(tuple(steps))
        instance.leaving = leaving
        name_items(instance, self.spec.names)
        return instance, frozenset(scope.touched)

    def _leaving(self, use: Use, call: Call, flow: Flow) -> Flow:
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
        return Flow(inner.shape, value.expr or Number(inner.shape.channels), stride)

    @contextmanager
    def _deeper(self, layer: Layer, scope: Scope) -> Iterator[None]:
        self.deep += 1
        try:
            if self.deep > MOST_DEEP:
                message = f"`{layer.head}` uses itself, or blocks are nested too deep"
                raise SpecError([Diagnostic("cycle", message, layer.span, "", scope.labels[-2:])])
            yield
        finally:
            self.deep -= 1

    def _decided(self, flow: Flow) -> None:
        """A decision depends on these channels, so no argument of the network is left in them."""
        self.settled |= names(flow.channels)

    def _decide_names(self, value: Value) -> None:
        if value.expr is not None:
            self.settled |= names(value.expr)

    # Combinators

    def _combine(
        self, layer: Layer, scope: Scope, flow: Flow, out: Instance
    ) -> tuple[list[Body], Flow]:
        if layer.head == "residual":
            return self._residual(layer, scope, flow, out)
        if layer.head == "scale":
            return self._scale(layer, scope, flow, out)
        return self._branches(layer, scope, flow, out)

    def _residual(
        self, layer: Layer, scope: Scope, x: Flow, out: Instance
    ) -> tuple[list[Body], Flow]:
        """`x + f(x)`, with the shortcut where shapes differ."""
        before, y = self.stack(layer.before or Stack(), scope, x, out)
        steps, f = self.stack(layer.branches[0].stack, scope, y, out)
        needed = not f.agrees(x)
        if layer.project is not None:
            needed = scope.decide(layer.project, layer.where("project"))
        written = layer.shortcut
        if needed and written is not None and written.none and not written.listed:
            return [*before, *steps], f
        if layer.drop_path is not None:
            steps.append(self._drop_path(layer, scope, out))
        body = Chain(tuple(steps))
        item, name = None, "downsample"
        if needed:
            item, name = self._shortcut(layer, scope, x, y, f, out)
        elif f.shape != x.shape:
            raise self._mismatch(layer, scope, x.shape, f.shape, "the input")
        if not before:
            joint = Joint(out.mark(), name, item, len(out.items))
            out.joints.append(joint)
            return [Add((body, Apply(joint.mark)))], f
        if item is None:
            return [Add((Chain((*before, body)), Chain()))], f
        out.items.append(item)
        return [*before, Add((body, Apply(item.mark)))], f

    def _drop_path(self, layer: Layer, scope: Scope, out: Instance) -> Body:
        assert layer.drop_path is not None
        rate = scope.argument(layer.drop_path, RATE, layer.where("drop_path"), "drop_path")
        use = OpUse(StochasticDepth, "StochasticDepth", 0, {"p": rate})
        item = Item(use, out.mark(), None, layer.span)
        out.items.append(item)
        return Apply(item.mark)

    def _mismatch(
        self, layer: Layer, scope: Scope, side: Shape, body: Shape, what: str
    ) -> SpecError:
        if side.channels != body.channels or side.rank != body.rank:
            hint = "give it a 1x1 convolution: `shortcut: conv_norm`"
            if layer.shortcut is not None and layer.shortcut.layers:
                part = layer.shortcut.layers[0].head
                hint = f"give it a 1x1 convolution: `{part}: conv_norm`"
        else:
            hint = "the layers of the body must keep the size: check kernel, padding and stride"
        own = layer.span if layer.span else None
        message = f"the sum has {side} from {what} and {body} from the body"
        labels = []
        last = layer.branches[0].stack.layers
        if last and last[-1].span:
            labels.append(Label(last[-1].span, f"the body gives {body}"))
        return scope.error("residual-shape-mismatch", message, own, hint, tuple(labels))

    def _shortcut(
        self, layer: Layer, scope: Scope, x: Flow, y: Flow, f: Flow, out: Instance
    ) -> tuple[Item, str]:
        """The projection that is added to f(x), as a module of its own."""
        stack, inside, named = layer.shortcut or Stack(), scope, "shortcut"
        while len(stack.layers) == 1 and not stack.listed:
            first = stack.layers[0]
            if not inside.decide(first.when, first.where("when")):
                stack = first.otherwise or Stack()
                continue
            if first.head not in inside.parts:
                break
            named = first.head
            with self._deeper(first, inside):
                stack, inside = self.fill(first, inside)
        if not stack.layers:
            raise self._mismatch(layer, scope, x.shape, f.shape, "the input")
        first = stack.layers[0]
        name = "downsample" if stack.listed or not first.name else first.name
        made: Made
        if stack.listed or first.head == "sequence":
            listed = stack if stack.listed else first.branches[0].stack
            made, flow = self._anonymous(named, listed, inside, y)
        elif first.head in COMBINATORS:
            raise self._no_combinator(first, scope)
        elif first.head in OPS:
            made, flow = self.op(OPS[first.head], first, inside, y)
        else:
            made, flow = self._projection(first, inside, x, y, f)
        if flow.shape != f.shape:
            raise self._mismatch(layer, scope, flow.shape, f.shape, "the shortcut")
        return Item(made, out.mark(), name, first.span, first.init == "zeros"), name

    def _projection(
        self, layer: Layer, scope: Scope, x: Flow, y: Flow, f: Flow
    ) -> tuple[Made, Flow]:
        """A block as shortcut; it gets channels and stride of the body."""
        call = self._call(layer, scope, y)
        call.given.setdefault("channels", f.value)
        call.given.setdefault("stride", _relative(scope, x, f))
        if not call.block.inline:
            return self._remembered(call, y)
        instance, touched = self._open(call, y, sequential=True)
        scope.touched |= touched
        use = Use(instance, call.outside(y))
        return use, self._leaving(use, call, y)

    def _anonymous(self, named: str, stack: Stack, scope: Scope, flow: Flow) -> tuple[Use, Flow]:
        """A list as shortcut: a class of its own, in the names of the block around."""
        instance = Instance(named, None, camel(named), "The shortcut where shapes differ.", True)
        start = replace(flow, stride=(1,) * flow.shape.rank)
        instance.items, leaving = self.row(stack, scope, start)
        around = scope.instance.definitions if scope.instance else {}
        instance.definitions = {
            name: Definition(d.number, None, given=True) for name, d in around.items()
        }
        name_items(instance, self.spec.names)
        return Use(instance, {name: Name(name) for name in around}), leaving

    def _scale(self, layer: Layer, scope: Scope, x: Flow, out: Instance) -> tuple[list[Body], Flow]:
        """`x * f(x)`; sizes that f has lost are broadcast."""
        steps, gate = self.stack(layer.branches[0].stack, scope, x, out)
        shape = gate.shape
        fits = shape.channels == x.shape.channels
        if shape.rank == 0 and x.shape.rank:
            steps.append(Unsqueeze(x.shape.rank))
        else:
            pairs = zip(shape.sizes, x.shape.sizes, strict=False)
            same = shape.rank == x.shape.rank and shape.last == x.shape.last
            fits = fits and same and all(a in (1, b) for a, b in pairs)
        if not fits:
            message = f"the gate gives {shape} for an input of {x.shape}"
            hint = "it gives the input's channels, and its sizes or 1"
            raise scope.error("scale-shape-mismatch", message, layer.span, hint)
        return [Multiply((Chain(), Chain(tuple(steps))))], x

    def _branches(
        self, layer: Layer, scope: Scope, x: Flow, out: Instance
    ) -> tuple[list[Body], Flow]:
        there = [b for b in layer.branches if self._is_there(b.stack, scope)]
        if not there:
            raise scope.error("bad-layer", f"`{layer.head}` has no branches left", layer.span)
        if layer.head in ("concat", "split") and x.shape.last:
            hint = "put `channels_first` ahead of it"
            message = f"`{layer.head}` wants the channels in front ({x.shape})"
            raise scope.error("shape-mismatch", message, layer.span, hint)
        flow = self._part_of(x, len(there), layer, scope) if layer.head == "split" else x
        bodies: list[Body] = []
        flows = []
        for branch in there:
            if branch.name is None:
                steps, leaving = self.stack(branch.stack, scope, flow, out)
            else:
                steps, leaving = self.attribute(
                    branch.name, branch.stack, scope, flow, out, branch.stack.span
                )
            bodies.append(Chain(tuple(steps)))
            flows.append(leaving)
        joined = self._joined(layer, scope, flows)
        if len(bodies) == 1:
            return [bodies[0]], joined
        kinds: dict[str, type[Concat | Add | Split]] = {
            "concat": Concat,
            "add": Add,
            "split": Split,
        }
        return [kinds[layer.head](tuple(bodies))], joined

    def _is_there(self, stack: Stack, scope: Scope) -> bool:
        if stack.listed or len(stack.layers) != 1:
            return not (stack.none and not stack.listed)
        layer = stack.layers[0]
        if layer.otherwise is not None:
            return True
        if layer.head in scope.parts and scope.parts[layer.head].none:
            return False
        return scope.decide(layer.when, layer.where("when"))

    def _part_of(self, x: Flow, parts: int, layer: Layer, scope: Scope) -> Flow:
        if x.shape.channels % parts:
            message = f"{x.shape.channels} channels do not split into {parts} equal parts"
            raise scope.error("split-shape-mismatch", message, layer.span)
        channels = x.shape.channels // parts
        formula = simplify("//", x.channels, Number(parts))
        if isinstance(x.channels, Number) or formula is None:
            formula = Number(channels)
        return x.with_shape(replace(x.shape, channels=channels), formula)

    def _joined(self, layer: Layer, scope: Scope, flows: list[Flow]) -> Flow:
        first = flows[0]
        alike = [replace(flow.shape, channels=0) for flow in flows]
        if layer.head == "add":
            alike = [flow.shape for flow in flows]
        if any(shape != alike[0] for shape in alike):
            listed = ", ".join(str(flow.shape) for flow in flows)
            what = "a sum" if layer.head == "add" else "branches one behind the other"
            hint = "branches agree in their sizes" + (
                " and channels" if layer.head == "add" else ""
            )
            message = f"{what} of different shapes: {listed}"
            raise scope.error(f"{layer.head}-shape-mismatch", message, layer.span, hint)
        strides = {flow.stride for flow in flows}
        stride = first.stride if len(strides) == 1 else None
        if layer.head == "add":
            return replace(first, stride=stride)
        total = sum(flow.shape.channels for flow in flows)
        formula: Expr | None = flows[0].channels
        for flow in flows[1:]:
            formula = _plus(formula, flow.channels)
        shape = replace(first.shape, channels=total)
        return Flow(shape, formula or Number(total), stride)


@dataclass(eq=False, slots=True)
class Call:
    """A use of a block: its arguments as values, its parts, and where it stands."""

    name: str
    block: Block
    given: dict[str, Value]
    parts: dict[str, Closure]
    indices: dict[str, Value]
    label: Label | None
    scope: Scope | None = None

    @property
    def arriving(self) -> str:
        """The name of the channels that arrive: those that leave, unless others are given."""
        return "in_channels" if "channels" in self.given else "channels"

    def key(self, flow: Flow) -> Any:
        given = tuple(sorted((name, value.number) for name, value in self.given.items()))
        parts = tuple(sorted((name, part.key()) for name, part in self.parts.items()))
        return self.name, id(self.block), flow.shape, given, parts

    def seen(self, touched: frozenset[str]) -> Any:
        return tuple(self.indices[name].number for name in sorted(touched & self.indices.keys()))

    def outside(self, flow: Flow) -> dict[str, Expr | None]:
        """The block's names in formulas of the caller."""
        known: dict[str, Expr | None] = {n: value.expr for n, value in self.given.items()}
        known.setdefault("stride", Number(1))
        known[self.arriving] = flow.channels
        return known


def _relative(scope: Scope, x: Flow, f: Flow) -> Value:
    """The stride of a residual's body."""
    if not x.stride or not f.stride:
        return constant(1)
    steps = {b // a for a, b in zip(x.stride, f.stride, strict=False)}
    number = max(steps)
    known = scope.values.get("stride")
    return known if known is not None and known.number == number else constant(number)


def _plus(left: Expr | None, right: Expr) -> Expr | None:
    if left is None:
        return None
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value + right.value)
    return simplify("+", left, right)


def _cannot_go_on(error: SpecError) -> bool:
    return any(d.rule in ("cycle", "too-large") for d in error.diagnostics)
