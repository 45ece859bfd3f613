"""What torch measures of a network: parameters, multiply-adds, shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional

_NORM = functional.batch_norm


class Measured:
    """What torch sees when `model` runs on one input of `shape`.

    On the device `meta` there is no data, which is quicker where networks are large.

    An `nn.Identity` stands for an absent shortcut and is no layer.

    Attributes:
        params: elements of all parameters.
        macs: multiply-adds of convolutions and linear layers, one each.
        calls: how often the leaf of a path gave an output of a shape (without batch).
        leaves: how many multiply-adds and parameters each leaf of that path has.
    """

    def __init__(self, model: nn.Module, shape: tuple[int, ...], device: str = "meta") -> None:
        self.params = sum(weight.numel() for weight in model.parameters())
        self.macs = 0
        self.calls: Counter[tuple[str, tuple[int, ...]]] = Counter()
        self.leaves: dict[str, tuple[int, int]] = {}
        for path, module in model.named_modules():
            if not any(True for _ in module.children()) and not isinstance(module, nn.Identity):
                module.register_forward_hook(self._hook(path))
        x = torch.zeros(1, *shape, device=device)
        with mock.patch.object(functional, "batch_norm", _normed if device == "meta" else _NORM):
            model.to(device).eval()(x)

    def _hook(self, path: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, _: Any, output: Tensor) -> None:
            macs = multiply_adds(module, output)
            params = sum(weight.numel() for weight in module.parameters())
            self.macs += macs
            self.calls[path, tuple(output.shape[1:])] += 1
            self.leaves[path] = macs, params

        return hook


def _normed(x: Tensor, mean: Tensor, *_: Any) -> Tensor:
    """What a batch norm gives without data: torch's own takes longest of all layers there."""
    assert x.shape[1] == len(mean)
    return torch.empty_like(x)


def multiply_adds(module: nn.Module, output: Tensor) -> int:
    """Multiply-adds with which `module` made `output` (of batch 1)."""
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return output.numel() * module.weight[0].numel()
    return 0
