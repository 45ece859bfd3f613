"""`residual`: the sum of the input and the body's output, with a shortcut if needed."""

from dataclasses import replace

from archspec.expand.builder import Builder, Declared, Item, Slot
from archspec.expand.calls import call_of
from archspec.expand.depth import nested
from archspec.expand.layers import (
    Steps,
    check_constant,
    combinator,
    expand_call,
    expand_stack,
    no_combinator,
)
from archspec.expand.naming import camel, chain
from archspec.expand.ops import expand_op
from archspec.expand.parts import fill
from archspec.expand.rows import Module, anonymous
from archspec.expand.scope import FoundError, Scope
from archspec.expand.starts import draws_of
from archspec.expression import Number, Value, constant
from archspec.ir import Add, Apply, Body, Chain, Field, Shape
from archspec.ir.draws import Draw
from archspec.ir.tree import OpCall, OpSite, TensorInfo
from archspec.language.stack import Layer, Stack
from archspec.language.words import COMBINATORS
from archspec.ops import OPS
from archspec.ops.dropouts import StochasticDepth
from archspec.places import At
from archspec.records import Record

RATE = Field("real", low=0, high=1)
DOWNSAMPLE = "downsample"


class Residual(Record):
    """A residual: its layer and location, its input (`x`), its body (`y`), and `f`'s output."""

    layer: Layer
    at: At
    scope: Scope
    x: TensorInfo
    y: TensorInfo
    f: TensorInfo


