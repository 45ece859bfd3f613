"""Containers of layers as source: how they are constructed, and how their layers are accessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from archspec.codegen.layout import CallText, DictText, EachText, ListText, Text
from archspec.ir.classes import Class, Modules, New, Repeat, Sequential
from archspec.ir.construction import children


def reached(path: str, cls: Class) -> str:
    """`self.convs[0]`, or `self.fuse_layers[1]["0"]` if names are not numbers in order."""
    text, here = "self", cls
    for step in path.split("."):
        if isinstance(here, Modules) and not here.listed:
            text += f'["{step}"]'
        else:
            text += f"[{step}]" if step.isdigit() else f".{step}"
        here = _inside(here, step)
    return text


def _inside(here: Any, step: str) -> Any:
    """The module with a name in another module, if known."""
    new = None
    if isinstance(here, (Class, Modules)):
        new = next((layer.new for layer in here.layers if layer.name == step), None)
    elif isinstance(here, Sequential):
        new = [*children(here)][int(step)]
    return new.what if isinstance(new, New) else new


def container(modules: Modules, construction: Callable[[Any], Text]) -> Text:
    """The construction of a container with everything in it."""

    def item(new: Any) -> Text:
        """An item is on one line, if it fits."""
        text = construction(new)
        return replace(text, tall=False, split=text.tall) if isinstance(text, CallText) else text

    if not modules.listed:
        pairs = tuple((layer.name, item(layer.new)) for layer in modules.layers)
        return CallText("nn.ModuleDict", (DictText(pairs),))
    runs = modules.runs
    if len(runs) == 1 and isinstance(runs[0], Repeat):
        return CallText("nn.ModuleList", (EachText(item(runs[0].new), runs[0].count),))
    return CallText("nn.ModuleList", (ListText(tuple(map(item, runs))),))
