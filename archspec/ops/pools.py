"""Pools of windows, and of whole images."""

import math

from archspec.diagnostics import plural
from archspec.ir import Op, Real, Shape, ShapeError, Sizes, argument, each
from archspec.ops.arriving import channels_first, ranked, reflects, spatial
from archspec.ops.windows import SAME, SAME_UNDILATED, Window


class Pool(Window):
    """The base of pools: the channels stay, and padding is at most half the window."""

    def output(self, x: Shape) -> Shape:
        channels_first(self, x)
        kernel, _, padding, *_ = self.windows()
        spatial(self, x)
        pairs = zip(
            ranked(self, kernel, x, "kernel"),
            ranked(self, padding, x, "padding"),
            strict=True,
        )
        for size, pad in pairs:
            if 2 * pad > size:
                raise ShapeError(
                    f"`{self.key}` pads {plural(pad, 'pixel')}, more than half of its window of "
                    f"{size}",
                    f"the maximum is {size // 2}",
                )
        return Shape(x.channels, self.slide(x))

    def in_3d(self, x: Shape) -> None:
        """Torch's 3d mean requires windows that are inside its input."""
        pairs = zip(each(self.windows()[0], x.rank), x.spatial, strict=True)
        if x.rank == 3 and any(kernel > size for kernel, size in pairs):
            raise ShapeError(
                f"the window of torch's 3d `{self.key}` must not be larger than its input, "
                f"here {x}",
                "use a smaller window, a larger input, or smaller strides in earlier layers",
                rule="feature-map-vanishes",
            )


class PaddedPool(Pool):
    """The base of pools that pad the image."""

    kernel_size: Sizes = argument("size", short="kernel", many=True, high=4096)
    stride: Sizes | None = argument("size", None, none="the kernel", many=True, high=4096)

    def step(self) -> Sizes:
        """The stride; by default, the size of the window."""
        return self.kernel_size if self.stride is None else self.stride

    def idle(self) -> str:
        alone = self.windows()[:3] == (1, 1, 0)
        return f"`{self.key}` of one pixel and stride 1 has no effect" if alone else ""


class MaxPool(PaddedPool):
    """The maximum of each window."""

    padding: Sizes = argument("count", 0, many=True, ours=SAME, high=4096)
    dilation: Sizes = argument("size", 1, many=True, high=4096)
    ceil_mode: bool = argument("flag", False)

    key = "max_pool"
    torch = "MaxPool{rank}d"
    attribute = "maxpool"
    first = "kernel"
    example = "- max_pool: {kernel: 3, stride: 2}"
    keeps = "x"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        return self.kernel_size, self.step(), self.padding, self.dilation, self.ceil_mode

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return 8 * y.elements  # the indices of the maxima


class AvgPool(PaddedPool):
    """The mean of each window."""

    padding: Sizes = argument("count", 0, many=True, ours=SAME_UNDILATED, high=4096)
    ceil_mode: bool = argument("flag", False)
    count_include_pad: bool = argument("flag", True)

    key = "avg_pool"
    torch = "AvgPool{rank}d"
    attribute = "avgpool"
    first = "kernel"
    example = "- avg_pool: 2"
    keeps = "x"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        return self.kernel_size, self.step(), self.padding, 1, self.ceil_mode

    def output(self, x: Shape) -> Shape:
        y = super().output(x)
        self.in_3d(x)
        return y