@combinator("residual")
def residual(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """`x + f(x)`, with the shortcut if shapes differ."""
    before, y = list[Body](), x
    if layer.before is not None:
        before, y = expand_stack(layer.before, at.below("before"), scope, x, out)
    body_at, ahead = layer.branch_at(0, at), len(out.items)
    steps, f = expand_stack(layer.branches[0].stack, body_at, scope, y, out)
    whole = Residual(layer, at, scope, x, y, f)
    needed = not f.agrees(x)
    scope.settle_equal(x, f)
    if layer.project is not None:
        needed = scope.decide(layer.project, at, "project")
    written = layer.shortcut
    if needed and written is not None and written.none and not written.listed:
        return [*before, *steps], f
    if layer.drop_path is not None:
        steps.append(_drop_path(layer, at, scope, f, out))
    body = chain(steps)
    if not needed and f.shape != x.shape:
        hint = "the body's layers must keep the spatial size: check kernel, padding, and stride"
        if not f.agrees(x):
            hint = "`project` disables the shortcut here: remove it, or make its condition true"
        raise _mismatch(whole, x.shape, "the input", hint)
    if not needed and isinstance(f.channels, Number):
        f = f._replace(channels=x.channels)  # the input's channels, which may have a name
    made = _shortcut(whole) if needed else None
    place = ahead if _comes_first(layer) else len(out.items)
    if not before:
        return [Add((body, _slot(made, out, place)))], f
    if made is None:
        return [Add((Chain((*before, body)), Chain()))], f
    return [*before, Add((body, made.apply(out, place)))], f


class Shortcut(Record):
    """The projection that is added to f(x): a module, its name, and its initialization."""

    module: Module
    name: str
    at: At
    draws: tuple[Draw, ...]

    def item(self, mark: str) -> Item:
        """The shortcut as a layer."""
        return Item(self.module[0], mark, self.name, self.at, self.draws)

    def apply(self, out: Builder, place: int) -> Body:
        """The shortcut as a layer of the enclosing class, applied."""
        mark = out.mark()
        out.insert(self.item(mark), place)
        return Apply(mark, self.module[1])


def _comes_first(layer: Layer) -> bool:
    """Whether the shortcut is written before the body, and so is registered first."""
    keys = list(layer.raw)
    return "shortcut" in keys and keys.index("shortcut") < keys.index("residual")


def _slot(made: Shortcut | None, out: Builder, place: int) -> Body:
    """The position of the shortcut, which other uses of the block may or may not have."""
    mark = out.mark()
    name = made.name if made else DOWNSAMPLE
    out.slots.append(Slot(mark, name, made.item(mark) if made else None, place))
    return Apply(mark, made.module[1] if made else None)


def _drop_path(layer: Layer, at: At, scope: Scope, f: TensorInfo, out: Builder) -> Body:
    assert layer.drop_path is not None
    place = at.below("drop_path")
    rate = scope.argument(layer.drop_path, RATE, place, "drop_path")
    op = StochasticDepth(p=rate.number)
    if op.p:
        scope.budget.drops.add(scope.block)
    module = OpCall(op, "StochasticDepth", {"p": rate})
    site = OpSite(module, f.shape, f.shape, {}, place, place, scope.uses, scope.role)
    return out.add(module, site, None, at)


def _mismatch(whole: Residual, side: Shape, what: str, hint: str) -> FoundError:
    """The finding if the two sides of the sum differ."""
    layer, at, scope, f = whole.layer, whole.at, whole.scope, whole.f
    message = f"{what} is {side}, but the body outputs {f.shape}"
    labels = _last(layer.branches[0].stack, layer.branch_at(0, at), f"the body outputs {f.shape}")
    if layer.shortcut and what == "the shortcut":
        labels += _last(layer.shortcut, at.below("shortcut"), f"{what} outputs {side}")
    for head in _heads(layer):
        part, origin = scope.parts.get(head), scope.origins.get(head)
        if part is not None and part.none and origin is not None and origin.at is not None:
            labels.append((origin.at, f"`{head}` has no layers here"))
    return scope.error("residual-shape-mismatch", message, at, hint, tuple(labels))


def _last(stack: Stack, at: At, text: str) -> list[tuple[At, str]]:
    return [(place, text) for _, place in stack.each(at)[-1:]]


def _heads(layer: Layer) -> list[str]:
    return [part.head for part in layer.shortcut.layers] if layer.shortcut else []


def _shortcut(whole: Residual) -> Shortcut:
    """The projection that is added to f(x), as a separate module."""
    layer, at, scope = whole.layer, whole.at, whole.scope.with_(role="shortcut", tensors=None)
    stack, place, inside, named = layer.shortcut or Stack(), at.below("shortcut"), scope, "shortcut"
    while len(stack.layers) == 1 and not stack.listed:
        ((first, here),) = stack.each(place)
        if not inside.decide(first.when, here, "when"):
            stack, place = first.otherwise or Stack(), here.below("else")
            continue
        if first.head not in inside.parts:
            break
        named = first.head
        with nested(inside):
            stack, place, inside = fill(first, here, inside)
    if not stack.layers:
        raise _mismatch(whole, whole.x.shape, "the input", _projected(whole))
    made = _module(replace(whole, scope=inside), stack, place, named)
    first, here = stack.each(place)[0]
    check_constant(made, None, here, scope, aside=True)
    if made[2].shape != whole.f.shape:
        hint = "make the shapes match: check channels, stride, kernel, and padding of both"
        raise _mismatch(whole, made[2].shape, "the shortcut", hint)
    name = None if stack.listed else inside.name(first.name, here)
    return Shortcut(made, name or DOWNSAMPLE, here, draws_of(first, made[0], here, inside))


def _module(whole: Residual, stack: Stack, place: At, named: str) -> Module:
    """The layers of the shortcut as a module."""
    scope, y = whole.scope, whole.y
    first, here = stack.each(place)[0]
    if stack.listed:
        return _anonymous(named, stack, place, scope, y)
    if first.head == "sequence":
        return _anonymous(named, first.branches[0].stack, first.branch_at(0, here), scope, y)
    if first.head in COMBINATORS:
        raise no_combinator(first, here, scope)
    if first.head in OPS:
        return expand_op(OPS[first.head], first, here, scope, y)
    call = call_of(first, here, scope, y)
    call.given.setdefault("channels", whole.f.value)
    call.given.setdefault("stride", _relative_stride(scope, whole.x, whole.f))
    for name in ("channels", "stride"):
        call.args.setdefault(name, here)
    return expand_call(call, y, as_sequential=call.block.inline)


def _anonymous(named: str, stack: Stack, place: At, scope: Scope, y: TensorInfo) -> Module:
    """A list as shortcut."""
    holder, scope = Builder(sequential=True), scope.with_(block=named)
    start = y._replace(stride=(1,) * y.shape.rank)
    steps, leaving = expand_stack(stack, place, scope, start, holder)
    declared = Declared(named, camel(named), "The shortcut if shapes differ.")
    return anonymous(holder, steps, leaving, place, scope, declared)


def _projected(whole: Residual) -> str:
    """How to match the input to the body: with the part that the block has for it, if any."""
    x, f = whole.x, whole.f
    if f.stride is None or x.shape.rank != f.shape.rank:
        return "the body must keep the size and dimensions of its input"
    key = next((head for head in _heads(whole.layer) if head in whole.scope.parts), "shortcut")
    if not x.shape.rank or x.shape.last:
        known, number = whole.scope.values.get("channels"), f.shape.channels
        features = "channels" if known and known.number == number else number
        return f"add a linear layer: `{key}: {{linear: {features}}}`"
    return f"add a 1x1 projection: `{key}: conv_norm`"


def _relative_stride(scope: Scope, x: TensorInfo, f: TensorInfo) -> Value:
    """The stride of a residual's body."""
    if not x.stride or not f.stride:
        return constant(1)
    number = max(1, *(int(b // a) for a, b in zip(x.stride, f.stride, strict=False)))
    known = scope.values.get("stride")
    return known if known is not None and known.number == number else constant(number)
