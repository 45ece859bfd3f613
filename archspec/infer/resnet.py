"""A ResNet from its names and shapes: stem, stages of basic blocks or bottlenecks, head.

The names are those of torchvision and timm (`conv1 bn1 layer1.0.conv1 ... fc`). The result is only
a proposal: the caller lowers it and compares every name and shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from archspec.diagnostics import plural
from archspec.infer.header import Shapes
from archspec.records import Record

RATIOS = {"1 / 16": 16, "1 / 4": 4, "1 / 8": 8, "1 / 2": 2, "1 / 32": 32}  # of squeeze-excite
USUAL_RATIO = 16
SHRINKS = "the widths are those of the checkpoint"
_STAGE = re.compile(r"layer([1-9]\d?)\.(\d{1,4})\.(.+)\Z")


class NoResNet(Exception):
    """Why the names and shapes are not those of a ResNet."""


Proposal = tuple[dict[str, Any], tuple[str, ...]]  # a spec, and the guesses made for it


class Block(Record):
    """One block: its kind, channels, inner widths, groups, shortcut, and attention."""

    kind: str
    channels: int
    width: int = 0
    reduced: int = 0
    groups: int = 1
    shortcut: Any = None
    shortcut_kernel: int = 1
    attention: tuple[str, int] | None = None


@dataclass
class _Reader:
    shapes: Shapes
    guesses: list[str] = field(default_factory=list)

    def shape(self, key: str, rank: int) -> tuple[int, ...]:
        """The shape of a required tensor, with this number of dimensions."""
        shape = self.shapes.get(key)
        if shape is None:
            raise NoResNet(f"missing `{key}`")
        if len(shape) != rank or not all(shape):
            raise NoResNet(f"`{key}` of shape {shape} does not have {plural(rank, 'dimension')}")
        return shape

    def has(self, key: str) -> bool:
        return key in self.shapes

    # The network

    def spec(self) -> Proposal:
        stem, channels, arrives, side = self.stem()
        stages, defaults = self.stages(arrives)
        head, args = self.head()
        norm, names = self.norm()
        spec = {
            "input": [channels, side, side],
            "args": args,
            "defaults": defaults | norm,
            "stem": stem,
            "stages": stages,
            "head": head,
            "names": names,
        }
        return {key: value for key, value in spec.items() if value}, tuple(self.guesses)

    def stem(self) -> tuple[dict[str, Any], int, int, int]:
        """Stem, input channels, output channels, size of the image."""
        plain = not self.has("conv1.0.weight")
        first = "conv1.weight" if plain else "conv1.0.weight"
        leaves, channels, kernel, _ = self.shape(first, 4)
        small = plain and kernel < 7
        conv1: dict[str, Any] = {"channels": leaves, "kernel": kernel}
        if not small:
            conv1["stride"] = 2
        layer: dict[str, Any] = {"conv": conv1}
        if not plain:
            layer, leaves = self.deep_stem(leaves)
        norm = "bn1" if self.has("bn1.weight") else "norm1"
        stem: dict[str, Any] = {"conv1": layer, norm: "norm", "relu": "act"}
        if small:
            one = f"a stem convolution of {kernel}x{kernel}"
            self.guesses.append(f"{one} is assumed to have no stride and no pool")
        elif self.has("maxpool.0.weight"):
            wide, _, kernel, _ = self.shape("maxpool.0.weight", 4)
            pool = {"channels": wide, "kernel": kernel, "stride": 2}
            stem["maxpool"] = {"conv_norm_act": pool}
        else:
            stem["maxpool"] = {"max_pool": {"kernel": 3, "stride": 2}}
        return stem, channels, leaves, 32 if small else 224

    def deep_stem(self, first: int) -> tuple[dict[str, Any], int]:
        width = self.shape("conv1.3.weight", 4)[0]
        leaves = self.shape("conv1.6.weight", 4)[0]
        given = {"channels": leaves}
        if width != 32:
            given["width"] = width
        if first != width:
            given["first"] = first
        return {"deep_stem": given}, leaves

    def head(self) -> tuple[Any, dict[str, int]]:
        """The head, and the arguments of the spec that it uses."""
        if not self.has("fc.weight"):
            return "none", {}
        classes, _ = self.shape("fc.weight", 2)
        bare = {"features": "classes", "bias": False}
        fc = {"linear": "classes" if self.has("fc.bias") else bare}
        layers = {"avgpool": "global_avg_pool", "flatten": "flatten", "fc": fc}
        return layers, {"classes": classes}

    def norm(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The network's norm if it is not a batch norm, and prefixes of attributes."""
        prefix = "bn" if self.has("bn1.weight") else "norm"
        self.shape(f"{prefix}1.weight", 1)
        if self.has(f"{prefix}1.running_mean"):
            return {}, {} if prefix == "bn" else {"batch_norm": "norm"}
        self.guesses.append(
            "norms without running statistics are assumed to be group norms with 32 groups"
        )
        return {"norm": {"group_norm": 32}}, {"group_norm": "bn"} if prefix == "bn" else {}

    # Stages

    def stages(self, arrives: int) -> tuple[dict[str, Any], dict[str, Any]]:
        runs = self.runs()
        options = _Options([block for run in runs for block in run])
        stages: dict[str, Any] = {}
        before = arrives
        for number, run in enumerate(runs):
            stage = self.stage(number, run, arrives, options)
            if run[0].channels < before and number:
                stage["shrink"] = SHRINKS
            stages[f"layer{number + 1}"] = stage
            arrives = before = run[-1].channels
        defaults: dict[str, Any] = {}
        if self.has("conv1.bias") or self.has("conv1.0.bias"):
            defaults["conv"] = {"bias": True}
        for kind in sorted({block.kind for run in runs for block in run}):
            common = options.common(kind, self.projection(runs, kind))
            if common:
                defaults[kind] = common
        return stages, defaults

    def runs(self) -> list[list[Block]]:
        """The blocks of each stage, by their numbers."""
        found: dict[int, dict[int, dict[str, tuple[int, ...]]]] = {}
        for key, shape in self.shapes.items():
            if place := _STAGE.match(key):
                run = found.setdefault(int(place[1]), {})
                run.setdefault(int(place[2]), {})[place[3]] = shape
        if not found:
            raise NoResNet("stages `layer1`, `layer2`, ... are missing")
        if sorted(found) != list(range(1, len(found) + 1)):
            raise NoResNet(f"the stages are numbered {', '.join(map(str, sorted(found)))}")
        runs = []
        for stage, blocks in sorted(found.items()):
            if sorted(blocks) != list(range(len(blocks))):
                raise NoResNet(f"blocks are missing in `layer{stage}`")
            paths = [f"layer{stage}.{index}" for index in range(len(blocks))]
            runs.append([self.block(path) for path in paths])
        return runs

    def block(self, path: str) -> Block:
        kernels = [self.shape(f"{path}.conv{n}.weight", 4) for n in (1, 2)]
        shortcut, kernel = self.shortcut(path)
        attention = self.attention(path)
        if not self.has(f"{path}.conv3.weight"):
            if kernels[0][2] != 3:
                kernel = kernels[0][2]
                raise NoResNet(f"`{path}` is not a basic block: its first kernel is {kernel}")
            channels = kernels[1][0]
            return Block("basic", channels, 0, 0, 1, shortcut, kernel, attention)
        reduced, (width, group, *_) = kernels[0][0], kernels[1]
        if reduced % group:
            message = f"cannot divide {plural(reduced, 'channel')} into groups of {group}"
            raise NoResNet(f"`{path}.conv2.weight`: {message}")
        channels = self.shape(f"{path}.conv3.weight", 4)[0]
        groups = reduced // group
        return Block("bottleneck", channels, width, reduced, groups, shortcut, kernel, attention)

    def shortcut(self, path: str) -> tuple[str | None, int]:
        below = f"{path}.downsample"
        for name, kind in (("0.", "conv"), ("1.", "pool"), ("", "bare")):
            key = f"{below}.{name}weight"
            if self.has(key) and len(self.shapes[key]) == 4:
                return kind, self.shapes[key][2]
        return None, 1

    def attention(self, path: str) -> tuple[str, int] | None:
        if self.has(f"{path}.se.fc1.weight"):
            return "se", self.shape(f"{path}.se.fc1.weight", 4)[0]
        if self.has(f"{path}.se.conv.weight"):
            return "eca", self.shape(f"{path}.se.conv.weight", 3)[2]
        return None

    def stage(
        self, number: int, run: Sequence[Block], arrives: int, options: _Options
    ) -> dict[str, Any]:
        first, kinds = run[0], [block.kind for block in run]
        if len({block.channels for block in run}) > 1:
            raise NoResNet(f"the blocks of `layer{number + 1}` have different channels")
        if any(block.shortcut for block in run[1:]):
            raise NoResNet(f"a block of `layer{number + 1}` after the first has a projection")
        kind: Any = kinds[0] if len(set(kinds)) == 1 else kinds
        stage: dict[str, Any] = {"block": kind, "repeat": len(run), "channels": first.channels}
        same = first.channels == arrives
        if (same and first.shortcut) or (number and not (same and not first.shortcut)):
            stage["stride"] = 2
        return stage | options.own(run)

    def projection(self, runs: Sequence[Sequence[Block]], kind: str) -> Any:
        """The shortcut of all stages if it is not the usual one."""
        firsts = [run[0] for run in runs if run[0].kind == kind]
        kinds = {block.shortcut for block in firsts if block.shortcut}
        if not kinds:
            widens = any(a[-1].channels != b[0].channels for a, b in pairwise(runs))
            return self.option_a() if widens and kind == "basic" else None
        if len(kinds) > 1:
            raise NoResNet("the stages have different kinds of shortcuts")
        return _projection(kinds.pop(), [b.shortcut_kernel for b in firsts if b.shortcut])

    def option_a(self) -> list[Any]:
        """The shortcut without weights (He et al., 2015, section 4.2)."""
        self.guesses.append("shortcuts without weights are assumed to add channels of zeros")
        return [{"max_pool": {"kernel": 1, "stride": "stride"}}, {"pad_channels": "channels"}]


