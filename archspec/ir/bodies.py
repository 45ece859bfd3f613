"""What `forward` computes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, TypeGuard

from archspec.records import Record


class Apply(Record):
    """A call of the layer with this name. In an expanded network, `site` describes it (`ir.tree`).

    `inputs` are its additional named inputs. If it has several outputs, `outputs` names them, and
    the first is passed on. `again` is the location if the layer is applied again (`places.At`).
    """

    layer: str
    site: Any = field(default=None, compare=False, repr=False)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    again: Any = field(default=None, compare=False, repr=False)


class Constant(Apply):
    """A parameter of the class, repeated for each sample of the input.

    `dims` are its dimensions without the batch; 0 if it is broadcast anyway and reads nothing.
    """

    dims: int = 0


class Attend(Apply):
    """A layer of torch whose query, key, and value are the input; its first output."""


class Method(Record):
    """A method of the input tensor, with its arguments."""

    name: str
    arguments: tuple[int, ...]
    keepdim: bool = False


class Save(Record):
    """Names the input and returns it unchanged."""

    name: str


class Load(Record):
    """The tensor with this name, instead of the input."""

    name: str


class Give(Record):
    """The end of a body: the tensors with these names, and those returned during training."""

    names: tuple[str, ...]
    training: tuple[str, ...] = ()


class Chain(Record):
    """Steps in order; an empty chain is the identity."""

    steps: "tuple[Body, ...]" = ()


class Add(Record):
    """The sum of the branches; only the first if the module's `flag` is false."""

    branches: "tuple[Body, ...]"
    flag: str = ""


class Multiply(Record):
    """The product of the branches."""

    branches: "tuple[Body, ...]"


class Concat(Record):
    """The branches, concatenated along the channels or another dimension."""

    branches: "tuple[Body, ...]"
    dim: int = 1


class Size(Record):
    """A number of channels: a `Value` in an expanded network, a formula of attributes in a class.

    Bodies that only differ in sizes are equal.
    """

    value: Any = field(compare=False)


class Split(Record):
    """The input, split along the channels, with a branch on each part, and concatenated.

    Without `sizes` the parts are equal.
    """

    branches: "tuple[Body, ...]"
    sizes: tuple[Size, ...] = ()


class Slice(Record):
    """A slice of the channels."""

    start: Size
    stop: Size


class Interpolate(Record):
    """The input, with the last `rank` sizes of a named tensor."""

    like: str
    rank: int
    mode: str
    align_corners: bool | None = None


class Unsqueeze(Record):
    """Add `count` dimensions of size 1 at the end, for a gate without spatial dimensions."""

    count: int


Body = (
    Apply
    | Chain
    | Add
    | Multiply
    | Concat
    | Split
    | Slice
    | Interpolate
    | Unsqueeze
    | Method
    | Save
    | Load
    | Give
)
INPUT = "input"  # the name of the input


def renamed(body: Body, names: Mapping[str, str | None]) -> Body:
    """The body with other names of layers and tensors; None removes a layer."""
    if not names:
        return body
    match body:
        case Apply(layer=layer, inputs=inputs, outputs=outputs):
            name = names.get(layer, layer)
            if name is None:
                return Chain()
            if isinstance(body, Constant):
                return replace(body, layer=name)
            if not inputs and not outputs:
                return body if name == layer else Apply(name, body.site, again=body.again)
            return replace(
                body, layer=name, inputs=_renamed(inputs, names), outputs=_renamed(outputs, names)
            )
        case Chain(steps=steps):
            return Chain(tuple(x for step in steps if not is_nothing(x := renamed(step, names))))
        case Add() | Multiply() | Concat() | Split():
            return replace(body, branches=tuple(renamed(part, names) for part in body.branches))
        case Save(name=name) | Load(name=name):
            return type(body)(names.get(name) or name)
        case Interpolate(like=name):
            return replace(body, like=names.get(name) or name)
    return body


def _renamed(tensors: tuple[str, ...], names: Mapping[str, str | None]) -> tuple[str, ...]:
    return tuple(names.get(name) or name for name in tensors)


def replaced_layers(body: Body, steps: Mapping[str, Body]) -> Body:
    """The body with some layers replaced."""
    if isinstance(body, Apply):
        return steps.get(body.layer, body)
    return with_parts(body, [replaced_layers(part, steps) for part in parts_of(body)])


def sized(bodies: Sequence[Body], size: Callable[[Sequence[Size]], Size]) -> Body:
    """One object for equal bodies; `size` maps their sizes."""
    lead: Any = bodies[0]
    rows: list[Any] = [*bodies]
    match lead:
        case Slice():
            return Slice(size([row.start for row in rows]), size([row.stop for row in rows]))
        case Chain():
            steps = zip(*[row.steps for row in rows], strict=True)
            return Chain(tuple(sized(step, size) for step in steps))
        case Split():
            sizes = tuple(map(size, zip(*[row.sizes for row in rows], strict=True)))
            lead = replace(lead, sizes=sizes)
    if isinstance(lead, (Add, Multiply, Concat, Split)):
        branches = zip(*[row.branches for row in rows], strict=True)
        return replace(lead, branches=tuple(sized(branch, size) for branch in branches))
    return bodies[0]


