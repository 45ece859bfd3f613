"""A checkpoint against a module: missing, unexpected, and adapted tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor, nn

from archspec.checkpoints import nearest
from archspec.diagnostics import WeightsError
from archspec.ir.classes import Network
from archspec.paths import display_path
from archspec.runtime.read import read_tensors
from archspec.runtime.renamed import COUNTER, renamed

MOST_LISTED = 40
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def load_weights(
    module: nn.Module,
    path: str | Path,
    adapt_input: bool = False,
    adapt_classes: bool = False,
    ignore: Sequence[str] = (),
) -> nn.Module:
    """Load a checkpoint as `archspec.load_weights` does; all of it or nothing."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"expected a `torch.nn.Module` to load into, found {module!r}")
    if not isinstance(path, (str, PathLike)):
        raise TypeError(f"expected the path of a file of weights, found {path!r}")
    names = module.state_dict().keys()
    found = nearest(read_tensors(path), names)
    if not found.keys() <= names:
        found = renamed(found, getattr(module, "_archspec_network", None), path)
    fit = _Fit(module, found, ignore)
    if any(tensor.is_meta for tensor in fit.wanted.values()):
        raise ValueError("the module is on the meta device: call `to_empty(device=...)` first")
    if adapt_input:
        fit.adapt_input()
    fresh = fit.fresh_classes() if adapt_classes else None
    fit.check(display_path(path))
    if fresh is not None:
        fresh.reset_parameters()
    with torch.no_grad():
        for name, tensor in fit.wanted.items():
            tensor.copy_(fit.found[name])
    return module


@dataclass
class _Fit:
    """The tensors of a module, next to those of a file."""

    module: nn.Module
    found: dict[str, Tensor]
    ignore: Sequence[str] = ()
    wanted: dict[str, Tensor] = field(init=False)
    network: Network | None = field(init=False)

    def __post_init__(self) -> None:
        self.wanted = dict(self.module.state_dict())
        self.network = getattr(self.module, "_archspec_network", None)
        aside = (*self.ignore, *(self.network.cut if self.network else ()))
        self.found = {k: v for k, v in self.found.items() if k in self.wanted or not _in(k, aside)}
        for name, tensor in self.wanted.items():
            if name.endswith(f".{COUNTER}"):
                self.found.setdefault(name, torch.zeros_like(tensor))

    def adapt_input(self) -> None:
        """The first convolution for the module's number of input channels."""
        for name, part in self.module.named_modules():
            if not isinstance(part, CONVOLUTIONS):
                continue
            found, wanted = self.found.get(f"{name}.weight"), part.weight.shape
            if found is None or not _is_plain(found):
                return
            if part.groups == 1 and _differs_at(1, found.shape, wanted):
                self.found[f"{name}.weight"] = adapted_input(found, wanted[1])
            return

    def fresh_classes(self) -> nn.Linear | None:
        """The last linear layer, if the file's has another number of outputs; it is reinitialized.

        timm does the same (`load_pretrained` in timm/models/_builder.py).
        """
        name, last = "", None
        for place, part in self.module.named_modules():
            if isinstance(part, nn.Linear):
                name, last = place, part
        found = self.found.get(f"{name}.weight")
        if last is None or found is None or not _differs_at(0, found.shape, last.weight.shape):
            return None
        for key in [f"{name}.{own}" for own in last.state_dict()]:
            self.found.pop(key, None)
            del self.wanted[key]
        self.found.pop(f"{name}.bias", None)
        return last

    def check(self, file: str) -> None:
        """Raises `WeightsError` with everything that does not match."""
        missing = [name for name in self.wanted if name not in self.found]
        unexpected = [name for name in self.found if name not in self.wanted]
        shared = [name for name in self.wanted if name in self.found]
        wrong = {
            name: (tuple(self.found[name].shape), tuple(self.wanted[name].shape))
            for name in shared
            if not _fits(self.found[name], self.wanted[name])
        }
        if not (missing or unexpected or wrong):
            return
        message = f"`{file}` does not match {type(self.module).__name__}; nothing was loaded"
        lines = self._section("missing from the file", _grouped(missing))
        lines += self._section("unexpected in the file", _grouped(unexpected))
        shapes = {name: f": {self._shapes(name)}" for name in wrong}
        lines += self._section("shape or type mismatch", shapes)
        lines += self._hints(wrong)
        raise WeightsError(message, missing, unexpected, wrong, lines)

    def _shapes(self, name: str) -> str:
        found, wanted = self.found[name], self.wanted[name]
        here, there = _shape(found), _shape(wanted)
        if here == there:
            here, there = f"{_kind(found)} {here}", f"{_kind(wanted)} {there}"
        return f"{here} in the file, {there} in the network"

    def _section(self, title: str, entries: Mapping[str, str]) -> list[str]:
        if not entries:
            return []
        lines = [f"  {title}:"]
        for name, text in list(entries.items())[:MOST_LISTED]:
            lines.append(f"    {name}{text}{self._place(name)}")
        if len(entries) > MOST_LISTED:
            lines.append(f"    ... and {len(entries) - MOST_LISTED} more")
        return lines

    def _place(self, name: str) -> str:
        """The lines of the spec that a name belongs to: its use, and its definition."""
        spans = self.network.place(name) if self.network else ()
        ends = [s.path or f"{s.file}:{s.line}" for s in (*spans[:1], *spans[-1:])]
        return f"  [{', '.join(dict.fromkeys(ends))}]" if ends else ""

    def _hints(self, wrong: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]) -> list[str]:
        first = next((n for n, m in self.module.named_modules() if isinstance(m, CONVOLUTIONS)), "")
        linear = [n for n, m in self.module.named_modules() if isinstance(m, nn.Linear)]
        hints = []
        if f"{first}.weight" in wrong and _differs_at(1, *wrong[f"{first}.weight"]):
            hints.append("  pass `adapt_input=True` to adapt the first convolution")
        if linear and f"{linear[-1]}.weight" in wrong:
            hints.append("  pass `adapt_classes=True` to reinitialize the last linear layer")
        return hints


