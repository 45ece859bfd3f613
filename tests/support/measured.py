"""What torch measures of a network: parameters, multiply-adds, shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

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
            whole = isinstance(module, nn.MultiheadAttention) or not any(module.children())
            if whole and not isinstance(module, nn.Identity):
                module.register_forward_hook(self._hook(path))
        x = torch.zeros(1, *shape, device=device)
        with mock.patch.object(functional, "batch_norm", _normed if device == "meta" else _NORM):
            model.to(device).eval()(x)

    def _hook(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, given: Any) -> None:
            output: Tensor = given[0] if isinstance(given, tuple) else given
            macs = multiply_adds(module, inputs[0], output)
            params = sum(weight.numel() for weight in module.parameters())
            self.macs += macs
            self.calls[path, tuple(output.shape[1:])] += 1
            self.leaves[path] = macs, params

        return hook


def _normed(x: Tensor, mean: Tensor, *_: Any) -> Tensor:
    """What a batch norm gives without data: torch's own takes longest of all layers there."""
    assert x.shape[1] == len(mean)
    return torch.empty_like(x)


def multiply_adds(module: nn.Module, x: Tensor, output: Tensor) -> int:
    """Multiply-adds with which `module` made `output` of `x` (of batch 1)."""
    match module:
        case nn.Linear():
            return output.numel() * module.in_features
        case nn.Conv1d() | nn.Conv2d() | nn.Conv3d():
            return output.numel() * module.weight[0].numel()
        case nn.ConvTranspose1d() | nn.ConvTranspose2d() | nn.ConvTranspose3d():
            return x.numel() * module.weight[0].numel()
        case nn.MultiheadAttention():
            return 4 * x.numel() * module.embed_dim + 2 * x.numel() * x.shape[1]
        case nn.RNNBase():
            return x.shape[1] * sum(w.numel() for w in module.parameters() if w.dim() == 2)
    return 0


def counted(module: nn.Module, shape: tuple[int, ...]) -> int:
    """Multiply-adds as torch's own counter has them; in float64 no kernel is unknown to it."""
    x, math_alone = torch.zeros(1, *shape, dtype=torch.float64), sdpa_kernel(SDPBackend.MATH)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), math_alone:
        deepcopy(module).double()(x)
    return int(counter.get_total_flops()) // 2
