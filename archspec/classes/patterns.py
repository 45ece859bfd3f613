"""What sequences of layers share: the class that they become, and a call for each.

Differences become arguments: channels, sizes, the class of the activation. A sequence without a
final activation ends in `nn.Identity`. Words and fractions must be the same in all.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.classes.feeds import FLOW
from archspec.classes.printed import with_formulas
from archspec.expand.naming import camel
from archspec.expression import Binary, Expr, Name, Number, names, simplify, source
from archspec.ir import Chain, OpField, fields_of
from archspec.ir.classes import Class, Layer, New, Parameter, Reference, Sequential
from archspec.ir.construction import call
from archspec.ops.others import Identity

SIZES = ("arrives", "size", "count")
NEUTRAL = {"stride": 1, "groups": 1, "dilation": 1, "padding": 0}  # the defaults of parameters
ACTIVATION = "activation"
CLASS = 7  # lines of a class around its layers, and the lines that a class must save
LINE = 70  # a layer in a sequence, without its indentation
WORDS = {"conv": "a convolution", "linear": "a linear layer"}


def kinds_of(sequence: Sequential) -> tuple[Any, ...]:
    """Equal for sequences that may be one class; nothing for a sequence that is left as it is.

    The first is the inline block that they are, if their layers give no good name.
    """
    kinds = [*map(_kind, sequence.children)]
    projections = [kind for kind in kinds if kind and getattr(kind[0], "projects", False)]
    block = sequence.block if len(projections) > 1 else ""
    if None in kinds or (len(projections) != 1 and not block):
        return ()
    while kinds and kinds[-1] == (ACTIVATION,):
        kinds.pop()
    fits = len(kinds) > 1 and len(sequence.children) - len(kinds) < 2
    return (block, *kinds) if fits else ()


def _kind(new: Any) -> tuple[Any, ...] | None:
    """A layer without its sizes; None if it is not a layer of torch."""
    if not isinstance(new, New) or isinstance(new.what, Class):
        return None
    if isinstance(new.what, Name) or _plain_activation(new):
        return (ACTIVATION,)
    kept = []
    for f in fields_of(new.what):
        argument = _argument(new, f)
        if not _size(argument, f):
            if argument is not None and _named(argument):
                return None
            kept.append((f.torch, repr(argument)))
    return (new.what, new.torch, *kept)


def _plain_activation(new: New) -> bool:
    op: Any = new.what
    return op.activation and not op.weighted and not new.arguments


def _size(argument: Any, f: OpField) -> bool:
    """Whether an argument may differ between sequences: an integer."""
    if f.how.kind not in SIZES or not isinstance(argument, Expr):
        return False
    return not isinstance(argument, Number) or type(argument.value) is int


def _argument(new: New, f: OpField) -> Any:
    """An argument of a layer, or torch's default number for it."""
    usual = Number(f.default) if type(f.default) is int else None
    return new.arguments.get(f.torch, usual)


def _named(argument: Any) -> bool:
    parts = argument if isinstance(argument, tuple) else (argument,)
    return any(isinstance(part, Expr) and names(part) for part in parts)