def sizes_in(body: Body) -> Iterator[Size]:
    """The numbers of channels in a body."""
    if isinstance(body, Slice):
        yield from (body.start, body.stop)
    elif isinstance(body, Split):
        yield from body.sizes
    for part in parts_of(body):
        yield from sizes_in(part)


def steps_of(body: Body) -> Iterator[Body]:
    """Steps in order, without chains inside chains."""
    if isinstance(body, Chain):
        for step in body.steps:
            yield from steps_of(step)
    else:
        yield body


def is_nothing(body: Body) -> bool:
    """Whether the input is returned unchanged because there are no layers."""
    return isinstance(body, Chain) and not body.steps


# Locations in a body -------------------------------------------------------------------


def applications(body: Body) -> Iterator[Apply]:
    """Every application of a layer, in the order in which they run."""
    if isinstance(body, Apply):
        yield body
    else:
        for part in parts_of(body):
            yield from applications(part)


def applied(body: Body) -> Iterator[str]:
    """The name of every applied layer, once per application."""
    for application in applications(body):
        yield application.layer


def main_path(body: Body) -> Iterator[Apply]:
    """The applications outside gates and shortcuts."""
    if isinstance(body, Apply):
        yield body
    elif is_gated(body):
        yield from main_path(body.branches[0])
    elif isinstance(body, Add) and (added := residual(body)) is not None:
        yield from main_path(added)
    else:
        for part in parts_of(body):
            yield from main_path(part)


def is_gated(body: Body) -> TypeGuard[Multiply]:
    """Whether the input is multiplied with a function of it, as in `scale`."""
    return isinstance(body, Multiply) and len(body.branches) == 2 and is_nothing(body.branches[0])


def first_of(body: Body) -> Body:
    """The first step of a body."""
    while isinstance(body, Chain) and body.steps:
        body = body.steps[0]
    return body


def reads_nothing(body: Body) -> bool:
    """Whether the body starts with something other than its input."""
    first = first_of(body)
    return isinstance(first, Load) or (isinstance(first, Constant) and not first.dims)


def residual(body: Add) -> Body | None:
    """What a sum adds to its input, or to one layer of it (a shortcut); None for other sums."""
    if len(body.branches) != 2 or any(map(reads_nothing, body.branches)):
        return None
    first, second = body.branches
    if isinstance(second, Apply) or is_nothing(second):
        return first
    return second if is_nothing(first) else None


def residual_ends(body: Body) -> Iterator[str | None]:
    """The last layer of the branch that each residual on the main path adds, in order.

    The output of that layer is everything that is added; None if no layer is last, or if the layer
    is
    applied elsewhere too. A residual whose branch ends in a block is counted there.
    """
    times = Counter(applied(body))
    for last in _lasts(body):
        yield last if last and times[last] == 1 else None


def _lasts(body: Body) -> Iterator[str | None]:
    if isinstance(body, Add) and (added := residual(body)) is not None:
        yield from _lasts(added)
        last = _last(added)
        if not (isinstance(last, Add) and residual(last)):
            yield last.layer if isinstance(last, Apply) else None
    elif is_gated(body):
        yield from _lasts(body.branches[0])
    else:
        for part in parts_of(body):
            yield from _lasts(part)


def _last(body: Body) -> Body:
    """The last step of a body."""
    while isinstance(body, Chain) and (steps := [s for s in body.steps if not is_nothing(s)]):
        body = steps[-1]
    return body


def parts_of(body: Body) -> tuple[Body, ...]:
    """The parts of a body."""
    match body:
        case Apply():
            return ()
        case Chain(steps=parts) | Add(branches=parts) | Multiply(branches=parts):
            return parts
        case Concat(branches=parts) | Split(branches=parts):
            return parts
    return ()


def with_parts(body: Body, parts: Iterable[Body]) -> Body:
    """The body, made of other parts."""
    if isinstance(body, Chain):
        return Chain(tuple(step for part in parts for step in steps_of(part)))
    if isinstance(body, (Add, Multiply, Concat, Split)):
        return replace(body, branches=tuple(parts))
    return body


def in_chains(body: Body, change: Callable[[list[Body]], list[Body]] = list) -> Body:
    """The body, with the steps of each chain changed, innermost first; one step needs no chain."""
    inner = with_parts(body, [in_chains(part, change) for part in parts_of(body)])
    steps = change([*steps_of(inner)])
    return steps[0] if len(steps) == 1 else Chain(tuple(steps))
