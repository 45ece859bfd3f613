"""Learned constants."""

from archspec.ir import Op, Shape, ShapeError, Sizes, argument


class Parameter(Op):
    """A learned constant with torch's shape, with or without a leading 1 for the batch.

    It reads no input, is an `nn.Parameter` of the class under its `name`, and is initialized by
    `init`.
    """

    shape: Sizes = argument("size", many=True)

    key = "parameter"
    torch = "Parameter"
    attribute = "parameter"
    first = "shape"
    leaves = "shape"
    weighted = True
    learned = ("weight",)
    constant = True
    example = "- scale: [{parameter: [64, 1, 1], name: layer_scale, init: {constant: 1e-6}}]"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Its shape as a tuple."""
        return self.shape if isinstance(self.shape, tuple) else (self.shape,)

    def output(self, x: Shape) -> Shape:
        sizes = self.sizes
        if len(sizes) == x.rank + 2 and sizes[0] == 1:
            sizes = sizes[1:]
        if len(sizes) != x.rank + 1:
            ones = ["1"] * x.rank
            usual = ", ".join([*ones, "channels"] if x.last else ["channels", *ones])
            raise ShapeError(
                f"the parameter is {' x '.join(map(str, self.sizes))}, but the input is {x}",
                f"use the dimensions of the input: `parameter: [{usual}]`",
            )
        if x.last:
            return Shape(sizes[-1], sizes[:-1], last=True)
        return Shape(sizes[0], sizes[1:])

    def place_of_channels(self, y: Shape) -> int:
        return -1 if y.last else len(self.sizes) - y.rank - 1

    def weights(self) -> dict[str, tuple[int, ...]]:
        return {"weight": self.sizes}

    def saved(self, path: str) -> dict[str, tuple[int, ...]]:
        return {path: self.sizes}
