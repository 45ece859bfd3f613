"""Classes as text: parameters, layers, and how many modules of each a network has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from archspec.codegen.forward import formula
from archspec.codegen.layout import STEP, WIDTH, lines
from archspec.codegen.view import appended, construction
from archspec.expression import show, source
from archspec.ir import Class, Network, New, Parameter, Repeat, Sequential, When


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
        if isinstance(layer.new, Sequential) and layer.new.conditional:
            yield from appended(layer.name, layer.new, "layers", STEP)
        else:
            yield from lines(construction(layer.new), STEP, f"{layer.name} = ")
    for flag in cls.flags:
        yield f"{STEP}{flag.name} = {source(flag.value)}"
    yield from _forward(cls)


def _forward(cls: Class) -> Iterator[str]:
    """What it computes, if that fits on a line; a sequential class applies its layers in order."""
    line = f"{STEP}forward(x) = {formula(cls)}"
    if not cls.sequential and len(line) <= WIDTH:
        yield line


def _parameter(parameter: Parameter) -> str:
    text = f"{parameter.name}: {parameter.annotation}"
    default = parameter.default
    return text if default is None else f"{text} = {show(default.value)}"


def _uses(network: Network) -> Counter[Class]:
    """How many modules of each class there are; each class stands before its users."""
    used = Counter({network.root: 1})
    for cls in reversed(network.classes):
        for layer in cls.layers:
            for inner in _constructed(layer.new):
                used[inner] += used[cls]
    return used


def _constructed(new: Any) -> Iterator[Class]:
    """The class of each module that a construction makes, as often as it does."""
    if isinstance(new, When):
        yield from _constructed(new.new)
    elif isinstance(new, Repeat):
        for _ in range(new.count):
            yield from _constructed(new.new)
    elif isinstance(new, Sequential):
        for child in new.children:
            yield from _constructed(child)
    elif isinstance(new, New):
        if isinstance(new.what, Class):
            yield new.what
        for argument in new.arguments.values():
            yield from _constructed(argument)
