"""Weights without drawing them: which draws a constructor makes, and networks that make none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from archspec.verify.tensors import randomise

Method = Callable[..., Tensor]
DRAWS = ("normal_", "uniform_")
#: All else that initialisers do to a tensor.
WRITES = ("fill_", "zero_", "copy_", "mul_", "add_", "sub_", "div_", "clamp_", "erfinv_")


@contextmanager
def replaced(
    names: tuple[str, ...], method: Callable[[str], Callable[..., Tensor]]
) -> Iterator[None]:
    """Methods of tensors, each replaced by what `method` gives for its name."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(mock.patch.object(torch.Tensor, name, method(name)))
        yield


@contextmanager
def without_draws() -> Iterator[None]:
    """Nothing is drawn: what would be random is left as the memory was."""

    def left(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
        return tensor

    # This one draws again until the numbers are small enough.
    small = mock.patch.object(nn.init, "_no_grad_trunc_normal_", left)
    with small, replaced(DRAWS, lambda _: left):
        yield


def blank(build: Callable[[], nn.Module]) -> nn.Module:
    """A network without memory: names, shapes and structure."""
    with torch.device("meta"):
        return undrawn(build)


def undrawn(build: Callable[[], nn.Module]) -> nn.Module:
    """A network whose weights are as the memory was; constants have their numbers."""
    with without_draws(), ExitStack() as stack:
        for layer in (nn.Linear, _ConvNd, _NormBase):
            stack.enter_context(mock.patch.object(layer, "reset_parameters", _as_they_are))
        return build()


def _as_they_are(layer: nn.Module) -> None:
    """Weights without memory need no numbers."""


def filled(model: nn.Module, seed: int = 0) -> nn.Module:
    """A blank network in memory, with random weights and statistics."""
    assert set(dict(model.named_buffers())) <= set(model.state_dict())
    model.to_empty(device="cpu")
    for counter in (tensor for tensor in model.buffers() if not tensor.is_floating_point()):
        counter.fill_(3)
    randomise(model, seed)
    return model


def lent(model: nn.Module, owner: nn.Module) -> nn.Module:
    """A blank network with the weights of another, and statistics of its own."""
    state = owner.state_dict()
    assert list(model.state_dict()) == list(state)
    model.load_state_dict(state, assign=True)
    for part in model.modules():
        part._buffers.update({name: t.clone() for name, t in part.named_buffers(recurse=False)})
    return model


def shortened(model: nn.Module) -> nn.Module:
    """The network without the blocks that equal the one before them."""
    for part in list(model.modules()):
        if isinstance(part, nn.Sequential):
            before = ""
            for name, child in list(part.named_children()):
                if repr(child) == before:
                    del part._modules[name]
                before = repr(child)
    return model


class Initial(NamedTuple):
    """How a constructor fills a network: equal ones give equal weights from one seed.

    Attributes:
        draws: every call of the random number generator, in order, and what shape it fills.
        tensors: the shape and type of each tensor, in order, and what was written to it,
            a draw by its place among all draws.
    """

    draws: list[tuple[Any, ...]]
    tensors: dict[str, tuple[Any, ...]]


def initial(build: Callable[[], nn.Module]) -> Initial:
    """How `build` fills its network, which takes no memory for that."""
    draws: list[tuple[Any, ...]] = []
    written: dict[int, list[Any]] = {}
    kept: list[Tensor] = []  # while a tensor lives, no other has its id

    def recorder(name: str) -> Method:
        def record(tensor: Tensor, *args: Any, generator: None = None) -> Tensor:
            value = ("fill_", 0.0) if name == "zero_" else (name, *map(plain, args))
            if name in DRAWS:
                value = ("draw", len(draws))
                draws.append((name, tuple(tensor.shape), *args))
            overwrites = name in (*DRAWS, "fill_", "zero_", "copy_")
            before = [] if overwrites else written.get(id(tensor), [])
            written[id(tensor)] = [*before, value]
            kept.append(tensor)
            return tensor

        return record

    with torch.device("meta"), replaced((*DRAWS, *WRITES), recorder):
        model = build()
    state = model.state_dict(keep_vars=True)
    return Initial(
        draws, {name: (t.shape, t.dtype, written.get(id(t))) for name, t in state.items()}
    )


def plain(value: Any) -> Any:
    """A number as such; of a tensor what can be compared."""
    return (value.shape, value.dtype) if isinstance(value, Tensor) else float(value)
