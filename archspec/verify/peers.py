"""A network of torchvision or timm, and the first layer at which the spec's network differs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from archspec.analysis import Analysis
from archspec.diagnostics import ArchspecError, plural
from archspec.extras import needed_for
from archspec.ir.classes import Network
from archspec.runtime import build
from archspec.verify.check import Check
from archspec.verify.tensors import Shape, apart, farthest, flat, images, randomise, training_step

LIBRARIES = ("torchvision", "timm")
ROUNDING = 1e-9  # of float64, over hundreds of layers in another order; an eps shows at 1e-7
MOST_LISTED = 8
MOST_MEANT = 5
OPS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height,"
    " int pooled_width, int sampling_ratio, bool aligned) -> Tensor",
)
_declared: list[Any] = []  # a declaration lasts as long as its library


class PeerError(ArchspecError):
    """The peer does not exist, or its weights have different names or shapes."""


def peer(against: str, network: Network, analysis: Analysis) -> nn.Module:
    """The network that `against` names, with the same number of classes; raises `PeerError`."""
    library, colon, name = against.partition(":")
    if library not in LIBRARIES or not colon or not name:
        hint = "use `torchvision:NAME` or `timm:NAME`, such as `torchvision:resnet50`"
        raise PeerError(f"unknown network `{against}` to compare with", hint)
    with needed_for("`--against`", library):
        known, create = _torchvision() if library == "torchvision" else _timm()
    if name not in known:
        raise PeerError(f"{library} has no network `{name}`", _meant(name, known, library))
    classes = {"num_classes": analysis.output[0]} if len(analysis.output) == 1 else {}
    try:
        other = create(name, **classes)
    except Exception as error:
        raise PeerError(f"could not build {against}: {type(error).__name__}: {error}") from None
    _check_names(network, other, against)
    return other


def _meant(name: str, known: Sequence[str], library: str) -> str:
    """The hint for an unknown name: longer names that start with it, or else the closest ones."""
    wrong = name.lower()
    near = [word for word in known if word.startswith(wrong)]
    for least in (0.9, 0.8):
        near = near or get_close_matches(wrong, known, MOST_MEANT, least)
    listed = ", ".join(f"`{word}`" for word in near[:MOST_MEANT])
    models = "torchvision.models" if library == "torchvision" else library
    if not near:
        return f"use a name from `{models}.list_models()`"
    return f"use {listed}" if len(near) == 1 else f"use one of {listed}"


def _torchvision() -> tuple[Sequence[str], Callable[..., nn.Module]]:
    models = torchvision_models()
    return models.list_models(), partial(models.get_model, weights=None)


def _timm() -> tuple[Sequence[str], Callable[..., nn.Module]]:
    torchvision_models()
    timm: Any = importlib.import_module("timm")
    return timm.list_models(), partial(timm.create_model, pretrained=False)


def torchvision_models() -> ModuleType:
    """`torchvision.models`, even if torchvision was built for a different version of torch.

    Its compiled ops do not load then. Its models do not need them, but can only be imported once
    the ops are declared.
    """
    try:
        return importlib.import_module("torchvision.models")
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for op in OPS:
        library.define(op)
    _declared.append(library)
    return importlib.import_module("torchvision.models")


def _check_names(network: Network, other: nn.Module, against: str) -> None:
    """Raises `PeerError` with the weights whose names or shapes do not match."""
    with torch.device("meta"):
        here = _shapes(build(network, init=False))
    there = _shapes(other)
    differing = {
        f"only in {network.spec}": [k for k in here if k not in there],
        f"only in {against}": [k for k in there if k not in here],
        "different shapes": [
            f"{k}: {s}, there {there[k]}" for k, s in here.items() if there.get(k, s) != s
        ],
    }
    if lines := [line for title, keys in differing.items() for line in _listed(title, keys)]:
        head = f"{network.spec} and {against} do not have the same weights"
        raise PeerError(head, "weights are matched by name and shape", more=lines)


def _shapes(model: nn.Module) -> dict[str, Shape]:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _listed(title: str, keys: Sequence[str]) -> list[str]:
    more = [f"    ... and {len(keys) - MOST_LISTED} more"] if len(keys) > MOST_LISTED else []
    shown = [f"    {key}" for key in keys[:MOST_LISTED]]
    return [f"  {title} ({len(keys)}):", *shown, *more] if keys else []


def checks_of_peer(
    network: Network, other: nn.Module, against: str, shape: Shape
) -> Iterator[Check]:
    """The forward pass and a training step in float64, with the peer's random weights in both."""
    check = partial(Check, against)
    ours, other = build(network, init=False).double(), other.double()
    randomise(other)
    weights = other.state_dict()
    ours.load_state_dict(weights)
    yield check("state dict", True, f"{plural(len(weights), 'tensor')}: same names and shapes")
    x = images(2, *shape).double()
    far, first = _first_difference(ours.eval(), other.eval(), x)
    where = f", first at {_place(network, first)}" if first else ""
    yield check("forward", far < ROUNDING, f"{_amount(far)}{where if far >= ROUNDING else ''}")
    one = training_step(ours, x)
    del ours  # its weights take as much memory as its gradients
    two = training_step(other, x)
    least = max((t.abs().max().item() for t in two.values() if t.numel()), default=0) / 1000
    apart_by = {k: apart(one[k], two[k], least) if k in one else float("inf") for k in two}
    worst = max(apart_by, key=lambda k: apart_by[k])
    holds = apart_by[worst] < ROUNDING
    where = "" if holds else f", most at {_place(network, worst)}"
    yield check("training step", holds, f"{_amount(apart_by[worst])}{where}")


def _amount(far: float) -> str:
    return f"differs by {far:.1g} of the largest value" if far else "equal"


class _Call(NamedTuple):
    """The n-th call of the module at a path."""

    path: str
    turn: int


def _first_difference(ours: nn.Module, other: nn.Module, x: Tensor) -> tuple[float, str]:
    """The difference between the outputs, and the first layer whose output differs."""
    here: dict[_Call, list[Tensor]] = {}
    apart_by: dict[_Call, float] = {}

    def keep(call: _Call, output: Any) -> None:
        here[call] = [y.clone() for y in flat(output)]  # later layers may work in place

    def measure(call: _Call, output: Any) -> None:
        if call in here:
            apart_by[call] = farthest(here[call], flat(output))

    outputs = [_watched(ours, x, keep), _watched(other, x, measure)]
    first = next((call.path for call in here if apart_by.get(call, 0) >= ROUNDING), "")
    return farthest(*map(flat, outputs)), first


def _watched(model: nn.Module, x: Tensor, see: Callable[[_Call, Any], None]) -> Any:
    """The output of the model; `see` gets the outputs of its modules, innermost first."""
    turns: dict[str, int] = {}

    def hook(path: str) -> Callable[..., None]:
        def run(_: nn.Module, __: Any, output: Any) -> None:
            turns[path] = turns.get(path, 0) + 1
            see(_Call(path, turns[path]), output)

        return run

    hooks = [m.register_forward_hook(hook(path)) for path, m in model.named_modules() if path]
    with torch.no_grad():
        output = model(x)
    for handle in hooks:
        handle.remove()
    return output


def _place(network: Network, path: str) -> str:
    """A layer, with the lines of its spec and block."""
    spans = network.place(path)
    lines = dict.fromkeys(s.path or f"{s.file}:{s.line}" for s in (*spans[:1], *spans[-1:]))
    return f"{path} ({', '.join(lines)})" if lines else path
