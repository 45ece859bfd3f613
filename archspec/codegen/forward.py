"""The body of a class as the statements of its `forward`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archspec.codegen.layout import STEP, WIDTH
from archspec.ir import Apply, Class, New, Sequential, run

INDENT = STEP * 2
NAMES = ("y", "z", "u", "v", "w")
LONGEST = 20  # the variable of an output with a longer name has a short one
RESERVED = frozenset({*NAMES, "self", "torch"})


@dataclass(frozen=True, slots=True)
class Code:
    """An expression; `variable` may be overwritten with what comes of it."""

    text: str
    variable: str | None
    sign: str = ""  # the operator, where the text is a sum or a product
    tuple: bool = False

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
        return x if x.name else self._copied(x)

    def _copied(self, x: Code) -> Code:
        """`x` in a variable that may be overwritten."""
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
        if not self.fits(text) and x.text != x.variable:
            x = self._copied(x)
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

    def _joined(self, text: str, sign: str = "") -> Code:
        variable, live = self.shared.pop()
        self.live = live
        return Code(text, variable, sign)

    def _operation(self, values: list[Code], sign: str) -> Code:
        joined = _operation(values, sign)
        if not self.fits(joined):
            joined = _operation([self.assign(value) for value in values], sign)
        return self._joined(joined, sign)

    def add(self, values: list[Code]) -> Code:
        return self._operation(values, "+")

    def multiply(self, values: list[Code]) -> Code:
        return self._operation(values, "*")

    def concat(self, values: list[Code]) -> Code:
        self.torch = True
        text = ", ".join(value.text for value in values)
        if not self.fits(f"torch.cat([{text}], 1)"):
            text = ", ".join(self.assign(value).text for value in values)
        return self._joined(f"torch.cat([{text}], 1)")

    def split(self, x: Code, parts: int) -> list[Code]:
        x = self.assign(x) if x.sign else x
        self.shared.append((x.variable, set(self.live)))
        names = [self.fresh() for _ in range(parts)]
        self.lines.append(f"{', '.join(names)} = {x.text}.chunk({parts}, 1)")
        return [Code(name, name) for name in names]

    def unsqueeze(self, x: Code, count: int) -> Code:
        nones = ", None" * count
        if x.sign or not self.fits(f"{x.text}[:, :{nones}]"):
            x = self.assign(x)
        return replace(x, text=f"{x.text}[:, :{nones}]")

    def tap(self, x: Code, name: str) -> Code:
        """`x` in a variable of that name, which nothing overwrites."""
        name = self._unused(name)
        last = f"{x.text} = "
        text = x.text
        if x.text == x.variable and self.lines and self.lines[-1].startswith(last):
            text = self.lines[-1].removeprefix(last)
            if self._assigned(name, text):
                del self.lines[-1]
            else:
                text = x.text
        elif not self._assigned(name, text):
            text = self.assign(x).text
        self.lines.append(f"{name} = {text}")
        return Code(name, x.variable)

    def _unused(self, name: str) -> str:
        if len(name) > LONGEST:
            return self.fresh()
        while name in self.live or name in RESERVED:
            name += "_"
        self.live.add(name)
        return name

    def _assigned(self, name: str, text: str) -> bool:
        return len(f"{INDENT}{name} = {text}") <= WIDTH

    def collect(self, values: list[Code]) -> Code:
        return Code(", ".join(value.text for value in values), None, tuple=True)


def _operation(values: list[Code], sign: str) -> str:
    """Left to right, as the interpreter adds: floating-point sums depend on their order."""

    def text(place: int, code: Code) -> str:
        brackets = (code.sign == "+" != sign) or (place and code.sign == sign)
        return f"({code.text})" if brackets else code.text

    return f" {sign} ".join(text(place, code) for place, code in enumerate(values))


def forward(cls: Class, network: bool) -> tuple[list[str], bool]:
    """The statements, and whether they use `torch` itself."""
    reader = _Statements(cls, network)
    result = run(cls.body, Code("x", "x"), reader)
    lines = reader.lines
    if result.tuple:
        return [*lines, *_returned(result.text.split(", "))], reader.torch
    last = f"{result.text} = "
    if result.name and lines and lines[-1].startswith(last):
        text = lines[-1].removeprefix(last)
        if reader.fits(text):
            return [*lines[:-1], f"return {text}"], reader.torch
    return [*lines, f"return {result.text}"], reader.torch


def _returned(names: list[str]) -> list[str]:
    """A tuple as `ruff format` lays it out."""
    text = f"{', '.join(names)}" if len(names) > 1 else f"({names[0]},)"
    if len(f"{INDENT}return {text}") <= WIDTH:
        return [f"return {text}"]
    return ["return (", *(f"{STEP}{name}," for name in names), ")"]


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

    def tap(self, x: str, name: str) -> str:
        return x

    def collect(self, values: list[str]) -> str:
        return f"({', '.join(map(_bare, values))})"


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
