"""Classes as text: parameters, layers, and the number of modules of each in a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from archspec.codegen.formulas import formula
from archspec.codegen.layout import STEP, WIDTH, lines
from archspec.codegen.view import appended, construction, looped
from archspec.expression import Expr, Scalar, show, source
from archspec.ir.classes import Class, Modules, Network, New, Parameter, Sequential, When
from archspec.ir.construction import bound, call, children, number, turns

Use = tuple[Class, tuple[tuple[str, Scalar], ...]]  # with the number of each parameter


def class_text(network: Network) -> str:
    """The classes in the order of the generated source, the network last."""
    used = _uses(network)
    counts = {cls: "used once" if n == 1 else f"used {n} times" for cls, n in used.items()}
    counts[network.root] = "the network"
    return "\n\n".join("\n".join(_class(cls, counts[cls])) for cls in network.classes)


def _class(cls: Class, count: str) -> Iterator[str]:
    parameters = ", ".join(map(_parameter, cls.parameters))
    yield f"{cls.name}({parameters}): {count}"
    if cls.differs:
        yield f"{STEP}# {cls.differs}"
    for local in cls.locals:
        yield f"{STEP}{local.name} = {source(local.value)}"
    for layer in cls.layers:
        if layer.loop:
            yield from looped(layer.loop, construction(layer.new), STEP)
        elif isinstance(layer.new, When):
            yield f"{STEP}if {source(layer.new.condition)}:"
            yield from _layer(layer.name, layer.new.new, STEP * 2)
        else:
            yield from _layer(layer.name, layer.new, STEP)
    for flag in cls.flags:
        yield f"{STEP}{flag.name} = {source(flag.value)}"
    yield from _forward(cls)


def _layer(name: str, new: Any, start: str) -> Iterator[str]:
    if isinstance(new, Sequential) and new.conditional:
        yield f"{start}layers = []"
        yield from appended(name, new, "layers", start)
    else:
        yield from lines(construction(new), start, f"{name} = ")


def _forward(cls: Class) -> Iterator[str]:
    """Its computation, if that fits on a line; a sequential class applies its layers in order."""
    line = f"{STEP}forward(x) = {formula(cls)}"
    if not cls.sequential and len(line) <= WIDTH:
        yield line


def _parameter(parameter: Parameter) -> str:
    text = f"{parameter.name}: {parameter.annotation}"
    default = parameter.default
    return text if default is None else f"{text} = {show(default.value)}"


def _uses(network: Network) -> Counter[Class]:
    """The number of modules of each class; each class comes before its users."""
    root = _use(New(network.root), {})
    todo: dict[Class, Counter[Use]] = {network.root: Counter({root: 1})}
    for cls in reversed(network.classes):
        for (_, given), count in todo.get(cls, Counter()).items():
            env = dict(given)
            for local in cls.locals:
                env[local.name] = number(local.value, env)
            for layer in cls.layers:
                for _, known in turns(layer, env):
                    for inner in _constructed(layer.new, known):
                        todo.setdefault(inner[0], Counter())[inner] += count
    return Counter({cls: uses.total() for cls, uses in todo.items()})


def _use(new: New, env: Mapping[str, Any]) -> Use:
    """A class with the values of its sizes."""
    assert isinstance(new.what, Class)
    sizes = bound(new.what, call(new), lambda v: number(v, env) if isinstance(v, Expr) else None)
    return new.what, tuple(sizes.items())


def _constructed(new: Any, env: Mapping[str, Any]) -> Iterator[Use]:
    """Each module of a class that a construction makes, as often as it makes it."""
    if isinstance(new, Sequential):
        for child in children(new, env):
            yield from _constructed(child, env)
    elif isinstance(new, When):
        if number(new.condition, env):
            yield from _constructed(new.new, env)
    elif isinstance(new, Modules):
        for layer in new.layers:
            yield from _constructed(layer.new, env)
    elif isinstance(new, New):
        for argument in new.arguments.values():
            yield from _constructed(argument, env)
        if isinstance(new.what, Class):
            yield _use(new, env)
