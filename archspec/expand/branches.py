"""`scale`, `concat`, `add` and `split`: a gate, and branches side by side."""

from __future__ import annotations

from archspec.diagnostics import MOST_LABELS
from archspec.expand.builder import Builder
from archspec.expand.layers import LARGEST_MAP, Steps, combinator, expand_attribute, expand_stack
from archspec.expand.naming import chain
from archspec.expand.scope import Scope
from archspec.expression import Expr, Number, simplify
from archspec.ir import Add, Body, Chain, Concat, Multiply, Split, Unsqueeze
from archspec.ir.tree import TensorInfo, short
from archspec.language.layers import Layer, Stack
from archspec.places import At

_BODIES: dict[str, type[Concat | Add | Split]] = {"concat": Concat, "add": Add, "split": Split}


@combinator("scale")
def scale(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """`x * f(x)`; sizes that f has lost are broadcast."""
    inside = scope.with_(role=scope.role or "gate")
    steps, gate = expand_stack(layer.branches[0].stack, layer.branch_at(0, at), inside, x, out)
    shape = gate.shape
    fits = shape.channels == x.shape.channels
    if shape.rank == 0 and x.shape.rank:
        steps.append(Unsqueeze(x.shape.rank))
    else:
        pairs = zip(shape.spatial, x.shape.spatial, strict=False)
        same = shape.rank == x.shape.rank and shape.last == x.shape.last
        fits = fits and same and all(a in (1, b) for a, b in pairs)
    if not fits:
        message = f"the gate gives {shape} for an input of {x.shape}"
        hint = "it gives the input's channels, and its sizes or 1"
        raise scope.error("scale-shape-mismatch", message, at, hint)
    return [Multiply((Chain(), chain(steps)))], x


@combinator("concat", "add", "split")
def branches(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """Branches of one input, joined."""
    there = [place for place in range(len(layer.branches)) if _is_there(layer, place, at, scope)]
    if not there:
        raise scope.error("bad-layer", f"`{layer.head}` has no branches left", at)
    if layer.head in ("concat", "split") and x.shape.last:
        hint = "put `channels_first` ahead of it"
        message = f"`{layer.head}` wants the channels in front ({x.shape})"
        raise scope.error("shape-mismatch", message, at, hint)
    part = _part_of(x, len(there), layer, at, scope) if layer.head == "split" else x
    bodies: list[Body] = []
    ends: list[TensorInfo] = []
    for place in there:
        steps, y = _branch(layer, place, at, scope, part, out)
        bodies.append(chain(steps))
        ends.append(y)
    places = [layer.branch_at(place, at) for place in there]
    joined = _joined(layer, at, scope, places, ends)
    return [bodies[0] if len(bodies) == 1 else _BODIES[layer.head](tuple(bodies))], joined


def _branch(layer: Layer, place: int, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    branch, here = layer.branches[place], layer.branch_at(place, at)
    if branch.name is None:
        return expand_stack(branch.stack, here, scope, x, out)
    return expand_attribute(branch.name, branch.stack, here, scope, x, out, here)


def _is_there(layer: Layer, place: int, at: At, scope: Scope) -> bool:
    stack = layer.branches[place].stack
    if stack.listed or len(stack.layers) != 1:
        return not (stack.none and not stack.listed)
    return _has_layer(stack, layer.branch_at(place, at), scope)


def _has_layer(stack: Stack, at: At, scope: Scope) -> bool:
    """Whether a branch of one layer is there: its condition holds, and its part is filled."""
    ((layer, here),) = stack.each(at)
    if layer.otherwise is not None:
        return True
    if layer.head in scope.parts and scope.parts[layer.head].none:
        return False
    return scope.decide(layer.when, here.below("when"))


def _part_of(x: TensorInfo, parts: int, layer: Layer, at: At, scope: Scope) -> TensorInfo:
    if x.shape.channels % parts:
        message = f"{x.shape.channels} channels do not split into {parts} equal parts"
        raise scope.error("split-shape-mismatch", message, at)
    channels = x.shape.channels // parts
    formula = simplify("//", x.channels, Number(parts))
    if isinstance(x.channels, Number) or formula is None:
        formula = Number(channels)
    return x._replace(shape=x.shape._replace(channels=channels), channels=formula)


def _joined(
    layer: Layer, at: At, scope: Scope, places: list[At], ends: list[TensorInfo]
) -> TensorInfo:
    """What leaves the branches together."""
    _check_alike(layer, at, scope, places, ends)
    first = ends[0]
    stride = first.stride if len({end.stride for end in ends}) == 1 else None
    if layer.head == "add":
        return first._replace(stride=stride)
    total = sum(end.shape.channels for end in ends)
    formula: Expr | None = first.channels
    for end in ends[1:]:
        formula = short(_plus(formula, end.channels))
    shape = first.shape._replace(channels=total)
    if shape.elements > LARGEST_MAP:
        raise scope.error("too-large", f"`concat` gives {shape}", at)
    return TensorInfo(shape, short(formula) or Number(total), stride)


def _check_alike(
    layer: Layer, at: At, scope: Scope, places: list[At], ends: list[TensorInfo]
) -> None:
    adds = layer.head == "add"
    shapes = [end.shape if adds else end.shape._replace(channels=0) for end in ends]
    if all(shape == shapes[0] for shape in shapes):
        return
    listed = ", ".join(str(end.shape) for end in ends)
    what = "a sum" if adds else "branches one behind the other"
    hint = "branches agree in their sizes" + (" and channels" if adds else "")
    pairs = list(zip(places, ends, strict=True))[:MOST_LABELS]
    labels = tuple((place, f"this gives {end.shape}") for place, end in pairs)
    message = f"{what} of different shapes: {listed}"
    raise scope.error(f"{layer.head}-shape-mismatch", message, at, hint, labels)


def _plus(left: Expr | None, right: Expr) -> Expr | None:
    if left is None:
        return None
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value + right.value)
    return simplify("+", left, right)
