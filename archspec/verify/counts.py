"""The analysis against torch: shapes by hooks, multiply-adds by `torch.utils.flop_counter`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from archspec.analysis import Analysis
from archspec.diagnostics import plural
from archspec.ir.classes import Network
from archspec.runtime import build
from archspec.verify.check import Check
from archspec.verify.tensors import Shape, flat

TORCH = "torch"
_check = partial(Check, TORCH)
Shapes = Counter[tuple[str, Shape]]


def checks_of_counts(network: Network, analysis: Analysis) -> Iterator[Check]:
    """Output shapes, parameters, and multiply-adds of each layer, on the device `meta`."""
    with torch.device("meta"):
        model = build(network, init=False)
    shapes, flops = _run(model, analysis.input)
    yield _shapes(analysis, shapes)
    params = sum(weight.numel() for weight in model.parameters())
    yield _equal("parameters", {"the network": analysis.params}, {"the network": params})
    macs = Counter[str]()
    for row in analysis.rows:  # the filters of `blur_pool` are not weights and do not count
        if row.params or row.macs or row.path in macs:
            macs[row.path] += row.macs
    yield _equal("multiply-adds", macs, {path: flops[path] // 2 for path in macs})


def _run(model: nn.Module, shape: Shape) -> tuple[Shapes, Counter[str]]:
    """How often each module outputs a shape, and the operations in each."""
    shapes = Shapes()

    def watch(path: str) -> Callable[..., None]:
        return lambda _, __, output: shapes.update((path, tuple(y.shape[1:])) for y in flat(output))

    for path, module in model.named_modules():
        module.register_forward_hook(watch(path))
    # In float64, and without fused attention, the counter knows every kernel.
    x = torch.zeros(1, *shape, dtype=torch.float64, device="meta")
    counter: Any = FlopCounterMode(display=False)
    with counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model.double().eval()(x)
    prefix = f"{type(model).__name__}."
    by_module = counter.get_flop_counts()
    return shapes, Counter({k.removeprefix(prefix): sum(v.values()) for k, v in by_module.items()})


def _shapes(analysis: Analysis, seen: Shapes) -> Check:
    known = {path for path, _ in seen}
    aside = analysis.aside
    rows = [r for r in analysis.rows if r.path in known]
    for row in rows:
        if not seen[row.path, row.output] and analysis.attribute(row.path) not in aside:
            there = [shape for path, shape in seen if path == row.path]
            return _check(
                "output shapes", False, f"{row.path}: {row.output}, but torch has {there}"
            )
    return _check("output shapes", True, plural(len(rows), "layer"))


def _equal(name: str, ours: dict[str, int], torch_has: dict[str, int]) -> Check:
    for path, count in ours.items():
        if count != torch_has[path]:
            return _check(name, False, f"{path}: {count:,}, but torch counts {torch_has[path]:,}")
    return _check(name, True, f"{sum(ours.values()):,}")
