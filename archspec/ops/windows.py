"""What slides over an image: the arithmetic of windows, and the pools."""

from __future__ import annotations

from typing import ClassVar

from archspec.ir import Op, Shape, ShapeError, Sizes, argument, each, op
from archspec.ops.arriving import channels_first, ranked, reflects, spatial

SAME = "dilation * (kernel - 1) // 2 if kernel % 2 == 1 else 0"


SAME_UNDILATED = "(kernel - 1) // 2 if kernel % 2 == 1 else 0"


@op
class Window(Op):
    """What convolutions and pools share: a window that slides over the image."""

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        """Kernel, stride, padding, dilation, and whether sizes round up."""
        raise NotImplementedError

    def slide(self, x: Shape) -> tuple[int, ...]:
        """The spatial sizes that leave (torch's formula)."""
        spatial(self, x)
        *sizes, ceil_mode = self.windows()
        named = zip(("kernel", "stride", "padding", "dilation"), sizes, strict=True)
        columns = [ranked(self, value, x, name) for name, value in named]
        return tuple(
            self._step(size, window, ceil_mode, x)
            for size, window in zip(x.spatial, zip(*columns, strict=True), strict=True)
        )

    def _step(self, size: int, window: tuple[int, ...], up: bool, x: Shape) -> int:
        kernel, stride, pad, dilation = window
        reach = dilation * (kernel - 1) + 1
        room = size + 2 * pad - reach
        out = (-(-room // stride) if up else room // stride) + 1
        if out < 1:
            raise ShapeError(
                f"a window of {reach} does not fit the {size + 2 * pad} pixels it slides over"
                f" (input {x})",
                "make the input larger, or stride less ahead of this layer",
                rule="feature-map-vanishes",
            )
        return out - 1 if up and (out - 1) * stride >= size + pad else out

    def strides(self) -> tuple[int, ...]:
        stride = self.windows()[1]
        return stride if isinstance(stride, tuple) else (stride,)


@op
class Pool(Window):
    """What the pools share: channels stay, and padding is at most half the window."""

    kernel_size: Sizes = argument("size", short="kernel", many=True, high=4096)
    stride: Sizes | None = argument("size", None, many=True, high=4096)

    def step(self) -> Sizes:
        """The stride; the windows lie side by side where none is given."""
        return self.kernel_size if self.stride is None else self.stride

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
                    f"`{self.key}` pads {pad} pixels, more than half its window of {size}",
                    f"torch takes at most {size // 2}",
                )
        return Shape(x.channels, self.slide(x))


@op
class MaxPool(Pool):
    """The largest value of each window."""

    padding: Sizes = argument("count", 0, many=True, ours=SAME, high=4096)
    dilation: Sizes = argument("size", 1, many=True, high=4096)
    ceil_mode: bool = argument("flag", False)

    key: ClassVar[str] = "max_pool"
    torch: ClassVar[str] = "MaxPool{rank}d"
    attribute: ClassVar[str] = "maxpool"
    first: ClassVar[str | None] = "kernel"
    example: ClassVar[str] = "- max_pool: {kernel: 3, stride: 2}"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        return self.kernel_size, self.step(), self.padding, self.dilation, self.ceil_mode


@op
class AvgPool(Pool):
    """The mean of each window."""

    padding: Sizes = argument("count", 0, many=True, ours=SAME_UNDILATED, high=4096)
    ceil_mode: bool = argument("flag", False)
    count_include_pad: bool = argument("flag", True)

    key: ClassVar[str] = "avg_pool"
    torch: ClassVar[str] = "AvgPool{rank}d"
    attribute: ClassVar[str] = "avgpool"
    first: ClassVar[str | None] = "kernel"
    example: ClassVar[str] = "- avg_pool: 2"

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        return self.kernel_size, self.step(), self.padding, 1, self.ceil_mode

    def output(self, x: Shape) -> Shape:
        y = super().output(x)
        pairs = zip(each(self.kernel_size, x.rank), x.spatial, strict=True)
        if x.rank == 3 and any(kernel > size for kernel, size in pairs):
            raise ShapeError(
                f"torch's 3d `avg_pool` takes no window larger than its input, here {x}",
                "make the input larger, or stride less ahead of this layer",
                rule="feature-map-vanishes",
            )
        return y


@op
class AdaptiveAvgPool(Op):
    """The mean of as many equal windows as the output has pixels."""

    output_size: Sizes = argument("size", many=True, high=4096)

    key: ClassVar[str] = "adaptive_avg_pool"
    torch: ClassVar[str] = "AdaptiveAvgPool{rank}d"
    attribute: ClassVar[str] = "avgpool"
    resizes: ClassVar[bool] = True
    first: ClassVar[str | None] = "output_size"
    example: ClassVar[str] = "- adaptive_avg_pool: [7, 7]"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return Shape(x.channels, ranked(self, self.output_size, x, "output_size"))


@op
class GlobalAvgPool(Op):
    """The mean of each channel; sizes of 1 stay."""

    output_size: Sizes = argument("fixed", 1)

    key: ClassVar[str] = "global_avg_pool"
    torch: ClassVar[str] = "AdaptiveAvgPool{rank}d"
    attribute: ClassVar[str] = "avgpool"
    resizes: ClassVar[bool] = True

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        return Shape(x.channels, (1,) * x.rank)


@op
class BlurPool(Op):
    """A fixed binomial filter of each channel, then the stride (Zhang, 2019)."""

    channels: int = argument("arrives")
    kernel_size: int = argument("size", 3, short="kernel", low=2, high=7)
    stride: int = argument("size", 2, high=4096)
    dims: int = argument("dims", 2)

    key: ClassVar[str] = "blur_pool"
    torch: ClassVar[str] = "BlurPool"
    attribute: ClassVar[str] = "blurpool"
    example: ClassVar[str] = "- blur_pool: {kernel: 5}"

    def output(self, x: Shape) -> Shape:
        spatial(self, x)
        pad = (self.stride - 1 + self.kernel_size - 1) // 2
        for size in x.spatial:
            reflects(self, size - 1, pad, x)
        reach = 2 * pad - self.kernel_size
        return Shape(x.channels, tuple((n + reach) // self.stride + 1 for n in x.spatial))

    def strides(self) -> tuple[int, ...]:
        return (self.stride,)
