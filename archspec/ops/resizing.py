"""Pads, crops, and layers without weights that enlarge or shrink an image."""

from fractions import Fraction

from archspec.diagnostics import plural
from archspec.ir import Op, Real, Shape, ShapeError, Sizes, argument, each
from archspec.ops.arriving import image, ranked, reflects, spatial


class Edges(Op):
    """The base of pads and crops: one number for all edges, or two per dimension.

    The last dimension comes first, as in torch: left, right, top, bottom, front, back.
    """

    padding: Sizes = argument("count", many=True, high=4096)

    attribute = "pad"
    first = "padding"

    def edges(self, x: Shape) -> list[tuple[int, int]]:
        """Before and after each spatial dimension."""
        spatial(self, x)
        given = self.padding
        if isinstance(given, tuple) and len(given) != 2 * x.rank:
            raise ShapeError(
                f"`padding` of `{self.key}` has {plural(len(given), 'value')}, but the input has "
                f"{2 * x.rank} edges",
                "use one number for all, or two per dimension, the last dimension first: "
                "left, right, top, bottom",
            )
        sides = each(given, 2 * x.rank)
        return list(zip(sides[::2], sides[1::2], strict=True))[::-1]

    def output(self, x: Shape) -> Shape:
        pairs = zip(x.spatial, self.edges(x), strict=True)
        return Shape(x.channels, tuple(size + sum(edges) for size, edges in pairs))

    def idle(self) -> str:
        given = self.padding if isinstance(self.padding, tuple) else (self.padding,)
        return "" if any(given) else f"`{self.key}` of 0 has no effect"


class ZeroPad(Edges):
    """Pads with zeros: the same number on all edges, or left, right, top, bottom, front, back.

    `[2, 0]` before a 1d convolution with kernel 3 makes it causal.
    """

    key = "zero_pad"
    torch = "ZeroPad{rank}d"
    example = "- zero_pad: [0, 1, 0, 1]\n- conv: {channels: 64, kernel: 3, stride: 2, padding: 0}"


class ConstantPad(Edges):
    """Pads with the same number everywhere."""

    value: Real = argument("real")

    key = "constant_pad"
    torch = "ConstantPad{rank}d"
    example = "- constant_pad: {padding: 1, value: -1}"


class ReplicationPad(Edges):
    """Pads by repeating the pixels at the edges."""

    key = "replication_pad"
    torch = "ReplicationPad{rank}d"
    example = "- replication_pad: 1"
    keeps = "x"
    autocast = "full"


class OwnPixelsPad(Edges):
    """The base of pads that use each pixel of the image at most once."""

    spare = 0

    def output(self, x: Shape) -> Shape:
        for size, edges in zip(x.spatial, self.edges(x), strict=True):
            reflects(self, size - self.spare, max(edges), x)
        return super().output(x)


class ReflectionPad(OwnPixelsPad):
    """Pads by mirroring the image at its edges."""

    key = "reflection_pad"
    torch = "ReflectionPad{rank}d"
    spare = 1
    example = "- reflection_pad: 1\n- conv: {channels: 64, kernel: 3, padding: 0}"
    keeps = "x"
    autocast = "full"


class CircularPad(OwnPixelsPad):
    """Pads with the opposite side of the image."""

    key = "circular_pad"
    torch = "CircularPad{rank}d"
    example = "- circular_pad: 1"


class Crop(Edges):
    """Removes pixels: the same number on all edges, or left, right, top, bottom, front, back."""

    key = "crop"
    torch = "Crop"
    attribute = "crop"
    dims: int = argument("dims", 2)
    example = "- crop: [0, 1, 0, 1]"

    def output(self, x: Shape) -> Shape:
        pairs = zip(x.spatial, self.edges(x), strict=True)
        return Shape(x.channels, tuple(size - sum(edges) for size, edges in pairs))