def adapted_input(weight: Tensor, channels: int) -> Tensor:
    """A convolution's weight (out, in, *kernel) for another number of input channels.

    For one channel, the sum over all input channels, which is what a gray image copied to each of
    them
    would see; otherwise the channels repeated in turn, times the old number divided by the new, so
    that
    outputs keep their scale. For three channels in the file this is `adapt_input_conv` of
    timm/models/_manipulate.py.
    """
    full, known = weight.float(), weight.shape[1]
    if channels == 1:
        return full.sum(1, keepdim=True).to(weight.dtype)
    repeats = [1, math.ceil(channels / known)] + [1] * (weight.dim() - 2)
    return (full.repeat(repeats)[:, :channels] * (known / channels)).to(weight.dtype)


def _is_plain(tensor: Tensor) -> bool:
    """Whether all values are in memory, one after another."""
    return tensor.layout == torch.strided and not tensor.is_meta


def _fits(found: Tensor, wanted: Tensor) -> bool:
    if found.shape != wanted.shape or not _is_plain(found):
        return False
    return found.is_floating_point() or not wanted.is_floating_point()


def _kind(tensor: Tensor) -> str:
    """The difference between two tensors of one shape."""
    if tensor.is_meta:
        return f"{tensor.dtype} without values (on the meta device)"
    layout = "" if tensor.layout == torch.strided else f"{tensor.layout} of "
    return f"{layout}{tensor.dtype}"


def _in(name: str, prefixes: Iterable[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def _differs_at(place: int, found: Sequence[int], wanted: Sequence[int]) -> bool:
    """Whether two shapes only differ in that dimension."""
    if len(found) != len(wanted):
        return False
    return [n for n in range(len(found)) if found[n] != wanted[n]] == [place]


def _grouped(names: Iterable[str]) -> dict[str, str]:
    """Layer -> its names: `layer4.2.bn3` -> `: weight, bias`."""
    groups: dict[str, list[str]] = {}
    for name in names:
        layer, _, own = name.rpartition(".")
        groups.setdefault(layer or own, []).append(own)
    return {layer: f": {', '.join(own)}" if [layer] != own else "" for layer, own in groups.items()}


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(map(str, tensor.shape))})"
