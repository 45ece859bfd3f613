"""Tensors to compare networks with: random inputs and weights, and the difference of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Shape = tuple[int, ...]


def images(*shape: int, seed: int = 1) -> Tensor:
    """Normal random numbers, the same for equal shapes."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def randomise(model: nn.Module, seed: int = 2) -> None:
    """Set all weights and statistics to random numbers of a size that deep networks tolerate.

    Newly initialized networks could agree by accident: their norms do nothing, and their biases are
    zero.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                tensor.uniform_(*_range(name, tensor), generator=generator)


def _range(name: str, tensor: Tensor) -> tuple[float, float]:
    if tensor.dim() > 1 and not name.endswith("layer_scale"):
        bound: float = (3 / max(tensor[0].numel(), 1)) ** 0.5
        return -bound, bound
    positive = name.endswith(("running_var", "weight", "layer_scale"))
    return (0.5, 1.5) if positive else (-0.3, 0.3)


def flat(output: Any) -> list[Tensor]:
    """The tensors in the output of a module, in order."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        output = list(output.values())
    return [t for part in output for t in flat(part)] if isinstance(output, (list, tuple)) else []


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal bit for bit (0.0 is not -0.0, NaN is NaN)."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    a, b = (t.detach().contiguous().view(-1).view(torch.uint8) for t in (one, other))
    return torch.equal(a, b)


def apart(one: Tensor, other: Tensor, least: float = 0.0) -> float:
    """The largest difference, relative to the largest number of `other`, or to `least`.

    It is infinite if shapes differ or a number is not finite.
    """
    if one.shape != other.shape or not (one.isfinite().all() and other.isfinite().all()):
        return float("inf")
    if not other.numel():
        return 0.0
    largest = max(other.abs().max().item(), least)
    difference = (one - other).abs().max().item()
    return difference / largest if largest else difference


def farthest(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """The largest difference of several outputs; infinite if their numbers differ."""
    if len(ours) != len(theirs):
        return float("inf")
    return max(map(apart, ours, theirs), default=0.0)


def training_step(model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Gradients of a loss on every output, and statistics after it, by name.

    Dropout and stochastic depth use one seed.
    """
    torch.manual_seed(5)
    outputs = [y for y in flat(model.train()(x)) if y.requires_grad]
    losses = [(y * torch.linspace(-1, 1, y.numel()).to(y).view_as(y)).sum() for y in outputs]
    torch.autograd.backward(losses)
    gradients = {k: w.grad for k, w in model.named_parameters() if w.grad is not None}
    buffers, saved = dict(model.named_buffers()), model.state_dict()
    return gradients | {k: b for k, b in buffers.items() if k in saved and b.is_floating_point()}