class PixelShuffle(Op):
    """Moves channels to pixels: 1 / n² of the channels, n times the size (Shi et al., 2016)."""

    upscale_factor: int = argument("size", high=4096)

    key = "pixel_shuffle"
    torch = "PixelShuffle"
    attribute = "shuffle"
    first = "upscale_factor"
    example = "- conv: {channels: 256, kernel: 3}\n- pixel_shuffle: 2"

    def output(self, x: Shape) -> Shape:
        image(self, x)
        by = self.upscale_factor
        if x.channels % by**2:
            raise ShapeError(
                f"`pixel_shuffle` by {by} makes one channel of {by**2}, but the input has "
                f"{x.channels}",
                f"use a multiple of {by**2} channels",
            )
        height, width = x.spatial
        return Shape(x.channels // by**2, (height * by, width * by))

    def strides(self) -> tuple[Real, ...]:
        return (Fraction(1, self.upscale_factor),)

    def idle(self) -> str:
        return "`pixel_shuffle` by 1 has no effect" if self.upscale_factor == 1 else ""


class PixelUnshuffle(Op):
    """Moves pixels to channels: n² times the channels, 1 / n of the size."""

    downscale_factor: int = argument("size", high=4096)

    key = "pixel_unshuffle"
    torch = "PixelUnshuffle"
    attribute = "unshuffle"
    first = "downscale_factor"
    example = "- pixel_unshuffle: 2\n- conv: {channels: 64, kernel: 3}"

    def output(self, x: Shape) -> Shape:
        image(self, x)
        by = self.downscale_factor
        height, width = x.spatial
        if height % by or width % by:
            raise ShapeError(
                f"`pixel_unshuffle` by {by} expects sizes divisible by {by}, but its input is {x}",
                "pad or resize the image before it",
            )
        return Shape(x.channels * by**2, (height // by, width // by))

    def strides(self) -> tuple[Real, ...]:
        return (self.downscale_factor,)

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (self.downscale_factor,)

    def idle(self) -> str:
        return "`pixel_unshuffle` by 1 has no effect" if self.downscale_factor == 1 else ""


# How many pixels a new one is computed from, in each dimension.
TAPS = {"linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}
MODES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}


def check_mode(mode: str, align_corners: bool | None, x: Shape) -> None:
    """Each mode supports some ranks, and only some modes have corners."""
    if x.rank not in MODES[mode]:
        known = ", ".join(f"`{mode}`" for mode, ranks in MODES.items() if x.rank in ranks)
        raise ShapeError(
            f"mode `{mode}` does not support {plural(x.rank, 'spatial dimension')} ({x})",
            f"use one of {known}",
        )
    if align_corners is not None and mode.startswith("nearest"):
        raise ShapeError(f"mode `{mode}` has no corners to align", "remove `align_corners`")


class Upsample(Op):
    """Resizes the image by `scale`, or to `size`. For the size of a tensor, use `interpolate`."""

    size: Sizes | None = argument("size", None, none="by `scale`", many=True, high=4096)
    scale_factor: Sizes | None = argument(
        "size", None, none="by `size`", short="scale", many=True, high=4096
    )
    mode: str = argument("choice", "nearest", choices=tuple(MODES))
    align_corners: bool | None = argument("flag", None, none="`false`")

    key = "upsample"
    torch = "Upsample"
    attribute = "upsample"
    first = "scale"
    example = "- upsample: {scale: 2, mode: bilinear}"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        check_mode(self.mode, self.align_corners, x)
        if self.size is not None and self.scale_factor is None:
            return Shape(x.channels, ranked(self, self.size, x, "size"))
        if self.scale_factor is None or self.size is not None:
            both = "both `scale` and" if self.size is not None else "neither `scale` nor"
            raise ShapeError(f"`upsample` has {both} `size`", "use one of the two")
        scales = ranked(self, self.scale_factor, x, "scale")
        return Shape(x.channels, tuple(n * by for n, by in zip(x.spatial, scales, strict=True)))

    def strides(self) -> tuple[Real, ...] | None:
        if self.scale_factor is None:
            return None
        scales = self.scale_factor
        return tuple(Fraction(1, by) for by in (scales if isinstance(scales, tuple) else (scales,)))

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (TAPS.get(self.mode, 1),)

    def idle(self) -> str:
        return "`upsample` by 1 has no effect" if self.scale_factor == 1 else ""