@dataclass(eq=False)
class Pattern:
    """Sequences that become one class, and the class."""

    sequences: list[Sequential]
    columns: dict[str, list[Any]] = field(default_factory=dict)  # a parameter in each sequence

    def __post_init__(self) -> None:
        self.rows = [self._row(sequence) for sequence in self.sequences]
        self.children: tuple[New, ...] | None = self._children()
        self.usual = "".join(map(_word, self.rows[0]))

    def name(self, taken: Container[str]) -> str:
        """A name that no other class has, or "": that of its inline block, or of its layers."""
        by_block, *_ = kinds_of(self.sequences[0])
        blocks = {sequence.block for sequence in self.sequences}
        of_block = camel(blocks.pop()) if len(blocks) == 1 else ""
        usual = "" if by_block else self.usual
        return next((name for name in (of_block, usual) if name and name not in taken), "")

    def _row(self, sequence: Sequential) -> list[Any]:
        """The layers of a sequence; without its final activation it ends in nothing."""
        row: list[Any] = [*sequence.children]
        longest = max(len(one.children) for one in self.sequences)
        return row + [New(Identity, {}, "Identity")] * (longest - len(row))

    def _children(self) -> tuple[New, ...] | None:
        """The layers of the class; None if its parameters would have no good names."""
        made = [self._layer([*column]) for column in zip(*self.rows, strict=True)]
        if "channels" in self.columns or "in_channels" not in self.columns:
            return None if None in made else tuple(new for new in made if new)
        self.columns = {"channels": self.columns.pop("in_channels"), **self.columns}
        kept = {"in_channels": Name("channels")}  # the output has as many channels as the input
        return None if None in made else tuple(with_formulas(new, kept) for new in made)

    def _layer(self, column: list[New]) -> New | None:
        lead = column[0]
        if _kind(lead) == (ACTIVATION,) or any(new.what is Identity for new in column):
            return self._activation(column)
        op: Any = lead.what
        arguments: dict[str, Any] = dict(lead.arguments)
        for f in fields_of(op):
            if _size(_argument(lead, f), f):
                expr = self._expr([_argument(new, f) for new in column], f, op.leaves)
                if expr is None:
                    return None
                arguments[f.torch] = expr
        return replace(lead, arguments=arguments)

    def _activation(self, column: list[New]) -> New | None:
        kinds = [new.what if isinstance(new.what, Name) else Reference(new.torch) for new in column]
        if len({*kinds}) == 1 and isinstance(kinds[0], Reference):
            return column[0]
        known = self.columns.setdefault(ACTIVATION, kinds)
        return New(Name(ACTIVATION)) if known == kinds else None

    def _expr(self, column: list[Expr], f: OpField, leaves: str | None) -> Expr | None:
        """A size of the class: the number of all, a parameter, or a formula of one."""
        flows = f.how.kind == "arrives" or f.torch == leaves
        if not flows and len({*column}) == 1 and isinstance(column[0], Number):
            return column[0]
        for name in FLOW if flows or f.name == "groups" else (f.name,):
            if self.columns.get(name) == column:
                return Name(name)
        if f.name == "padding" and [*map(_half, self.columns.get("kernel", ()))] == column:
            return _half(Name("kernel"))
        name = "in_channels" if f.how.kind == "arrives" else "channels" if flows else f.name
        if name in self.columns:
            return None
        self.columns[name] = column
        return Name(name)

    # The class

    @property
    def parameters(self) -> list[Parameter]:
        """In order: channels, sizes, the activation, and those with defaults."""
        made = [self._parameter(name, column) for name, column in self.columns.items()]
        return sorted(made, key=lambda one: (one.default is not None, one.name == ACTIVATION))

    def _parameter(self, name: str, column: list[Any]) -> Parameter:
        if name == ACTIVATION:
            return Parameter(name, "type[nn.Module]")
        neutral = Number(NEUTRAL[name]) if name in NEUTRAL else None
        return Parameter(name, "int", neutral if neutral in column else None)

    @property
    def saved(self) -> int:
        """The number of lines that the file saves."""
        if self.children is None:
            return 0
        inline = sum(2 + sum(map(_lines, sequence.children)) for sequence in self.sequences)
        signature = len(self.parameters) + 2 if len(self.parameters) > 2 else 1
        whole = CLASS + signature + sum(map(_lines, self.children))
        return inline - len(self.sequences) - whole

    def calls(self, name: str) -> dict[Sequential, New]:
        """The construction that replaces each sequence, of a class with this name."""
        assert self.children is not None
        layers = tuple(Layer(str(place), new) for place, new in enumerate(self.children))
        parameters = tuple(self.parameters)
        cls = Class(name, self._doc(name), layers, Chain(), parameters, sequential=True)
        return {
            sequence: New(cls, {name: column[place] for name, column in self.columns.items()})
            for place, sequence in enumerate(self.sequences)
        }

    def _doc(self, name: str) -> str:
        if name != self.usual and self.sequences[0].doc:
            return self.sequences[0].doc
        *first, last = map(_thing, self.rows[0], range(len(self.rows[0])))
        comma = "," if len(first) > 1 else ""
        doc = f"{', '.join(first)}{comma} and {last}"
        linear = Reference("Identity") in self.columns.get(ACTIVATION, ())
        return f"{doc[0].upper()}{doc[1:]}{' (nn.Identity for none)' * linear}."


def _word(new: New) -> str:
    """The word for a layer in the name of a class."""
    if isinstance(new.what, Name) or new.what is Identity:
        return "Act"
    op: Any = new.what
    if op.activation:
        return "Act"
    return "Norm" if op.norm else "".join(part.capitalize() for part in op.key.split("_"))


def _thing(new: New, place: int) -> str:
    word, op = _word(new), new.what
    if word == "Act":
        return "an activation"
    if word == "Norm":
        return "its norm" if place else "a norm"
    return WORDS.get(getattr(op, "key", ""), f"nn.{new.torch}")


def _half(kernel: Expr) -> Expr | None:
    """The padding that keeps the size at stride 1."""
    if isinstance(kernel, Number):
        return Number((kernel.value - 1) // 2)
    return simplify("//", Binary("-", kernel, Number(1)), Number(2))


def _lines(new: Any) -> int:
    """Approximately the number of lines of a layer."""
    if isinstance(new.what, Name):
        return 1
    how = call(new)
    texts = [*map(_text, how.positional), *(f"{k}={_text(v)}" for k, v in how.keywords.items())]
    long = len(f"nn.{new.torch}({', '.join(texts)}),") > LINE
    return len(texts) + 2 if long else 1


def _text(argument: Any) -> str:
    return source(argument) if isinstance(argument, Expr) else str(argument)
