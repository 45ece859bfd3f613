"""How a layer is constructed, and the values of sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard

from archspec import expression
from archspec.expression import Expr, Name, Number, with_names
from archspec.ir.classes import (
    Class,
    Layer,
    Modules,
    Network,
    New,
    Reference,
    Repeat,
    Sequential,
    When,
)
from archspec.ir.ops import Argument, OpField, fields_of


class Call(NamedTuple):
    """The construction of a module, in Python's terms."""

    positional: tuple[Argument, ...]
    keywords: dict[str, Argument]


def call(new: New) -> Call:
    """Required arguments by position, and the others by name if they differ from the default."""
    if isinstance(new.what, Name):
        wanted = []
    elif isinstance(new.what, Class):
        wanted = [(p.name, p.default) for p in new.what.parameters]
    else:
        wanted = _torch_defaults(new.what)  # type: ignore[arg-type]
    positional = [new.arguments[name] for name, default in wanted if default is None]
    keywords = {
        name: new.arguments[name]
        for name, default in wanted
        if default is not None and not _same(new.arguments.get(name, default), default)
    }
    return Call(tuple(positional), {**keywords, **new.more})


@lru_cache(maxsize=1024)
def _torch_defaults(op: Any) -> list[tuple[str, Argument]]:
    return [(f.torch, _torch_default(f)) for f in fields_of(op)]


def _torch_default(f: OpField) -> Argument:
    if f.default is dataclasses.MISSING or f.how.kind in ("axis", "fixed"):
        return None
    return f.default if isinstance(f.default, (str, tuple)) else Number(f.default)


def _same(one: Argument, other: Argument) -> bool:
    if isinstance(one, Number) and isinstance(other, Number):
        return one.value == other.value
    return bool(one == other)


def is_constant(new: Any) -> TypeGuard[New]:
    """Whether it is a parameter of the class instead of a module."""
    return isinstance(new, New) and isinstance(new.what, type) and new.what.constant


def number(expr: Expr, env: Mapping[str, Any]) -> Any:
    """The value of a formula, with the values of names in `env`."""

    def lookup(name: Name) -> expression.Value:
        return expression.constant(env[name.id])

    return env[expr.id] if isinstance(expr, Name) else expression.evaluate(expr, lookup).number


def numbers(arg: Argument, env: Mapping[str, Any]) -> Any:
    """The value of an argument that is not a module: a number, a tuple of numbers, or a word."""
    if isinstance(arg, tuple):
        return tuple(number(part, env) for part in arg)
    return number(arg, env) if isinstance(arg, Expr) else arg


def turns(layer: Layer, env: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The attribute names of a layer, and the value of each name in them."""
    if layer.loop is None:
        yield layer.name, env
        return
    for turn in range(layer.loop.start, number(layer.loop.stop, env)):
        known = {**env, layer.loop.index: turn}
        yield "".join(str(numbers(part, known)) for part in layer.loop.name), known


def bound(cls: Class, how: Call, value: Callable[[Argument], Any]) -> dict[str, Any]:
    """The value of each parameter of a class in a call; `value` evaluates an argument."""
    required = [p.name for p in cls.parameters if p.default is None]
    env = {p.name: p.default.value for p in cls.parameters if p.default is not None}
    positional = dict(zip(required, map(value, how.positional), strict=True))
    return env | positional | {name: value(given) for name, given in how.keywords.items()}


def children(
    sequence: Sequential, env: Mapping[str, Any] | None = None
) -> Iterator[New | Sequential]:
    """Every child, each repeated one as often as it is repeated.

    With `env`, the values of names, only the children whose condition is true. Without it, a child
    whose number is an argument of the class is included once.
    """
    for child in sequence.children:
        yield from _each(child, env)


def _each(child: Any, env: Mapping[str, Any] | None) -> Iterator[New | Sequential]:
    match child:
        case When(new=new, condition=condition):
            if env is None or number(condition, env):
                yield from _each(new, env)
        case Repeat(new=new, count=count, index=index):
            known = isinstance(count, Number) or env is not None
            for turn in range(number(count, env or {}) if known else 1):
                yield new if index == "_" else _in_turn(new, index, Number(turn))
        case _:
            yield child


def _in_turn(part: Any, index: str, turn: Number) -> Any:
    """A construction with the number of a repetition."""
    match part:
        case New(arguments=arguments):
            given = {name: _in_turn(value, index, turn) for name, value in arguments.items()}
            return replace(part, arguments=given)
        case Expr():
            return with_names(part, lambda name: turn if name == index else Name(name))
    return part


def parts_of(new: Any) -> Iterable[Any]:
    """The parts of a construction: modules, arguments, and formulas."""
    match new:
        case tuple():
            return new
        case New(what=what, arguments=arguments):
            return (what, *arguments.values())
        case Sequential(children=children):
            return children
        case When(new=inner, condition=formula) | Repeat(new=inner, count=formula):
            return formula, inner
        case Modules(layers=layers):
            return [layer.new for layer in layers]
    return ()


def walk(new: Any) -> Iterator[Any]:
    """A construction and everything in it."""
    yield new
    for part in parts_of(new):
        yield from walk(part)


def names_in(new: Any) -> Iterator[str]:
    """The names in the formulas of a construction, once per use."""
    for formula in walk(new):
        if isinstance(formula, Expr):
            yield from (part.id for part in expression.walk(formula) if isinstance(part, Name))


def constructions(network: Network) -> Iterator[New | Reference]:
    """Everything that the classes of a network construct, or pass on to be constructed."""
    parts = (part for cls in network.classes for one in cls.layers for part in walk(one.new))
    return (part for part in parts if isinstance(part, (New, Reference)))


def imported(network: Network) -> dict[str, str]:
    """The classes that are not torch's or generated: dotted paths, and their names here."""
    return {
        new.what.imported: new.torch
        for new in constructions(network)
        if isinstance(new, New) and isinstance(new.what, type) and new.what.imported
    }
