"""The live module and the generated source are one network, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from archspec.codegen import generate
from archspec.diagnostics import plural
from archspec.ir.classes import Network
from archspec.runtime import build
from archspec.verify.check import Check
from archspec.verify.tensors import Shape, flat, images, randomise, same_bits, training_step

SOURCE = "generated source"
Tensors = Mapping[Any, Tensor]
_check = partial(Check, SOURCE)


def checks_of_source(network: Network, shape: Shape) -> Iterator[Check]:
    """The state dict, initial weights, forward pass, and training step; the first must pass."""
    live, printed = _seeded(lambda: build(network)), _seeded(_printed(network))
    here, there = live.state_dict(), printed.state_dict()
    shapes, others = ([(k, tuple(t.shape)) for k, t in s.items()] for s in (here, there))
    if shapes != others:
        first = next((a for a, b in zip(shapes, others, strict=False) if a != b), "the end")
        yield _check("state dict", False, f"names, order, or shapes differ from {first} on")
        return
    yield _check(
        "state dict", True, f"{plural(len(here), 'tensor')}: same names, order, and shapes"
    )
    yield _same("initial weights", here, there, "from one seed")
    randomise(printed)
    live.load_state_dict(there)
    x = images(2, *shape)
    with torch.no_grad():
        outputs = [dict(enumerate(flat(m.eval()(x)))) for m in (live, printed)]
    yield _same(
        "forward", outputs[0], outputs[1], f"random weights and statistics, input {tuple(x.shape)}"
    )
    steps = [training_step(m, x) for m in (live, printed)]
    yield _same("training step", steps[0], steps[1], f"{len(steps[0])} gradients and statistics")


def _printed(network: Network) -> type[nn.Module]:
    """The class of the network in its source, which is the last one; the source is run here."""
    namespace: dict[str, Any] = {"__name__": f"archspec.verified.{network.spec}"}
    exec(compile(generate(network), f"<{network.spec}.py>", "exec"), namespace)
    own: list[type[nn.Module]]
    own = [v for v in namespace.values() if getattr(v, "__module__", "") == namespace["__name__"]]
    return own[-1]


def _seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make()


def _same(name: str, one: Tensors, other: Tensors, seen: str) -> Check:
    differing = [key for key in one if key not in other or not same_bits(one[key], other[key])]
    if not differing and len(one) == len(other):
        return _check(name, True, f"bit-identical ({seen})")
    return _check(name, False, f"differs at {differing[0] if differing else 'the end'} ({seen})")
