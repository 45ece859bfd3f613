"""Combinators opened: sums with their shortcut, gates, branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archspec.diagnostics import MOST_LABELS, Label, SpecError
from archspec.expression import Expr, Name, Number, Value, constant, simplify
from archspec.ir import Add, Apply, Body, Chain, Concat, Field, Multiply, Shape, Split, Unsqueeze
from archspec.language.layers import COMBINATORS, Branch, Layer, Stack
from archspec.lower.model import Definition, Flow, Instance, Item, Joint, Made, OpUse, Use, short
from archspec.lower.naming import camel, name_items
from archspec.lower.scope import Scope
from archspec.ops import OPS
from archspec.ops.others import StochasticDepth
from archspec.record import replace

if TYPE_CHECKING:
    from archspec.lower.layers import Layers

LARGEST_MAP = 2**40
RATE = Field("real", low=0, high=1)


class Combinators:
    """Opens what puts layers together, apart from `sequence`."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers

    def combine(
        self, layer: Layer, scope: Scope, flow: Flow, out: Instance
    ) -> tuple[list[Body], Flow]:
        opened = {"residual": self._residual, "scale": self._scale}
        body, leaving = opened.get(layer.head, self._branches)(layer, scope, flow.apart(), out)
        return body, leaving.apart()

    def _residual(
        self, layer: Layer, scope: Scope, x: Flow, out: Instance
    ) -> tuple[list[Body], Flow]:
        """`x + f(x)`, with the shortcut where shapes differ."""
        before, y = self.layers.stack(layer.before or Stack(), scope, x, out)
        y = y.apart()
        steps, f = self.layers.stack(layer.branches[0].stack, scope, y, out)
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
            with self.layers.beside("shortcut"):
                item, name = self._shortcut(layer, scope, x, y, f, out)
        elif f.shape != x.shape:
            hint = "the layers of the body must keep the size: check kernel, padding and stride"
            if not f.agrees(x):
                hint = "`project` wants no shortcut here: leave it out, or let it hold here too"
            raise self._mismatch(layer, scope, x.shape, f.shape, "the input", hint)
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
        self, layer: Layer, scope: Scope, side: Shape, body: Shape, what: str, hint: str
    ) -> SpecError:
        own = layer.span if layer.span else None
        message = f"the sum has {side} from {what} and {body} from the body"
        labels = []
        last = layer.branches[0].stack.layers
        if last and last[-1].span:
            labels.append(Label(last[-1].span, f"the body gives {body}"))
        beside = layer.shortcut.layers if layer.shortcut and what == "the shortcut" else ()
        if beside and beside[-1].span:
            labels.append(Label(beside[-1].span, f"{what} gives {side}"))
        labels += _emptied(layer, scope)
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
            with self.layers.deeper(first, inside):
                stack, inside = self.layers.fill(first, inside)
        if not stack.layers:
            hint = _projected(layer, scope, x.shape)
            if f.stride is None or x.shape.rank != f.shape.rank:
                hint = "the body must keep the size and dimensions of what enters it"
            raise self._mismatch(layer, scope, x.shape, f.shape, "the input", hint)
        first = stack.layers[0]
        name = "downsample" if stack.listed or not first.name else first.name
        made: Made
        if stack.listed or first.head == "sequence":
            listed = stack if stack.listed else first.branches[0].stack
            made, flow = self._anonymous(named, listed, inside, y)
        elif first.head in COMBINATORS:
            raise self.layers.no_combinator(first, scope)
        elif first.head in OPS:
            made, flow = self.layers.op(OPS[first.head], first, inside, y)
        else:
            made, flow = self._projection(first, inside, x, y, f)
        if flow.shape != f.shape:
            hint = (
                "shortcut and body must agree: check channels, stride, kernel and padding of both"
            )
            raise self._mismatch(layer, scope, flow.shape, f.shape, "the shortcut", hint)
        return Item(made, out.mark(), name, first.span, first.init == "zeros"), name

    def _projection(
        self, layer: Layer, scope: Scope, x: Flow, y: Flow, f: Flow
    ) -> tuple[Made, Flow]:
        """A block as shortcut; it gets channels and stride of the body."""
        call = self.layers.blocks.call(layer, scope, y)
        call.given.setdefault("channels", f.value)
        call.given.setdefault("stride", _relative(scope, x, f))
        if not call.block.inline:
            return self.layers.blocks.remembered(call, y)
        instance, touched = self.layers.blocks.open(call, y, sequential=True)
        scope.touched |= touched
        use = Use(instance, call.outside(y))
        return use, self.layers.blocks.leaving(use, call, y)

    def _anonymous(self, named: str, stack: Stack, scope: Scope, flow: Flow) -> tuple[Use, Flow]:
        """A list as shortcut: a class of its own, in the names of the block around."""
        instance = Instance(named, None, camel(named), "The shortcut where shapes differ.", True)
        start = replace(flow, stride=(1,) * flow.shape.rank)
        instance.items, leaving = self.layers.row(stack, scope, start)
        around = scope.instance.definitions if scope.instance else {}
        instance.definitions = {
            name: Definition(d.number, None, given=True) for name, d in around.items()
        }
        name_items(instance, self.layers.spec.names)
        return Use(instance, {name: Name(name) for name in around}), leaving

    def _scale(self, layer: Layer, scope: Scope, x: Flow, out: Instance) -> tuple[list[Body], Flow]:
        """`x * f(x)`; sizes that f has lost are broadcast."""
        with self.layers.beside("gate"):
            steps, gate = self.layers.stack(layer.branches[0].stack, scope, x, out)
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
                steps, leaving = self.layers.stack(branch.stack, scope, flow, out)
            else:
                steps, leaving = self.layers.attribute(
                    branch.name, branch.stack, scope, flow, out, branch.stack.span
                )
            bodies.append(Chain(tuple(steps)))
            flows.append(leaving)
        joined = self._joined(layer, scope, there, flows)
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

    def _joined(
        self, layer: Layer, scope: Scope, branches: list[Branch], flows: list[Flow]
    ) -> Flow:
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
            labels = tuple(
                Label(branch.stack.span, f"this gives {flow.shape}")
                for branch, flow in zip(branches[:MOST_LABELS], flows, strict=False)
                if branch.stack.span
            )
            raise scope.error(f"{layer.head}-shape-mismatch", message, layer.span, hint, labels)
        strides = {flow.stride for flow in flows}
        stride = first.stride if len(strides) == 1 else None
        if layer.head == "add":
            return replace(first, stride=stride)
        total = sum(flow.shape.channels for flow in flows)
        formula: Expr | None = flows[0].channels
        for flow in flows[1:]:
            formula = short(_plus(formula, flow.channels))
        shape = replace(first.shape, channels=total)
        if shape.elements > LARGEST_MAP:
            raise scope.error("too-large", f"`concat` gives {shape}", layer.span)
        return Flow(shape, short(formula) or Number(total), stride)


def _projected(layer: Layer, scope: Scope, x: Shape) -> str:
    """How to make the input agree with the body: by the part that the block has for it, if any."""
    heads = [part.head for part in layer.shortcut.layers] if layer.shortcut else []
    key = next((head for head in heads if head in scope.parts), "shortcut")
    if not x.rank:
        return f"give it a linear layer: `{key}: {{linear: channels}}`"
    return f"give it a 1x1 convolution: `{key}: conv_norm`"


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


def _emptied(layer: Layer, scope: Scope) -> list[Label]:
    """Where the part that a shortcut names was given no layer."""
    heads = [part.head for part in layer.shortcut.layers] if layer.shortcut else []
    filled = [(head, scope.parts[head]) for head in heads if head in scope.parts]
    return [
        Label(closure.span, f"`{head}` is given no layer here")
        for head, closure in filled
        if closure.none and closure.span
    ]
