"""`scale`, `concat`, `add`, `multiply`, `split`, and `slice`: gates, branches, slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archspec.diagnostics import MOST_LABELS, plural
from archspec.expand.builder import Builder
from archspec.expand.layers import Steps, combinator, expand_attribute, expand_stack
from archspec.expand.naming import chain
from archspec.expand.ops import LARGEST_MAP
from archspec.expand.scope import FoundError, Scope
from archspec.expression import Expr, Number, Value, combine, constant, simplify
from archspec.ir import (
    Add,
    Apply,
    Body,
    Chain,
    Concat,
    Constant,
    Multiply,
    Real,
    Shape,
    Slice,
    Split,
    Unsqueeze,
)
from archspec.ir.bodies import Size, reads_nothing
from archspec.ir.ops import SPATIAL
from archspec.ir.tree import OpSite, TensorInfo, short
from archspec.language.stack import Branch, Layer, Stack
from archspec.language.tensors import OF_SLICE, SIZE
from archspec.places import At


@combinator("scale")
def scale(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """`x * f(x)`; dimensions that f pooled to size 1 are broadcast."""
    inside = scope.with_(role=scope.role or "gate")
    steps, gate = expand_stack(layer.branches[0].stack, layer.branch_at(0, at), inside, x, out)
    scope.settle_equal(x, gate)
    shape = gate.shape
    fits = shape.channels in (1, x.shape.channels)
    if shape.rank == 0 and x.shape.rank:
        steps.append(Unsqueeze(x.shape.rank))
    else:
        pairs = zip(shape.spatial, x.shape.spatial, strict=False)
        same = shape.rank == x.shape.rank and shape.last == x.shape.last
        fits = fits and same and all(a in (1, b) for a, b in pairs)
    if not fits:
        message = f"the gate outputs {shape} for an input of {x.shape}"
        hint = "it must output the input's channels or 1, and the input's spatial size or 1"
        raise scope.error("scale-shape-mismatch", message, at, hint)
    return [Multiply((Chain(), _broadcast(chain(steps))))], x


@combinator("concat", "add", "multiply")
def branches(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """Branches of one input, joined."""
    there = _there(layer, at, scope)
    bodies, ends = _expanded(layer, there, at, scope, [x] * len(there), out)
    places = [layer.branch_at(place, at) for place in there]
    if layer.head == "concat":
        dim = _dimension(layer, at, scope, ends[0])
        joined, whole = _concat(layer, at, scope, places, ends, dim), Concat(bodies, dim)
    else:
        scope.settle_equal(*ends)
        kind = Add if layer.head == "add" else Multiply
        loose = tuple(map(_broadcast, bodies))
        bodies = bodies if all(map(reads_nothing, loose)) else loose
        joined, whole = _alike(layer, at, scope, places, ends), kind(bodies)  # type: ignore[assignment]
    return [bodies[0] if len(bodies) == 1 else whole], joined


@combinator("split")
def split(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """A branch on each part of the channels, concatenated."""
    _check_in_front(layer, at, scope, x)
    there = _there(layer, at, scope)
    if layer.sizes is None:
        sizes: tuple[Size, ...] = ()
        parts = _equal_parts(x, len(there), at, scope)
    else:
        sizes, parts = _parts(layer, at, scope, x)
    bodies, ends = _expanded(layer, there, at, scope, parts, out)
    places = [layer.branch_at(place, at) for place in there]
    joined = _concat(layer, at, scope, places, ends, 1)
    return [bodies[0] if len(bodies) == 1 else Split(bodies, sizes)], joined


@combinator("slice")
def slice_(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """A slice of the channels."""
    _check_in_front(layer, at, scope, x)
    given = {
        name: scope.argument(expr, OF_SLICE[name], at.below("slice", name), name)
        for name, expr in layer.given.items()
    }
    start = int(given["start"].number) if "start" in given else 0
    channels = int(given["channels"].number)
    if start + channels > x.shape.channels:
        message = f"cannot take channels {start} to {start + channels - 1} of {x.shape.channels}"
        raise scope.error("split-shape-mismatch", message, at, "channels are counted from 0")
    stop = combine("+", given["start"], given["channels"]) if start else given["channels"]
    steps: list[Body] = [Slice(Size(given.get("start", constant(0))), Size(stop))]
    return steps, _of_channels(x, given["channels"])


def _broadcast(body: Body) -> Body:
    """A branch that is joined elementwise: a constant is the same for all samples."""
    match body:
        case Constant():
            return replace(body, dims=0)
        case Chain(steps=(Constant() as first, *rest)) if all(map(_each_number, rest)):
            return Chain((replace(first, dims=0), *rest))
    return body


def _each_number(body: Body) -> bool:
    site = body.site if isinstance(body, Apply) else None
    if not isinstance(site, OpSite):
        return False
    return site.op.activation and not (site.op.shares or site.op.weighted)


def _of_channels(x: TensorInfo, channels: Value) -> TensorInfo:
    """The same with a different number of channels."""
    number = int(channels.number)
    shape = x.shape._replace(channels=number)
    return x._replace(shape=shape, channels=channels.expr or Number(number))


def _there(layer: Layer, at: At, scope: Scope) -> list[int]:
    """The branches that exist. A `split` has all of its branches."""
    there = [place for place in range(len(layer.branches)) if _is_there(layer, place, at, scope)]
    gone = sorted({*range(len(layer.branches))} - {*there})
    if layer.head == "split" and gone:
        hint = (
            "use `[]` for a branch that returns its part unchanged, or `else: []` for a false "
            "condition"
        )
        place = layer.branch_at(gone[0], at)
        raise scope.error("bad-layer", "a part of the `split` has no branch", place, hint)
    if not there:
        raise scope.error("bad-layer", f"`{layer.head}` has no branches left", at)
    return there


def _check_in_front(layer: Layer, at: At, scope: Scope, x: TensorInfo) -> None:
    if x.shape.last:
        hint = "add `channels_first` before it"
        message = (
            f"`{layer.head}` expects channels first, but its input is channels last ({x.shape})"
        )
        raise scope.error("shape-mismatch", message, at, hint)


def _expanded(
    layer: Layer,
    there: list[int],
    at: At,
    scope: Scope,
    inputs: Sequence[TensorInfo],
    out: Builder,
) -> tuple[tuple[Body, ...], list[TensorInfo]]:
    bodies: list[Body] = []
    ends: list[TensorInfo] = []
    for place, x in zip(there, inputs, strict=True):
        steps, y = _branch(layer, place, at, scope, x, out)
        bodies.append(chain(steps))
        ends.append(y)
    return tuple(bodies), ends


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
    """Whether a branch of one layer exists: its condition is true, and its part has layers."""
    ((layer, here),) = stack.each(at)
    if layer.otherwise is not None:
        return True
    if layer.head in scope.parts and scope.parts[layer.head].none:
        return False
    return scope.decide(layer.when, here, "when")


def _equal_parts(x: TensorInfo, parts: int, at: At, scope: Scope) -> list[TensorInfo]:
    if x.shape.channels % parts:
        message = f"cannot split {plural(x.shape.channels, 'channel')} into {parts} equal parts"
        hint = "set unequal sizes: `sizes: [...]` next to `split`"
        raise scope.error("split-shape-mismatch", message, at, hint)
    channels = x.shape.channels // parts
    formula = simplify("//", x.channels, Number(parts))
    if isinstance(x.channels, Number) or formula is None:
        formula = Number(channels)
    return [_of_channels(x, Value(channels, formula))] * parts


def _parts(
    layer: Layer, at: At, scope: Scope, x: TensorInfo
) -> tuple[tuple[Size, ...], list[TensorInfo]]:
    written, place = layer.sizes or (), at.below("sizes")
    if len(written) != len(layer.branches):
        numbers = plural(len(written), "number")
        branches = plural(len(layer.branches), "branch")
        message = f"`sizes` has {numbers}, but `split` has {branches}"
        raise scope.error("wrong-length", message, place, "set one size per branch")
    given = [
        scope.argument(expr, SIZE, place.below(number), "size")
        for number, expr in enumerate(written)
    ]
    sizes = tuple(int(value.number) for value in given)
    if sum(sizes) != x.shape.channels:
        channels = plural(x.shape.channels, "channel")
        message = f"the sizes add up to {sum(sizes)}, but the input has {channels}"
        raise scope.error(
            "split-shape-mismatch", message, place, "the sizes must add up to the input's channels"
        )
    return tuple(map(Size, given)), [_of_channels(x, value) for value in given]


def _dimension(layer: Layer, at: At, scope: Scope, x: TensorInfo) -> int:
    """The dimension along which branches are concatenated, counting the batch."""
    if layer.along in (None, "channels"):
        _check_in_front(layer, at, scope, x)
        return 1
    names = SPATIAL.get(x.shape.rank, ())
    if layer.along not in names:
        known = ", ".join(f"`{name}`" for name in ("channels", *names))
        message = f"{x.shape} has no {layer.along}"
        raise scope.error("shape-mismatch", message, at.below("along"), f"available: {known}")
    return names.index(layer.along) + (1 if x.shape.last else 2)


def _concat(
    layer: Layer, at: At, scope: Scope, places: list[At], ends: list[TensorInfo], dim: int
) -> TensorInfo:
    """The output of concatenated branches."""
    first = ends[0]
    axis = None if dim == 1 and not first.shape.last else dim - (1 if first.shape.last else 2)
    alike = [_without(end.shape, axis) for end in ends]
    if any(shape != alike[0] for shape in alike):
        what, agree = "concatenated branches", "use the same strides in all branches"
        if read := next(filter(None, map(_source, layer.branches)), ""):
            agree += f", or resize the other with `interpolate: {{like: {read}}}`"
        if axis is not None:
            agree = f"make their sizes equal in all dimensions but {layer.along}"
        raise _mismatch(layer, at, scope, places, ends, what, agree)
    if axis is not None:
        scope.settle_equal(*ends)
        total = sum(end.shape.spatial[axis] for end in ends)
        spatial = (*first.shape.spatial[:axis], total, *first.shape.spatial[axis + 1 :])
        y = first._replace(shape=first.shape._replace(spatial=spatial), stride=None)
    else:
        y = _one_behind_the_other(ends)
    if y.shape.elements > LARGEST_MAP:
        raise scope.error("too-large", f"`{layer.head}` outputs {y.shape}", at)
    return y


def _source(branch: Branch) -> str | None:
    """The tensor that a branch starts with."""
    layers = branch.stack.layers
    return layers[0].source if layers else None


def _one_behind_the_other(ends: list[TensorInfo]) -> TensorInfo:
    first, total = ends[0], sum(end.shape.channels for end in ends)
    formula: Expr | None = first.channels
    for end in ends[1:]:
        formula = short(_plus(formula, end.channels))
    shape = first.shape._replace(channels=total)
    return TensorInfo(shape, short(formula) or Number(total), _stride(ends))


def _without(shape: Shape, axis: int | None) -> Shape:
    """A shape without the dimension along which branches are concatenated."""
    if axis is None:
        return shape._replace(channels=0)
    return shape._replace(spatial=(*shape.spatial[:axis], *shape.spatial[axis + 1 :]))


def _stride(ends: list[TensorInfo]) -> tuple[Real, ...] | None:
    return ends[0].stride if len({end.stride for end in ends}) == 1 else None


def _alike(
    layer: Layer, at: At, scope: Scope, places: list[At], ends: list[TensorInfo]
) -> TensorInfo:
    """The output of branches that are added or multiplied elementwise.

    Dimensions that pooling reduced to 1 are broadcast, and so is a gate's single channel.
    """
    shapes = [end.shape for end in ends]
    channels = max(shape.channels for shape in shapes)
    spatial = tuple(map(max, zip(*(shape.spatial for shape in shapes), strict=False)))
    first = shapes[0]
    same = all(shape.rank == first.rank and shape.last == first.last for shape in shapes)
    few = (1, channels) if layer.head == "multiply" else (channels,)
    if not (same and all(_fits(end, few, spatial) for end in ends)):
        what = "added branches" if layer.head == "add" else "multiplied branches"
        agree = "make their channels and spatial sizes equal"
        raise _mismatch(layer, at, scope, places, ends, what, agree)
    whole = [end for end in ends if end.shape == first._replace(channels=channels, spatial=spatial)]
    wide = next((end for end in ends if end.shape.channels == channels), ends[0])
    if not whole:
        shape = first._replace(channels=channels, spatial=spatial)
        return TensorInfo(shape, wide.channels, None)
    return whole[0]._replace(stride=_stride(whole))


def _fits(end: TensorInfo, channels: tuple[int, ...], spatial: tuple[int, ...]) -> bool:
    """Whether a branch can be broadcast to these sizes: only pooled dimensions are."""
    if end.shape.channels not in channels:
        return False
    if end.shape.spatial == spatial:
        return True
    pairs = zip(end.shape.spatial, spatial, strict=True)
    return end.stride is None and all(a in (1, b) for a, b in pairs)


def _mismatch(
    layer: Layer,
    at: At,
    scope: Scope,
    places: list[At],
    ends: list[TensorInfo],
    what: str,
    hint: str,
) -> FoundError:
    listed = ", ".join(str(end.shape) for end in ends)
    pairs = list(zip(places, ends, strict=True))[:MOST_LABELS]
    labels = tuple((place, f"this outputs {end.shape}") for place, end in pairs)
    message = f"{what} have different shapes: {listed}"
    return scope.error(f"{layer.head}-shape-mismatch", message, at, hint, labels)


def _plus(left: Expr | None, right: Expr) -> Expr | None:
    if left is None:
        return None
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value + right.value)
    return simplify("+", left, right)
