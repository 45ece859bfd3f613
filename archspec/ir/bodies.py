"""What `forward` computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard


@dataclass(frozen=True)
class Apply:
    """The layer of this name, called. In an expanded network `site` says on what (`ir.tree`).

    `inputs` are the named tensors that it takes besides. One that gives several has them named in
    `outputs`; the first goes on. `again` is where it is applied once more (`places.At`).
    """

    layer: str
    site: Any = field(default=None, compare=False, repr=False)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    again: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Constant(Apply):
    """A parameter of the class, as many times as there are samples in what arrives.

    `dims` are its dimensions without the batch; 0 where it is broadcast anyway, and reads nothing.
    """

    dims: int = 0


@dataclass(frozen=True)
class Attend(Apply):
    """A layer of torch that takes what arrives as query, key and value; its first result."""


@dataclass(frozen=True)
class Method:
    """A method of the tensor that arrives, with its arguments."""

    name: str
    arguments: tuple[int, ...]
    keepdim: bool = False


@dataclass(frozen=True)
class Save:
    """Names what arrives, which goes on as it is."""

    name: str


@dataclass(frozen=True)
class Load:
    """What has this name, in place of what arrives."""

    name: str


@dataclass(frozen=True)
class Give:
    """The end of a body: the tensors of these names, and those that are given while training."""

    names: tuple[str, ...]
    training: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chain:
    """One after the other; an empty chain is the identity."""

    steps: tuple[Body, ...] = ()


@dataclass(frozen=True)
class Add:
    """The sum of the branches; of the first alone where the module's `flag` is false."""

    branches: tuple[Body, ...]
    flag: str = ""


@dataclass(frozen=True)
class Multiply:
    """The product of the branches."""

    branches: tuple[Body, ...]


@dataclass(frozen=True)
class Concat:
    """The branches one behind the other, along the channels or another dimension."""

    branches: tuple[Body, ...]
    dim: int = 1


@dataclass(frozen=True)
class Size:
    """A number of channels: a `Value` in an expanded network, a formula of attributes in a class.

    Bodies that differ in sizes alone are equal.
    """

    value: Any = field(compare=False)


@dataclass(frozen=True)
class Split:
    """The input in parts along the channels, a branch on each, then one behind the other.

    Without `sizes` the parts are equal.
    """

    branches: tuple[Body, ...]
    sizes: tuple[Size, ...] = ()


@dataclass(frozen=True)
class Slice:
    """Some of the channels."""

    start: Size
    stop: Size


@dataclass(frozen=True)
class Interpolate:
    """What arrives, with the last `rank` sizes of a named tensor."""

    like: str
    rank: int
    mode: str
    align_corners: bool | None = None


@dataclass(frozen=True)
class Unsqueeze:
    """`count` dimensions of size 1 at the end, where a gate has lost the spatial sizes."""

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
INPUT = "input"  # the name of what enters


def renamed(body: Body, names: Mapping[str, str | None]) -> Body:
    """The body with other names of layers and tensors; None leaves a layer out."""
    match body:
        case Apply(layer=layer, inputs=inputs, outputs=outputs):
            name = names.get(layer, layer)
            if name is None:
                return Chain()
            if isinstance(body, Constant):
                return replace(body, layer=name)
            if not inputs and not outputs:
                return Apply(name, body.site, again=body.again)
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
    """The body with something else in place of some layers."""
    match body:
        case Apply(layer=layer):
            return steps.get(layer, body)
        case Chain(steps=parts):
            return Chain(tuple(replaced_layers(part, steps) for part in parts))
        case Add() | Multiply() | Concat() | Split():
            branches = tuple(replaced_layers(part, steps) for part in body.branches)
            return replace(body, branches=branches)
    return body


def sized(bodies: Sequence[Body], size: Callable[[Sequence[Size]], Size]) -> Body:
    """One body for equal ones, where `size` says what their sizes become."""
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
    """The numbers of channels that are said in a body."""
    if isinstance(body, Slice):
        yield from (body.start, body.stop)
    elif isinstance(body, Split):
        yield from body.sizes
    for part in parts_of(body):
        yield from sizes_in(part)


def steps_of(body: Body) -> Iterator[Body]:
    """What is done one after the other, without chains in chains."""
    if isinstance(body, Chain):
        for step in body.steps:
            yield from steps_of(step)
    else:
        yield body


def is_nothing(body: Body) -> bool:
    """Whether what enters leaves as it is, for no layer is there."""
    return isinstance(body, Chain) and not body.steps


# Places in a body ---------------------------------------------------------------------


def applications(body: Body) -> Iterator[Apply]:
    """Every application of a layer, in the order in which they happen."""
    if isinstance(body, Apply):
        yield body
    for part in parts_of(body):
        yield from applications(part)


def applied(body: Body) -> Iterator[str]:
    """Every layer that is applied, as often as it is."""
    for application in applications(body):
        yield application.layer


def main_path(body: Body) -> Iterator[Apply]:
    """The applications that are in no gate and no shortcut."""
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
    """Whether what arrives is multiplied with what is made of it, as in `scale`."""
    return isinstance(body, Multiply) and len(body.branches) == 2 and is_nothing(body.branches[0])


def first_of(body: Body) -> Body:
    """What a body does first."""
    while isinstance(body, Chain) and body.steps:
        body = body.steps[0]
    return body


def reads_nothing(body: Body) -> bool:
    """Whether it begins with something else than what arrives."""
    first = first_of(body)
    return isinstance(first, Load) or (isinstance(first, Constant) and not first.dims)


def residual(body: Add) -> Body | None:
    """What a sum adds to its input, or to one layer of it (a shortcut); None in other sums."""
    if len(body.branches) != 2 or any(map(reads_nothing, body.branches)):
        return None
    first, second = body.branches
    if isinstance(second, Apply) or is_nothing(second):
        return first
    return second if is_nothing(first) else None


def residual_ends(body: Body) -> Iterator[str | None]:
    """The last layer of what each residual on the main path adds, in order.

    What leaves that layer is all that is added; None where no layer is last, or where the layer is
    applied elsewhere too. A residual that ends in one is that one's affair.
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
    """What a body does last."""
    while isinstance(body, Chain) and (steps := [s for s in body.steps if not is_nothing(s)]):
        body = steps[-1]
    return body


def parts_of(body: Body) -> tuple[Body, ...]:
    """What a body is put together from."""
    match body:
        case Chain(steps=parts) | Add(branches=parts) | Multiply(branches=parts):
            return parts
        case Concat(branches=parts) | Split(branches=parts):
            return parts
    return ()