def _projection(kind: str | None, kernels: Sequence[int]) -> Any:
    if kind == "pool":
        return "avg_projection"
    if kind == "bare":
        return {"conv": {"channels": "channels", "kernel": kernels[0], "stride": "stride"}}
    if set(kernels) == {1}:
        return None
    if len(set(kernels)) == 1:
        return {"conv_norm": {"kernel": kernels[0]}}
    return {"conv_norm": {"kernel": f"{kernels[-1]} if stride > 1 else {kernels[0]}"}}


class _Options:
    """Arguments and parts of the blocks: those of all blocks, and those of the stage."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = [block for block in blocks if block.kind == "bottleneck"]
        self.groups = _single({block.groups for block in self.blocks})
        self.base_width = _single({_base_width(block) for block in self.blocks})
        self.reduction = _single({_ratio(block.width, block.reduced) for block in self.blocks})
        self.attention = _attention(blocks)

    def common(self, kind: str, projection: Any) -> dict[str, Any]:
        """For `defaults`."""
        given: dict[str, Any] = {}
        if kind == "bottleneck":
            if self.groups not in (None, 1):
                given["groups"] = self.groups
            if self.base_width not in (None, 64):
                given["base_width"] = self.base_width
            if self.reduction not in (None, 1):
                given["reduced"] = f"width // {self.reduction}"
        if self.attention is not None:
            given["attention"] = self.attention
        if projection is not None:
            given["projection"] = projection
        return given

    def own(self, run: Sequence[Block]) -> dict[str, Any]:
        """For the stage."""
        given: dict[str, Any] = {}
        if any(block.kind == "bottleneck" for block in run):
            if self.groups is None:
                given["groups"] = _listed([block.groups for block in run])
            if self.base_width is None:
                given["width"] = _listed([block.width for block in run])
            if self.reduction is None:
                given["reduced"] = _listed([block.reduced for block in run])
        if self.attention is None and (own := {block.attention for block in run}) != {None}:
            found = _single(own)
            if found is None:
                raise NoResNet("the attention differs between the blocks of a stage")
            word = {"se": "squeeze", "eca": "kernel"}[found[0]]
            given["attention"] = {found[0]: {word: found[1]}}
        return given


def _single(values: set[Any]) -> Any:
    """The one value, or None if there are several."""
    return next(iter(values)) if len(values) == 1 else None


def _listed(values: Sequence[int]) -> Any:
    return values[0] if len(set(values)) == 1 else list(values)


def _base_width(block: Block) -> int | None:
    """Channels per group in a stage of 256, if that is an integer (bottleneck.yaml)."""
    planes, per_group = block.channels // 4, block.width // block.groups
    if not planes:
        return None
    base = -(-per_group * 64 // planes)
    return base if planes * base // 64 * block.groups == block.width else None


def _ratio(whole: int, part: int) -> int | None:
    return None if whole % part else whole // part


def _attention(blocks: Sequence[Block]) -> Any:
    """The attention of all blocks, by the usual rules for its size."""
    kinds = {block.attention[0] if block.attention else None for block in blocks}
    kind = _single(kinds)
    sizes = [(b.channels, b.attention[1]) for b in blocks if b.attention]
    if kind == "eca" and _all(sizes, _eca_kernel):
        return "eca"
    if kind == "se":
        for text, by in RATIOS.items():
            if _all(sizes, lambda channels, by=by: max(8, (channels // by + 4) // 8 * 8)):  # type: ignore[misc]
                return "se" if by == USUAL_RATIO else {"se": {"ratio": text}}
    return None


def _all(sizes: Sequence[tuple[int, int]], rule: Callable[[int], int]) -> bool:
    return all(rule(channels) == size for channels, size in sizes)


def _eca_kernel(channels: int) -> int:
    """eca.yaml: the next odd number, at least 3; for a power of two this is exact."""
    reach = channels.bit_length() // 2
    return max(3, reach if reach % 2 else reach + 1)


def propose(shapes: Mapping[str, tuple[int, ...]]) -> Proposal:
    """The spec of a ResNet with these names and shapes; raises `NoResNet`."""
    return _Reader(dict(shapes)).spec()
