"""The fold that evaluates what `forward` computes, for any kind of value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from archspec.expression import Expr
from archspec.ir.bodies import (
    INPUT,
    Add,
    Apply,
    Attend,
    Body,
    Chain,
    Concat,
    Constant,
    Give,
    Interpolate,
    Load,
    Method,
    Multiply,
    Save,
    Slice,
    Split,
    Unsqueeze,
    reads_nothing,
)

X = TypeVar("X")


class Reader(Protocol[X]):
    """The meaning of a body for one kind of `x`: shapes, tensors, or source text.

    The methods with a body are those of a reader of expanded networks, in which every tensor method
    is still a layer.
    """

    def apply(self, layer: Apply, x: X, others: Sequence[X]) -> X: ...
    def constant(self, layer: Constant, x: X) -> X: ...
    def attend(self, layer: Attend, x: X) -> X:
        return self.apply(layer, x, ())

    def method(self, how: Method, x: X) -> X:
        raise TypeError(how)

    def unpack(self, x: Any, names: tuple[str, ...]) -> list[X]:
        """All outputs of a layer."""
        return x if isinstance(x, list) else [x] * len(names)

    def add(self, values: list[X], flag: str) -> X:
        """The sum, or only the first if the module's `flag` is false."""
        ...

    def multiply(self, values: list[X]) -> X: ...
    def concat(self, values: list[X], dim: int) -> X: ...
    def split(self, x: X, parts: int, sizes: tuple[Expr, ...]) -> list[X]:
        """Parts with these sizes, or equal parts; sizes are formulas of attributes."""
        ...

    def slice(self, x: X, start: Expr, stop: Expr) -> X: ...
    def interpolate(self, how: Interpolate, x: X, like: X) -> X: ...
    def unsqueeze(self, x: X, count: int) -> X:
        return x

    def share(self, x: X, branches: tuple[Body, ...]) -> X:
        """`x`, about to be read by these branches."""
        return x

    def hold(self, x: X) -> X:
        """A completed branch, while the next one is evaluated."""
        return x

    def save(self, x: X, name: str) -> X:
        """`x`, which is read again under this name."""
        return x

    def give(self, values: list[X]) -> Any:
        return values if len(values) > 1 else values[0]


def run(body: Body, x: X, on: Reader[X], named: dict[str, X] | None = None) -> X:
    """The result of `body` for `x` and for named tensors."""
    return proceed(body, x, on, {INPUT: x, **(named or {})})


def proceed(body: Body, x: X, on: Reader[X], named: dict[str, X]) -> X:
    """The same in the middle of a body; `named` are its tensors so far."""
    match body:
        case Chain(steps=steps):
            for step in steps:
                x = proceed(step, x, on, named)
            return x
        case Constant():
            return on.constant(body, x)
        case Attend():
            return on.attend(body, x)
        case Apply(inputs=inputs, outputs=outputs):
            y = on.apply(body, x, [named[name] for name in inputs] if inputs else ())
            if not outputs:
                return y
            values = on.unpack(y, outputs)
            named.update(zip(outputs, values, strict=True))
            return values[0]
        case Method():
            return on.method(body, x)
        case Save(name=name):
            named[name] = on.save(x, name)
            return named[name]
        case Load(name=name):
            return named[name]
        case Give(names=names):
            given: X = on.give([named[name] for name in names])
            return given
        case Unsqueeze(count=count):
            return on.unsqueeze(x, count)
        case Slice(start=start, stop=stop):
            return on.slice(x, start.value, stop.value)
        case Interpolate(like=name):
            return on.interpolate(body, x, named[name])
        case Split(branches=branches, sizes=sizes):
            parts = on.split(x, len(branches), tuple(size.value for size in sizes))
            return on.concat(_read(branches, parts, on, named), 1)
    x = on.share(x, body.branches)
    values = _read(body.branches, [x] * len(body.branches), on, named)
    match body:
        case Add(flag=flag):
            return on.add(values, flag)
        case Multiply():
            return on.multiply(values)
        case Concat(dim=dim):
            return on.concat(values, dim)
    raise TypeError(body)


def _read(
    branches: tuple[Body, ...], inputs: list[X], on: Reader[X], named: dict[str, X]
) -> list[X]:
    values = []
    for place, (branch, x) in enumerate(zip(branches, inputs, strict=True), 1):
        value = proceed(branch, x, on, named)
        values.append(value if place == len(branches) else on.hold(value))
    return values


def reads_alone(branches: tuple[Body, ...]) -> bool:
    """Whether exactly one branch reads the input, after others that are only named tensors."""
    ahead = 0
    while ahead < len(branches) - 1 and _is_named(_only(branches[ahead])):
        ahead += 1
    rest = branches[ahead + 1 :]
    return ahead + len(rest) > 0 and all(map(reads_nothing, rest))


def _is_named(body: Body) -> bool:
    return isinstance(body, (Load, Constant)) and reads_nothing(body)


def _only(body: Body) -> Body:
    """The step of a chain with one step."""
    while isinstance(body, Chain) and len(body.steps) == 1:
        body = body.steps[0]
    return body
