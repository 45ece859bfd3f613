"""The parts of a body that its result depends on, without unused tensors and layers."""

from collections.abc import Iterator
from dataclasses import replace

from archspec.ir.bodies import (
    Add,
    Apply,
    Body,
    Chain,
    Concat,
    Constant,
    Give,
    Interpolate,
    Load,
    Multiply,
    Save,
    Split,
    is_nothing,
    parts_of,
)
from archspec.records import Record


class Used(Record):
    """The remaining body, the tensors that it reads, and whether it reads its input."""

    body: Body
    live: frozenset[str]
    arrives: bool


def pruned(body: Body) -> Body:
    """The body without the steps that no result depends on, and without unused names."""
    left = _used(body, frozenset(), True).body
    return left if left == body else pruned(left)


def give_of(body: Body) -> Give | None:
    """The end of a body that returns tensors by name."""
    while isinstance(body, Chain) and body.steps:
        body = body.steps[-1]
    return body if isinstance(body, Give) else None


def in_mode(body: Body, training: bool) -> Body:
    """The network's body in training or in evaluation mode."""
    give = give_of(body)
    return pruned(_given(body, training)) if give and give.training else body


def _given(body: Body, training: bool) -> Body:
    match body:
        case Chain(steps=(*steps, last)):
            return Chain((*steps, _given(last, training)))
        case Give(training=names) if names:
            return Give(names) if training else Give(body.names)
    return body


def _used(body: Body, live: frozenset[str], needed: bool) -> Used:
    """`live` are the tensors that are read after it, `needed` whether its result is."""
    match body:
        case Chain(steps=steps):
            return _chain(steps, live, needed)
        case Constant(dims=dims):
            return Used(body, live, dims > 0) if needed else Used(Chain(), live, False)
        case Apply(inputs=inputs, outputs=outputs):
            if not (needed or live.intersection(outputs)):
                return Used(Chain(), live, False)
            read = tuple(name if name in live else "" for name in outputs)
            if outputs and needed:
                read = (outputs[0], *read[1:])
            return Used(replace(body, outputs=read), live.difference(outputs).union(inputs), True)
        case Save(name=name):
            if name not in live:
                return Used(Chain(), live, needed)
            return Used(body, live - {name}, True)
        case Load(name=name):
            return Used(body, live | {name}, False) if needed else Used(Chain(), live, False)
        case Interpolate(like=name) if needed:
            return Used(body, live | {name}, True)
        case Give(names=names, training=training):
            return Used(body, live.union(names, training), False)
        case Add() | Multiply() | Concat() | Split() if needed or live.intersection(saved(body)):
            return _branches(body, live)
    return Used(body, live, True) if needed else Used(Chain(), live, False)


def _chain(steps: tuple[Body, ...], live: frozenset[str], needed: bool) -> Used:
    kept: list[Body] = []
    for step in reversed(steps):
        used = _used(step, live, needed)
        live, needed = used.live, used.arrives
        if not is_nothing(used.body):
            kept.append(used.body)
    return Used(Chain(tuple(_once(kept[::-1]))), live, needed)


def _once(steps: list[Body]) -> Iterator[Body]:
    """Without a `Load` of what was just saved."""
    before: Body | None = None
    for step in steps:
        if not (isinstance(before, Save) and step == Load(before.name)):
            yield step
            before = step


def _branches(body: Add | Multiply | Concat | Split, live: frozenset[str]) -> Used:
    kept: list[Body] = []
    arrives = isinstance(body, Split)
    for branch in reversed(body.branches):
        used = _used(branch, live, True)
        live, arrives = used.live, arrives or used.arrives
        kept.append(used.body)
    return Used(replace(body, branches=tuple(kept[::-1])), live, arrives)


def saved(body: Body) -> Iterator[str]:
    """The names under which a body saves tensors."""
    if isinstance(body, Save):
        yield body.name
    elif isinstance(body, Apply):
        yield from body.outputs
    else:
        for part in parts_of(body):
            yield from saved(part)


def loaded(body: Body) -> Iterator[str]:
    """The names of tensors that a body reads."""
    if isinstance(body, Apply):
        yield from body.inputs
    elif isinstance(body, Load):
        yield body.name
    elif isinstance(body, Interpolate):
        yield body.like
    elif isinstance(body, Give):
        yield from (*body.names, *body.training)
    else:
        for part in parts_of(body):
            yield from loaded(part)
