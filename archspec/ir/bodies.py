"""What `forward` computes, and the fold that reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True)
class Apply:
    """The layer of this name, called. In an expanded network `site` says on what (`ir.tree`)."""

    layer: str
    site: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Chain:
    """One after the other; an empty chain is the identity."""

    steps: tuple[Body, ...] = ()


@dataclass(frozen=True)
class Add:
    """The sum of the branches."""

    branches: tuple[Body, ...]


@dataclass(frozen=True)
class Multiply:
    """The product of the branches."""

    branches: tuple[Body, ...]


@dataclass(frozen=True)
class Concat:
    """The branches one behind the other along the channels."""

    branches: tuple[Body, ...]


@dataclass(frozen=True)
class Split:
    """The input in equal parts along the channels, a branch on each, then one behind the other."""

    branches: tuple[Body, ...]


@dataclass(frozen=True)
class Unsqueeze:
    """`count` dimensions of size 1 at the end, where a gate has lost the spatial sizes."""

    count: int


@dataclass(frozen=True)
class Collect:
    """Named parts one after the other; the values of those in `order` are the result."""

    parts: tuple[tuple[str, Body], ...]
    order: tuple[str, ...]


Body = Apply | Chain | Add | Multiply | Concat | Split | Unsqueeze | Collect


X = TypeVar("X")


class Reader(Protocol[X]):
    """What a body means for one kind of `x`: shapes, tensors, source text."""

    def apply(self, layer: Apply, x: X) -> X: ...
    def add(self, values: list[X]) -> X: ...
    def multiply(self, values: list[X]) -> X: ...
    def concat(self, values: list[X]) -> X: ...
    def split(self, x: X, parts: int) -> list[X]: ...
    def unsqueeze(self, x: X, count: int) -> X: ...
    def share(self, x: X) -> X:
        """`x`, about to be read more than once."""
        ...

    def hold(self, x: X) -> X:
        """A branch that is done, while the next one is read."""
        ...

    def tap(self, x: X, name: str) -> X:
        """`x`, which is a result and may be read further."""
        ...

    def collect(self, values: list[X]) -> X: ...


def run(body: Body, x: X, on: Reader[X]) -> X:
    """What `body` computes of `x`."""
    match body:
        case Apply():
            return on.apply(body, x)
        case Chain(steps=steps):
            for step in steps:
                x = run(step, x, on)
            return x
        case Unsqueeze(count=count):
            return on.unsqueeze(x, count)
        case Split(branches=branches):
            return on.concat(_read(branches, on.split(x, len(branches)), on))
        case Collect(parts=parts, order=order):
            tapped: dict[str, X] = {}
            for name, part in parts:
                x = tapped[name] = on.tap(run(part, x, on), name)
            return on.collect([tapped[name] for name in order])
    values = _read(body.branches, [on.share(x)] * len(body.branches), on)
    match body:
        case Add():
            return on.add(values)
        case Multiply():
            return on.multiply(values)
        case Concat():
            return on.concat(values)
    raise TypeError(body)


def _read(branches: tuple[Body, ...], inputs: list[X], on: Reader[X]) -> list[X]:
    values = []
    for place, (branch, x) in enumerate(zip(branches, inputs, strict=True), 1):
        value = run(branch, x, on)
        values.append(value if place == len(branches) else on.hold(value))
    return values


def renamed(body: Body, names: Mapping[str, str | None]) -> Body:
    """The body with other layer names; None leaves a layer out."""
    match body:
        case Apply(layer=layer, site=site):
            name = names.get(layer, layer)
            return Chain() if name is None else Apply(name, site)
        case Chain(steps=steps):
            return Chain(tuple(x for step in steps if not is_nothing(x := renamed(step, names))))
        case Add() | Multiply() | Concat() | Split():
            return type(body)(tuple(renamed(branch, names) for branch in body.branches))
        case Collect(parts=parts, order=order):
            return Collect(tuple((name, renamed(part, names)) for name, part in parts), order)
    return body


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
    elif isinstance(body, Multiply):
        yield from main_path(body.branches[0])
    elif isinstance(body, Add) and (added := residual(body)) is not None:
        yield from main_path(added)
    else:
        for part in parts_of(body):
            yield from main_path(part)


def residual(body: Add) -> Body | None:
    """What a sum adds to its input, or to one layer of it (a shortcut); None in other sums."""
    if len(body.branches) != 2:
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
    elif isinstance(body, Multiply):
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
        case Collect(parts=named):
            return tuple(part for _, part in named)
    return ()
