"""The arithmetic of windows that slide over an image."""

from archspec.ir import Op, Real, Shape, ShapeError, Sizes, each
from archspec.ops.arriving import ranked, spatial

SAME = "dilation * (kernel - 1) // 2 if kernel % 2 == 1 else 0"


SAME_UNDILATED = "(kernel - 1) // 2 if kernel % 2 == 1 else 0"


class Window(Op):
    """The base of convolutions and pools: a window that slides over the image."""

    def windows(self) -> tuple[Sizes, Sizes, Sizes, Sizes, bool]:
        """Kernel, stride, padding, dilation, and whether sizes are rounded up."""
        raise NotImplementedError

    def slide(self, x: Shape) -> tuple[int, ...]:
        """The output's spatial sizes (torch's formula)."""
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
                f"a window of {reach} is larger than its padded input of {size + 2 * pad} "
                f"(input {x})",
                "use a smaller window, a larger input, or smaller strides in earlier layers",
                rule="feature-map-vanishes",
            )
        return out - 1 if up and (out - 1) * stride >= size + pad else out

    def strides(self) -> tuple[Real, ...]:
        stride = self.windows()[1]
        return stride if isinstance(stride, tuple) else (stride,)

    def reach(self, x: Shape) -> tuple[float, ...]:
        kernel, _, _, dilation, _ = self.windows()
        pairs = zip(each(kernel, x.rank), each(dilation, x.rank), strict=True)
        return tuple(step * (size - 1) + 1 for size, step in pairs)
