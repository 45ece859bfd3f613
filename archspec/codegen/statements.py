"""The computation of a body, as statements."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from archspec.codegen.containers import reached
from archspec.codegen.formulas import method
from archspec.codegen.grouped import Grouped
from archspec.codegen.layout import STEP, WIDTH, CallText, KeywordText, flat, lines
from archspec.expression import Expr, Name, Number, new_name, source, substitute
from archspec.ir import Apply, Attend, Body, Constant, Interpolate, Method, Reader
from archspec.ir.classes import Class, New
from archspec.ir.fold import reads_alone
from archspec.ir.liveness import saved
from archspec.records import Record

INDENT = STEP * 2
NAMES = ("y", "z", "u", "v", "w")
LONGEST = 20  # the variable of an output with a longer name has a short one
RESERVED = frozenset({"x", "self", "torch", "F"})


class Code(Record):
    """An expression; its result may overwrite `variable`."""

    text: str
    variable: str | None
    sign: str = ""  # the operator, if the text is a sum or a product
    tuple: bool = False

    @property
    def name(self) -> bool:
        return self.text.removeprefix("self.").isidentifier()


class Statements(Reader[Code]):
    """The reader whose `x` is source text. A statement ends at an activation."""

    def __init__(self, cls: Class, network: bool) -> None:
        self.cls, self.layers = cls, cls.applied
        self.grouped = Grouped(cls if network else None)
        self.lines: list[str] = []
        self.shared: list[tuple[str | None, set[str]]] = []
        self.variables = _variables(cls)
        self.kept = {*self.variables.values(), *cls.inputs}  # names that no other variable may have
        self.pinned: set[str] = set()  # variables that a named tensor is read from
        self.live: set[str] = {"x"}
        self.indent = len(INDENT)

    def forked(self) -> Statements:
        """The same, one level deeper, for statements that end in a `return`."""
        other = copy.copy(self)
        other.lines, other.shared, other.indent = [], [], self.indent + len(STEP)
        other.pinned, other.live = set(self.pinned), set(self.live)
        return other

    # Statements

    def assign(self, x: Code) -> Code:
        """`x` in a variable."""
        return x if x.name else self._copied(x)

    def _copied(self, x: Code) -> Code:
        """`x` in a variable that may be overwritten."""
        variable = x.variable
        if variable is None or variable in self.pinned:
            variable = self.fresh()
        self.lines.append(f"{variable} = {x.text}")
        return Code(variable, variable)

    def fresh(self) -> str:
        number = 1
        while True:
            for name in NAMES:
                name = name if number == 1 else f"{name}{number}"
                if name not in self.live and name not in self.kept:
                    self.live.add(name)
                    return name
            number += 1

    def assigned(self, name: str, text: str) -> bool:
        """Whether it fits on a line of its own."""
        return self.indent + len(f"{name} = {text}") <= WIDTH

    def fits(self, text: str) -> bool:
        return self.indent + len("return ") + len(text) <= WIDTH

    # The reader

    def apply(self, layer: Apply, x: Code, others: Sequence[Code]) -> Code:
        rest = "".join(f", {other.text}" for other in others)
        text = f"{self.called(layer.layer)}({x.text}{rest})"
        if self.grouped.begins(layer.layer, x.text) or not self.fits(text):
            x = self.assign(x)
            text = f"{self.called(layer.layer)}({x.text}{rest})"
        if not self.fits(text) and x.text != x.variable:
            x = self._copied(x)
            text = f"{self.called(layer.layer)}({x.text}{rest})"
        y = Code(text, x.variable)
        if others and not self.fits(text):
            return self._tall_call(layer, x, others)
        if layer.outputs:
            return y
        ends = self.grouped.ends(layer) or self._activation(layer.layer)
        return self.assign(y) if ends else y

    def called(self, name: str) -> str:
        """A layer as `forward` accesses it."""
        return reached(name, self.cls)

    def constant(self, layer: Constant, x: Code) -> Code:
        if not layer.dims:
            return Code(f"self.{layer.layer}", None)
        x = self.assign(x)
        whole = f"self.{layer.layer}.expand({x.text}.shape[0]{', -1' * layer.dims})"
        return Code(whole, x.variable)

    def _tall_call(self, layer: Apply, x: Code, others: Sequence[Code]) -> Code:
        """A call on several lines."""
        variable = self.fresh()
        call = CallText(self.called(layer.layer), (x.text, *(other.text for other in others)))
        self._assign_tall(variable, call)
        return Code(variable, None)

    def _assign_tall(self, variable: str, call: CallText) -> None:
        indent = " " * self.indent
        made = lines(call, indent, f"{variable} = ")
        self.lines += [line.removeprefix(indent) for line in made]

    def unpack(self, x: Code, names: tuple[str, ...]) -> list[Code]:
        variables = [self.variables[name] if name else "_" for name in names]
        if not self.assigned(", ".join(variables), x.text):
            x = self.assign(x)
            self.pinned.add(x.text)
        if not self.assigned(", ".join(variables), x.text):
            return [Code(f"{x.text}[{place}]", None) for place in range(len(names))]
        self.lines.append(f"{', '.join(variables)} = {x.text}")
        return [Code(variable, None) for variable in variables]

    def _activation(self, name: str) -> bool:
        new = self.layers[name]
        if not isinstance(new, New) or isinstance(new.what, Class):
            return False
        return isinstance(new.what, Name) or new.what.activation

    def share(self, x: Code, branches: tuple[Body, ...]) -> Code:
        alone = reads_alone(branches)
        x = x if alone else self.assign(x)
        self.shared.append((x.variable, set(self.live)))
        return x if alone else Code(x.text, None)

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

    def add(self, values: list[Code], flag: str) -> Code:
        if not flag:
            return self._operation(values, "+")
        first, *rest = values
        first = self.assign(first)
        joined = _operation([first, *rest], "+")
        return self._joined(f"{joined} if self.{flag} else {first.text}", "if")

    def multiply(self, values: list[Code]) -> Code:
        *first, last = values
        return self._operation([*first, self._gate(last, first)], "*")

    def _gate(self, x: Code, others: list[Code]) -> Code:
        """A last factor without its variable, if it is a call."""
        last = f"{x.text} = self."
        free = x.text not in {*self.pinned, *(other.text for other in others)}
        if not (x.name and free and self.lines and self.lines[-1].startswith(last)):
            return x
        text = self.lines[-1].removeprefix(f"{x.text} = ")
        joined = " * ".join([*(f"({one.text})" for one in others), text])
        if not text.endswith(")") or not self.fits(joined):
            return x
        del self.lines[-1]
        return Code(text, x.variable)

    def concat(self, values: list[Code], dim: int) -> Code:
        text = ", ".join(value.text for value in values)
        if not self.fits(f"torch.cat([{text}], {dim})"):
            text = ", ".join(self.assign(value).text for value in values)
        return self._joined(f"torch.cat([{text}], {dim})")

    def split(self, x: Code, parts: int, sizes: tuple[Expr, ...]) -> list[Code]:
        x = self.assign(x) if x.sign else x
        self.shared.append((x.variable, set(self.live)))
        how = f"split([{', '.join(map(_own, sizes))}], 1)" if sizes else f"chunk({parts}, 1)"
        names = [self.fresh() for _ in range(parts)]
        if not self.assigned(", ".join(names), f"{x.text}.{how}"):
            x = self.assign(x)
        self.lines += self._parted(names, f"{x.text}.{how}")
        return [Code(name, name) for name in names]

    def _parted(self, names: list[str], text: str) -> list[str]:
        """Several variables at once, as `ruff format` formats them."""
        if self.assigned(", ".join(names), text):
            return [f"{', '.join(names)} = {text}"]
        return ["(", *(f"{STEP}{name}," for name in names), f") = {text}"]

    def slice(self, x: Code, start: Expr, stop: Expr) -> Code:
        ends = "" if start == Number(0) else _own(start), _own(stop)
        simple = all(isinstance(end, Number) for end in (start, stop))
        text = f"[:, {':'.join(ends) if simple else ' : '.join(ends).lstrip()}]"
        if x.sign or not self.fits(x.text + text):
            x = self.assign(x)
        return replace(x, text=x.text + text, sign="")

    def interpolate(self, how: Interpolate, x: Code, like: Code) -> Code:
        if not self.fits(flat(_interpolated(how, x, like))):
            x = self.assign(x)
        call = _interpolated(how, x, like)
        if self.fits(flat(call)):
            return Code(flat(call), x.variable)
        variable = self.fresh()
        self._assign_tall(variable, call)
        return Code(variable, variable)

    def attend(self, layer: Attend, x: Code) -> Code:
        x = self.assign(x)
        three = ", ".join([x.text] * 3)
        text = f"{self.called(layer.layer)}({three}, need_weights=False)[0]"
        return Code(text, x.variable)

    def method(self, how: Method, x: Code) -> Code:
        if x.sign or not self.fits(method(how, x.text)):
            x = self.assign(x)
        return replace(x, text=method(how, x.text))

    def unsqueeze(self, x: Code, count: int) -> Code:
        nones = ", None" * count
        if x.sign or not self.fits(f"{x.text}[:, :{nones}]"):
            x = self.assign(x)
        return replace(x, text=f"{x.text}[:, :{nones}]")

    def save(self, x: Code, name: str) -> Code:
        """`x` in a variable with that name, which nothing overwrites."""
        variable, last = self.variables[name], f"{x.text} = "
        text = x.text
        if x.name:
            if x.text != x.variable or not (self.lines and self.lines[-1].startswith(last)):
                self.pinned.add(x.text)
                return Code(x.text, None)
            text = self.lines[-1].removeprefix(last)
            if not self.assigned(variable, text):
                self.pinned.add(x.text)
                return Code(x.text, None)
            del self.lines[-1]
        elif not self.assigned(variable, text):
            return self.save(self.assign(x), name)
        self.lines.append(f"{variable} = {text}")
        return Code(variable, None if x.variable in self.pinned else x.variable)

    def give(self, values: list[Code]) -> Code:
        if len(values) == 1:
            return values[0]
        return Code(", ".join(value.text for value in values), None, tuple=True)


def _variables(cls: Class) -> dict[str, str]:
    """The variable of each named tensor: its name, or a short one if that is long."""
    variables: dict[str, str] = {}
    taken = {*RESERVED, *cls.inputs}
    for name in dict.fromkeys(saved(cls.body)):
        plain = name.replace(".", "_").replace("-", "_")
        word = plain if len(plain) <= LONGEST and plain.isidentifier() else "t"
        variables[name] = new_name(word, taken)
        taken.add(variables[name])
    return variables


def _interpolated(how: Interpolate, x: Code, like: Code) -> CallText:
    given = {"size": f"{like.text}.shape[-{how.rank}:]"}
    if how.mode != "nearest":  # torch's default
        given["mode"] = f'"{how.mode}"'
    if how.align_corners is not None:
        given["align_corners"] = str(how.align_corners)
    named = tuple(KeywordText(key, text) for key, text in given.items())
    return CallText("F.interpolate", (x.text, *named))


def _operation(values: list[Code], sign: str) -> str:
    """Left to right, as the interpreter adds: floating-point sums depend on their order."""

    def text(place: int, code: Code) -> str:
        brackets = (code.sign == "+" != sign) or (place and code.sign == sign)
        return f"({code.text})" if brackets else code.text

    return f" {sign} ".join(text(place, code) for place, code in enumerate(values))


def _own(size: Expr) -> str:
    """A size in the module's own numbers."""
    return source(substitute(size, lambda name: Name(f"self.{name.id}")) or size)
