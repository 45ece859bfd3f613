"""What `forward` computes, and the fold that reads it."""

from __future__ import annotations

from typing import Protocol, TypeVar

from archspec.record import record


@record
class Apply:
    """The layer of this name, called."""

    layer: str


@record
class Chain:
    """One after the other; an empty chain is the identity."""

    steps: tuple[Body, ...] = ()


@record
class Add:
    """The sum of the branches."""

    branches: tuple[Body, ...]


@record
class Multiply:
    """The product of the branches."""

    branches: tuple[Body, ...]


@record
class Concat:
    """The branches one behind the other along the channels."""

    branches: tuple[Body, ...]


@record
class Split:
    """The input in equal parts along the channels, a branch on each, then one behind the other."""

    branches: tuple[Body, ...]


@record
class Unsqueeze:
    """`count` dimensions of size 1 at the end, where a gate has lost the spatial sizes."""

    count: int


@record
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
