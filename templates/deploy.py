"""Parts of files for inference besides their classes; each is printed as a whole."""

import re
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FOLDED: dict[str, list[tuple[Any, ...]]] = {}

ONEDNN: set[torch.dtype] = set()  # data types that oneDNN convolves on this machine
if torch.backends.mkldnn.is_available() and all(
    hasattr(torch.ops.mkldnn, name)
    for name in ("_convolution_pointwise", "_reorder_convolution_weight")
):
    ONEDNN.add(torch.float32)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        ONEDNN.add(torch.bfloat16)
# Activations that oneDNN names differently, with their numbers.
ACTIVATIONS: dict[str, tuple[str, list[float]]] = {
    "relu6": ("hardtanh", [0.0, 6.0]),
    "silu": ("swish", []),
}


class FusedConv2d(nn.Conv2d):
    """A convolution that adds `other`, if it gets one, and ends in an activation.

    On a CPU this is one call of oneDNN, with a weight packed for the first input. On
    other devices, in `torch.compile`, and if gradients are needed, it is plain torch.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        act: str = "",
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
        )
        self.act = act
        self.packed: Tensor | None = None

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        if self.has_kernel(x):
            return self.fused(x, other)
        y = super().forward(x)
        y = y if other is None else y + other
        return getattr(F, self.act)(y) if self.act else y

    def has_kernel(self, x: Tensor) -> bool:
        if x.dtype not in ONEDNN or x.device.type != "cpu" or x.dim() != 4:
            return False
        trains = torch.is_grad_enabled() and (
            x.requires_grad or self.weight.requires_grad
        )
        return not trains and not torch.compiler.is_compiling()

    def fused(self, x: Tensor, other: Tensor | None) -> Tensor:
        ops = torch.ops.mkldnn
        how = (self.padding, self.stride, self.dilation, self.groups)
        if self.packed is None:
            self.packed = ops._reorder_convolution_weight(self.weight, *how, x.shape)
        name, numbers = ACTIVATIONS.get(self.act, (self.act or "none", []))
        if other is None:
            return ops._convolution_pointwise(
                x, self.packed, self.bias, *how, name, numbers, ""
            )
        return ops._convolution_pointwise.binary(
            x, other, self.packed, self.bias, *how, "add", 1.0, self.act or None, [], ""
        )

    # A packed weight is made again when the weight changes, and is not saved or copied.

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self.packed = None
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, *args: Any) -> None:
        self.packed = None
        super()._load_from_state_dict(*args)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "packed": None}


def terms_of(layer: str) -> list[tuple[Any, ...]]:
    """The training layers of a layer: its row in FOLDED, with full names."""
    parent, _, name = layer.rpartition(".")
    stars = re.sub(r"\d+", "*", parent) + "." * bool(parent)
    keys = (layer, stars + name, stars + re.sub(r"\d+", "*", name))
    row = next((FOLDED[key] for key in keys if key in FOLDED), [(name, "")])
    block = terms_of(parent)[0][0] if parent else ""
    return [
        (*(in_full(block, path.replace("*", name)) for path in term[:2]), *term[2:])
        for term in row
    ]


def in_full(block: str, path: str) -> str:
    """A name in a block as in the checkpoint; a leading dot leads out of the block."""
    inside = path.lstrip(".")
    for _ in range(len(path) - len(inside)):
        block = block.rpartition(".")[0]
    return f"{block}.{inside}" if block and inside else inside


def fold(terms: list[tuple[Any, ...]], module: Any, layers: Any) -> dict[str, Tensor]:
    """Weight and bias of a layer: the sum of its terms, with the norms folded in."""
    weight = torch.zeros_like(module.weight, dtype=torch.float64)
    bias = torch.zeros_like(module.bias, dtype=torch.float64)
    for layer, norm, *eps in terms:
        if layer:
            one = layers[layer]["weight"].double()
            offset = layers[layer].get("bias", torch.zeros_like(bias))
        else:  # only the norm
            one = nn.init.dirac_(torch.zeros_like(weight), module.groups)
            offset = torch.zeros_like(bias)
        if norm:
            statistics = layers[norm]
            var = statistics["running_var"].double() + (eps[0] if eps else 1e-5)
            scale = statistics.get("weight", 1.0) / var.sqrt()
            offset = (offset - statistics["running_mean"]) * scale
            offset = offset + statistics.get("bias", 0.0)
            at = 1 if getattr(module, "transposed", False) else 0
            one = one * scale.view([-1 if d == at else 1 for d in range(one.dim())])
        edges = [(a - b) // 2 for a, b in zip(weight.shape[2:], one.shape[2:])]
        weight += F.pad(one, [edge for edge in reversed(edges) for _ in range(2)])
        bias += offset
    return {"weight": weight.float(), "bias": bias.float()}


def is_whole(term: tuple[Any, ...], layers: Any) -> bool:
    """Whether a checkpoint has all of a term."""
    weight = not term[0] or "weight" in layers.get(term[0], {})
    statistics = {"running_mean", "running_var"} if term[1] else set()
    return weight and statistics <= layers.get(term[1], {}).keys()


def fold_all(
    model: nn.Module, state: dict[str, Tensor], aside: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """The weights of training as those of `model`; unexpected keys stay in.

    Layers below those in `aside` were only for training.
    """
    layers: dict[str, dict[str, Tensor]] = {}
    for key, tensor in state.items():
        layer, _, name = key.rpartition(".")
        layers.setdefault(layer, {})[name] = tensor
    wanted = {key.rpartition(".")[0] for key in model.state_dict()}
    used: set[str] = set()
    made: dict[str, Tensor] = {}
    for layer, module in model.named_modules():
        if layer not in wanted:
            continue
        terms = terms_of(layer)
        if len(terms) > 1 or terms[0][1]:
            terms = [term for term in terms if is_whole(term, layers)]
            found = fold(terms, module, layers) if terms else {}
        else:
            found = layers.get(terms[0][0], {})
        used.update(path for term in terms for path in term[:2])
        made |= {f"{layer}.{name}".lstrip("."): one for name, one in found.items()}
    for layer in layers.keys() - used:
        if not f"{layer}.".startswith(tuple(f"{name}." for name in aside)):
            made |= {f"{layer}.{name}": one for name, one in layers[layer].items()}
    return made
