"""The body of a class as the statements of its `forward`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archspec.codegen.layout import STEP, WIDTH
from archspec.expression import Name
from archspec.ir import Apply, Class, New, Sequential, run

INDENT = STEP * 2
NAMES = ("y", "z", "u", "v", "w")


@dataclass(frozen=True, slots=True)
class Code:
    """An expression; `variable` may be overwritten with what comes of it."""

    text: str
    variable: str | None
    sum: bool = False

    @property
    def name(self) -> bool:
        return self.text.isidentifier()


class _Statements:
    """The reader whose `x` is source text. A statement ends at an activation."""

    def __init__(self, cls: Class, network: bool) -> None:
        self.layers = {layer.name: layer.new for layer in cls.layers}
        self.network = network
        self.lines: list[str] = []
        self.shared: list[tuple[str | None, set[str]]] = []
        self.live: set[str] = {"x"}
        self.torch = False

    # Statements

    def assign(self, x: Code) -> Code:
        """`x` in a variable."""
        if x.name:
            return x
        variable = x.variable or self.fresh()
        self.lines.append(f"{variable} = {x.text}")
        return Code(variable, variable)

    def fresh(self) -> str:
        number = 1
        while True:
            for name in NAMES:
                name = name if number == 1 else f"{name}{number}"
                if name not in self.live:
                    self.live.add(name)
                    return name
            number += 1

    def fits(self, text: str) -> bool:
        return len(INDENT) + len("return ") + len(text) <= WIDTH

    # The reader

    def apply(self, layer: Apply, x: Code) -> Code:
        alone = self.network and self._composite(layer.layer)
        text = f"self.{layer.layer}({x.text})"
        if alone or not self.fits(text):
            x = self.assign(x)
            text = f"self.{layer.layer}({x.text})"
        y = Code(text, x.variable)
        return self.assign(y) if alone or self._activation(layer.layer) else y

    def _activation(self, name: str) -> bool:
        new = self.layers[name]
        return isinstance(new, New) and not isinstance(new.what, Class) and new.what.activation

    def _composite(self, name: str) -> bool:
        new = self.layers[name]
        return isinstance(new, Sequential) or (isinstance(new, New) and isinstance(new.what, Class))

    def share(self, x: Code) -> Code:
        x = self.assign(x)
        self.shared.append((x.variable, set(self.live)))
        return Code(x.text, None)

    def hold(self, x: Code) -> Code:
        return self.assign(x)

    def _joined(self, text: str, sum: bool = False) -> Code:
        variable, live = self.shared.pop()
        self.live = live
        return Code(text, variable, sum)

    def _operands(self, values: list[Code], sign: str, brackets: bool) -> str:
        def text(code: Code) -> str:
            return f"({code.text})" if brackets and code.sum else code.text

        joined = sign.join(map(text, values))
        if not self.fits(joined):
            joined = sign.join(text(self.assign(value)) for value in values)
        return joined

    def add(self, values: list[Code]) -> Code:
        return self._joined(self._operands(values, " + ", False), sum=True)

    def multiply(self, values: list[Code]) -> Code:
        return self._joined(self._operands(values, " * ", True))

    def concat(self, values: list[Code]) -> Code:
        self.torch = True
        text = ", ".join(value.text for value in values)
        if not self.fits(f"torch.cat([{text}], 1)"):
            text = ", ".join(self.assign(value).text for value in values)
        return self._joined(f"torch.cat([{text}], 1)")

    def split(self, x: Code, parts: int) -> list[Code]:
        self.shared.append((x.variable, set(self.live)))
        names = [self.fresh() for _ in range(parts)]
        self.lines.append(f"{', '.join(names)} = {x.text}.chunk({parts}, 1)")
        return [Code(name, name) for name in names]

    def unsqueeze(self, x: Code, count: int) -> Code:
        nones = ", None" * count
        if x.sum or not self.fits(f"{x.text}[:, :{nones}]"):
            x = self.assign(x)
        return replace(x, text=f"{x.text}[:, :{nones}]")


def forward(cls: Class, network: bool) -> tuple[list[str], bool]:
    """The statements, and whether they use `torch` itself."""
    reader = _Statements(cls, network)
    result = run(cls.body, Code("x", "x"), reader)
    lines = reader.lines
    last = f"{result.text} = "
    if result.name and lines and lines[-1].startswith(last):
        text = lines[-1].removeprefix(last)
        if reader.fits(text):
            return [*lines[:-1], f"return {text}"], reader.torch
    return [*lines, f"return {result.text}"], reader.torch


class _Formula:
    """The reader whose `x` is a formula."""

    def apply(self, layer: Apply, x: str) -> str:
        return f"{layer.layer}({_bare(x)})"

    def share(self, x: str) -> str:
        return x

    def hold(self, x: str) -> str:
        return x

    def add(self, values: list[str]) -> str:
        return f"({' + '.join(values)})"

    def multiply(self, values: list[str]) -> str:
        return " * ".join(values)

    def concat(self, values: list[str]) -> str:
        return f"[{', '.join(map(_bare, values))}]"

    def split(self, x: str, parts: int) -> list[str]:
        return [f"{_bare(x)}[{part}]" for part in range(parts)]

    def unsqueeze(self, x: str, count: int) -> str:
        return x


def _bare(x: str) -> str:
    """Without the brackets of a sum around the whole."""
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
    return _bare(run(cls.body, "x", _Formula()))


__all__ = ["Name", "formula", "forward"]