class LPPool(Pool):
    """The norm of each window: 1 is the sum, 2 the root of the sum of squares."""

    norm_type: Real = argument("real", low=1)
    kernel_size: Sizes = argument("size", short="kernel", many=True, high=4096)
    stride: Sizes | None = argument("size", None, none="the kernel", many=True, high=4096)
    ceil_mode: bool = argument("flag", False)

    key = "lp_pool"
    torch = "LPPool{rank}d"
    attribute = "lppool"
    first = "kernel"
    example = "- lp_pool: {norm_type: 2, kernel: 2}"
    keeps = "x"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        stride = self.kernel_size if self.stride is None else self.stride
        return self.kernel_size, stride, 0, 1, self.ceil_mode

    def output(self, x: Shape) -> Shape:
        y = super().output(x)
        self.in_3d(x)
        if x.rank == 1 and isinstance(self.kernel_size, tuple):
            raise ShapeError(
                "torch's 1d `lp_pool` does not accept a list as its kernel", "use one number"
            )
        return y

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return width * (x.elements + 4 * y.elements)


class AdaptivePool(Op):
    """The base of pools with one window per output pixel."""

    output_size: Sizes = argument("size", many=True, high=4096)

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return Shape(x.channels, ranked(self, self.output_size, x, "output_size"))

    def strides(self) -> None:
        return None

    def reach(self, x: Shape) -> tuple[float, ...]:
        pairs = zip(x.spatial, each(self.output_size, x.rank), strict=True)
        return tuple(_window(size, windows) for size, windows in pairs)


def _window(size: int, windows: int) -> float:
    """The largest window when `size` pixels are divided among them."""
    if windows == 1 < size:
        return math.inf
    return -(-size // windows) + (size % windows > 0)


class AdaptiveAvgPool(AdaptivePool):
    """The mean of as many equal windows as the output has pixels."""

    key = "adaptive_avg_pool"
    torch = "AdaptiveAvgPool{rank}d"
    attribute = "avgpool"
    first = "output_size"
    example = "- adaptive_avg_pool: [7, 7]"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return 0 if {*y.spatial} == {1} else width * x.elements


class AdaptiveMaxPool(AdaptivePool):
    """The maximum of as many equal windows as the output has pixels."""

    key = "adaptive_max_pool"
    torch = "AdaptiveMaxPool{rank}d"
    attribute = "maxpool"
    first = "output_size"
    example = "- adaptive_max_pool: [7, 7]"
    keeps = "x"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return 8 * y.elements  # the indices of the maxima


class GlobalPool(AdaptivePool):
    """The base of pools that output one pixel."""

    output_size: Sizes = argument("fixed", 1)


class GlobalAvgPool(GlobalPool):
    """The mean of each channel; the dimensions stay, with size 1."""

    key = "global_avg_pool"
    torch = "AdaptiveAvgPool{rank}d"
    attribute = "avgpool"


class GlobalMaxPool(GlobalPool):
    """The maximum of each channel; the dimensions stay, with size 1."""

    key = "global_max_pool"
    torch = "AdaptiveMaxPool{rank}d"
    attribute = "maxpool"
    keeps = "x"

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        return 8 * y.elements  # the indices of the maxima


class BlurPool(Op):
    """A fixed binomial filter of each channel, then the stride (Zhang, 2019)."""

    channels: int = argument("arrives")
    kernel_size: int = argument("size", 3, short="kernel", low=2, high=7)
    stride: int = argument("size", 2, high=4096)
    dims: int = argument("dims", 2)

    key = "blur_pool"
    torch = "BlurPool"
    attribute = "blurpool"
    example = "- blur_pool: {kernel: 5}"
    keeps = "x"
    autocast = "full"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        pad = (self.stride - 1 + self.kernel_size - 1) // 2
        for size in x.spatial:
            reflects(self, size - 1, pad, x)
        reach = 2 * pad - self.kernel_size
        return Shape(x.channels, tuple((n + reach) // self.stride + 1 for n in x.spatial))

    def strides(self) -> tuple[Real, ...]:
        return (self.stride,)

    def reach(self, x: Shape) -> tuple[float, ...]:
        return (self.kernel_size,)

    def kept(self, x: Shape, y: Shape, width: int) -> int:
        pad = (self.stride - 1 + self.kernel_size - 1) // 2
        return width * x.channels * math.prod(n + 2 * pad for n in x.spatial)
