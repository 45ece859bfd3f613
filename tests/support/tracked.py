"""Peaks of memory as torch's own tracker sees them, on tensors without numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

import archspec


def loss_of(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    outputs = output if isinstance(output, tuple) else (output,)
    targets = [torch.zeros((len(y), *y.shape[2:]), dtype=torch.long) for y in outputs]
    losses = [nn.functional.cross_entropy(y, t) for y, t in zip(outputs, targets, strict=True)]
    return torch.stack(losses).sum()


def freeze(part: nn.Module) -> None:
    """Make buffers of the weights: the tracker needs a gradient of each parameter."""
    for module in part.eval().modules():
        for name, weight in [*module.named_parameters(recurse=False)]:
            delattr(module, name)
            module.register_buffer(name, weight.detach())


def tracked(
    spec: archspec.Spec, batch: int, low: bool, optimizer: str, frozen: Sequence[str] = ()
) -> tuple[int, int]:
    """The peaks of a second training step and of inference, as torch's tracker has them."""
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=low)
    with FakeTensorMode():
        model = archspec.build_module(spec, init=False)
        for path in frozen:
            freeze(model.get_submodule(path))
        steps = OPTIMIZERS[optimizer](model.parameters())
        x = torch.zeros(batch, *archspec.analyze(spec).input)

        def step() -> None:
            with autocast:
                loss = loss_of(model(x))
            loss.backward()
            steps.step()
            steps.zero_grad()

        step()  # makes the optimizer's state; the tracker takes most of the time
        training: Any = MemTracker()
        training.track_external(model, steps, x)
        with training:
            step()
        inference: Any = MemTracker()
        inference.track_external(model.eval(), x)
        with torch.no_grad(), inference, autocast:
            model(x)
    peaks = (tracker.get_tracker_snapshot("peak") for tracker in (training, inference))
    peak, other = (sum(device["Total"] for device in found.values()) for found in peaks)
    return peak, other


def sgd(weights: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(weights, lr=0.1, momentum=0.9)


OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": sgd,
    "adamw": torch.optim.AdamW,
}
