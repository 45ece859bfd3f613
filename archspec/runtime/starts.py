"""Weight initialization: the loops of classes, run on live modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from archspec import helpers
from archspec.expression import Expr, floating
from archspec.ir.classes import Class, New
from archspec.ir.construction import numbers
from archspec.ir.draws import FANS, Anchor, Case, Draw, Special
from archspec.runtime import modules


def start(cls: Class, module: nn.Module, env: Mapping[str, Any], root: Class) -> None:
    """Run the initialization of a class after its layers are made; the network's, also the rest."""
    for layer in cls.draws:
        if layer.apart and not layer.literal:
            draw_all(layer.draws, module.get_submodule(layer.path), env)
    if cls.loop:
        loop(cls.loop, module)
    if cls is root:
        for part in module.modules():
            known = getattr(type(part), "_archspec", None)
            for layer in known.draws if known else ():
                if layer.apart and layer.literal:
                    draw_all(layer.draws, part.get_submodule(layer.path), {})


def loop(cases: tuple[Case, ...], module: nn.Module) -> None:
    """The modules in order, each initialized by its case."""
    kinds = [(case, _types(case), [_found(s, module) for s in case.specials]) for case in cases]
    for part in module.modules():
        case, _, specials = next((k for k in kinds if isinstance(part, k[1])), (None, (), ()))
        if case is not None:
            pairs = zip(case.specials, specials, strict=True)
            special = next((s.draws for s, found in pairs if part in found), case.draws)
            draw_all(special, part, {})


def _types(case: Case) -> tuple[type[nn.Module], ...]:
    return tuple(getattr(modules if n in helpers.HELPERS else nn, n) for n in case.torch)


def _found(special: Special, module: nn.Module) -> set[nn.Module]:
    return {part for anchor in special.anchors for part in _at(anchor, module)}


def _at(anchor: Anchor, module: nn.Module) -> Iterator[nn.Module]:
    if anchor.cls is None:
        yield module.get_submodule(anchor.path)
        return
    for part in module.modules():
        if getattr(type(part), "_archspec", None) is anchor.cls:
            inner = part.named_modules()  # only some uses have a shortcut
            yield from (one for name, one in inner if anchor.path in ("", name))


def constant(new: New, draws: tuple[Draw, ...], env: Mapping[str, Any], init: bool) -> nn.Parameter:
    """A parameter of a class, initialized as soon as it is made; to zeros by default."""
    sizes = numbers(new.arguments["shape"], env)
    made = nn.Parameter(torch.zeros(_sizes(sizes)))
    for draw in draws:
        if draw.full is not None:
            made = nn.Parameter(torch.full(_sizes(sizes), float(draw.full.value)))
        elif draw.function != "torch" and (init or not draw.random):
            arguments = {n: _constant_number(v, made, env) for n, v in draw.arguments}
            getattr(nn.init, f"{draw.function}_")(made, **arguments)
    return made


def _sizes(sizes: int | tuple[int, ...]) -> tuple[int, ...]:
    return sizes if isinstance(sizes, tuple) else (sizes,)


def _constant_number(value: Any, made: Tensor, env: Mapping[str, Any]) -> Any:
    if not isinstance(value, Expr):
        return value
    fans = nn.init._calculate_fan_in_and_fan_out(made) if made.dim() > 1 else ()
    return floating(value, {**env, **dict(zip(FANS, fans, strict=False))})


def draw_all(draws: tuple[Draw, ...], module: nn.Module, env: Mapping[str, Any]) -> None:
    """The parameters of a module that exist."""
    for draw in draws:
        owner, _, name = draw.parameter.rpartition(".")
        parameter = getattr(module.get_submodule(owner), name, None)
        if parameter is not None and draw.function != "torch":
            arguments = {n: _number(v, module, parameter, env) for n, v in draw.arguments}
            getattr(nn.init, f"{draw.function}_")(parameter, **arguments)


def _number(value: Any, module: nn.Module, parameter: Tensor, env: Mapping[str, Any]) -> Any:
    if not isinstance(value, Expr):
        return value
    tensor: Any = parameter if parameter.dim() > 1 else module.weight
    known = dict(env)
    if tensor.dim() > 1:
        known |= zip(FANS, nn.init._calculate_fan_in_and_fan_out(tensor), strict=True)
    return floating(value, known)
