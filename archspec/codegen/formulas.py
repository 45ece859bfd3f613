"""The body of a class as a formula on one line."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.codegen.layout import WIDTH
from archspec.expression import Expr, source
from archspec.ir import Apply, Attend, Body, Constant, Interpolate, Method, Reader, run
from archspec.ir.classes import Class


class _Formula(Reader[str]):
    """The reader whose `x` is a formula. Named tensors have separate formulas."""

    def __init__(self) -> None:
        self.where: list[str] = []

    def apply(self, layer: Apply, x: str, others: Sequence[str]) -> str:
        return f"{layer.layer}({', '.join(map(_bare, (x, *others)))})"

    def constant(self, layer: Constant, x: str) -> str:
        return layer.layer

    def unpack(self, x: str, names: tuple[str, ...]) -> list[str]:
        listed = [name or "_" for name in names]
        self.where.append(f"{', '.join(listed)} = {x}")
        return listed

    def share(self, x: str, branches: tuple[Body, ...]) -> str:
        """A text too long for any line is cut; otherwise sums of sums would keep doubling it."""
        return x[: WIDTH + 1]

    def add(self, values: list[str], flag: str) -> str:
        joined = " + ".join(values)
        return f"{joined}, or {_bare(values[0])}" if flag else f"({joined})"

    def multiply(self, values: list[str]) -> str:
        return " * ".join(values)

    def concat(self, values: list[str], dim: int) -> str:
        return f"[{', '.join(map(_bare, values))}]"

    def split(self, x: str, parts: int, sizes: tuple[Expr, ...]) -> list[str]:
        return [f"{_bare(x)}[{part}]" for part in range(parts)]

    def slice(self, x: str, start: Expr, stop: Expr) -> str:
        return f"{x}[{source(start)}:{source(stop)}]"

    def interpolate(self, how: Interpolate, x: str, like: str) -> str:
        return f"interpolate({_bare(x)}, {like})"

    def attend(self, layer: Attend, x: str) -> str:
        return f"{layer.layer}({_bare(x)})"

    def method(self, how: Method, x: str) -> str:
        return method(how, x)

    def save(self, x: str, name: str) -> str:
        if x != name:
            self.where.append(f"{name} = {_bare(x)}")
        return name

    def give(self, values: list[str]) -> str:
        return ", ".join(map(_bare, values))


def method(how: Method, x: str) -> str:
    """A method of `x`."""
    if how.name == "select":
        return f"{x}[{':, ' * how.arguments[0]}{how.arguments[1]}]"
    arguments = [*map(str, how.arguments), *(["keepdim=True"] if how.keepdim else [])]
    return f"{x}.{how.name}({', '.join(arguments)})"


def _bare(x: str) -> str:
    """Without brackets around the whole formula."""
    if not (x.startswith("(") and x.endswith(")")):
        return x
    depth = 0
    for place, sign in enumerate(x):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and place < len(x) - 1:
            return x
    return x[1:-1]


def formula(cls: Class) -> str:
    """What the class computes, on one line."""
    reader = _Formula()
    named = {name: name for name in cls.inputs}
    whole = _bare(run(cls.evaluated, "x", reader, named))
    return f"{whole} where {', '.join(reader.where)}" if reader.where else whole
