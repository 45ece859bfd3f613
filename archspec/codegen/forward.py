"""The body of a class as the statements of its `forward`, in both modes."""

from __future__ import annotations

from collections import deque

from archspec.codegen.layout import STEP
from archspec.codegen.statements import Code, Statements
from archspec.ir import Body, Chain, Save
from archspec.ir.bodies import INPUT, steps_of
from archspec.ir.classes import Class
from archspec.ir.fold import proceed
from archspec.ir.liveness import loaded


def forward(cls: Class, network: bool) -> list[str]:
    """The statements."""
    reader = Statements(cls, network)
    trained, evaluated = cls.trained, cls.evaluated
    x = Code("x", None if INPUT in loaded(cls.body) else "x")
    named = {INPUT: x, **{name: Code(name, None) for name in cls.inputs}}
    if trained is evaluated:
        return _returned(reader, proceed(evaluated, x, reader, named))
    ahead, training, rest = _parted(trained, evaluated)
    x = reader.assign(proceed(ahead, x, reader, named))
    inside = reader.forked()
    inner = _returned(inside, proceed(training, x, inside, dict(named)))
    reader.lines += ["if self.training:", *(f"{STEP}{line}" for line in inner)]
    return _returned(reader, proceed(rest, x, reader, named))


def _parted(trained: Body, evaluated: Body) -> tuple[Chain, Chain, Chain]:
    """The common start of two modes, and the rest of each."""
    left, right = deque(steps_of(trained)), deque(steps_of(evaluated))
    ahead: list[Body] = []
    while left and right:
        if left[0] == right[0]:
            right.popleft()
            ahead.append(left.popleft())
        elif isinstance(left[0], Save):
            ahead.append(left.popleft())
        elif isinstance(right[0], Save):
            ahead.append(right.popleft())
        else:
            break
    return Chain(tuple(ahead)), Chain(tuple(left)), Chain(tuple(right))


def _returned(reader: Statements, result: Code) -> list[str]:
    """All statements, including the one that returns the result."""
    made = reader.lines
    if result.tuple:
        return [*made, *_as_tuple(result.text.split(", "), reader)]
    last = f"{result.text} = "
    if result.name and made and made[-1].startswith(last):
        text = made[-1].removeprefix(last)
        if reader.fits(text):
            return [*made[:-1], f"return {text}"]
    return [*made, f"return {result.text}"]


def _as_tuple(names: list[str], reader: Statements) -> list[str]:
    """A tuple as `ruff format` formats it."""
    text = ", ".join(names)
    if reader.fits(text):
        return [f"return {text}"]
    return ["return (", *(f"{STEP}{name}," for name in names), ")"]
