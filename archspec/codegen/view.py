"""What a template prints: every line ready, nothing left to decide."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from archspec import expression, helpers
from archspec.analysis import Analysis
from archspec.codegen.containers import container
from archspec.codegen.forward import formula, forward
from archspec.codegen.layout import (
    STEP,
    WIDTH,
    CallText,
    FormulaText,
    KeywordText,
    RunText,
    Text,
    TupleText,
    lines,
)
from archspec.codegen.starts import constant, starts, uses_math
from archspec.expression import Expr, Name, Number
from archspec.ir import (
    Class,
    Layer,
    Local,
    Loop,
    Modules,
    Network,
    New,
    Parameter,
    Reference,
    Repeat,
    Sequential,
    When,
    applied,
    call,
)
from archspec.ir.construction import is_constant
from archspec.ir.liveness import give_of

BODY = STEP * 2
CONVOLUTIONS = {"Conv1d", "Conv2d", "Conv3d"}


@dataclass(frozen=True, slots=True)
class ClassView:
    """One class of the generated file, as lines."""

    name: str
    base: str
    doc: Sequence[str]
    signature: Sequence[str]
    statements: Sequence[str]
    forward_signature: Sequence[str]
    forward: Sequence[str]


@dataclass(frozen=True, slots=True)
class View:
    """The generated file."""

    doc: Sequence[str]
    imports: Sequence[str]
    helpers: Sequence[str]
    classes: Sequence[ClassView]


def view(network: Network, analysis: Analysis) -> View:
    used = sorted(_helpers(network))
    views = []
    math, named = False, set[str]()
    for cls in network.classes:
        made, of_torch = _class(cls, network, analysis)
        views.append(made)
        named |= of_torch
        math = math or uses_math(made.statements)
    return View(
        _module_doc(network, analysis),
        _imports(network, used, named, math),
        [helpers.HELPERS[name] for name in used],
        views,
    )


# Text from a spec ---------------------------------------------------------------------


def escaped(text: str) -> str:
    """Text of a spec for the inside of a docstring: printable, and unable to end it."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _wrapped(text: str, indent: str) -> list[str]:
    width = WIDTH - len(indent)
    return textwrap.wrap(escaped(text), width, break_long_words=False, break_on_hyphens=False)


def docstring(text: Iterable[str], indent: str) -> list[str]:
    """The lines of a docstring with its quotes."""
    body = list(text)
    if not body:
        return []
    if body[-1].endswith('"'):
        body[-1] = body[-1][:-1] + '\\"'
    if body[0].startswith('"'):
        body[0] = " " + body[0]  # as ruff does, to tell it from the quotes
    if len(body) == 1 and len(indent) + len(body[0]) + 6 <= WIDTH:
        return [f'{indent}"""{body[0]}"""']
    if len(body) == 1:  # else ruff puts the quotes on this line
        body = body[0].rsplit(" ", 1)
    inside = [f"{indent}{line}".rstrip() for line in body[1:]]
    return [f'{indent}"""{body[0]}', *inside, f'{indent}"""']


def _title(doc: str, name: str, indent: str) -> list[str]:
    first = _wrapped(doc or f"{name}.", indent + '"""')
    return first or [f"{name}."]


# The module ---------------------------------------------------------------------------


def _module_doc(network: Network, analysis: Analysis) -> list[str]:
    shape = " x ".join(map(str, analysis.input))
    counts = (
        f"{analysis.params:,} parameters; {analysis.macs:,} multiply-adds for an input of {shape}."
    )
    doc = [*_title(network.doc, network.root.name, ""), "", *_wrapped(counts, ""), ""]
    return docstring(doc + _table(network, analysis), "")


def _table(network: Network, analysis: Analysis) -> list[str]:
    """Each call of an attribute of the network: its output, and its parameters at the first."""
    params: Counter[str] = Counter()
    shapes: dict[str, list[tuple[int, ...]]] = {}  # of ops: only they are called several times
    for row in analysis.rows:
        params[analysis.attribute(row.path)] += row.params
        shapes.setdefault(row.path, []).append(row.output)
    rows = [("layer", "output", "parameters")]
    for name in applied(network.root.body):
        sizes = shapes[name].pop(0) if shapes.get(name) else analysis.outputs[name]
        count = params.pop(name, 0)
        rows.append((name, " x ".join(map(str, sizes)), f"{count:,}" if count else ""))
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    return [f"{STEP}{a:{wide[0]}}  {b:{wide[1]}}  {c:>{wide[2]}}".rstrip() for a, b, c in rows]


def _imports(network: Network, used: Sequence[str], named: set[str], math: bool) -> list[str]:
    both = {word for word in ("torch", "F") for name in used if helpers.uses(name, word)} | named
    found = ["import torch"] if "torch" in both else []
    found.append("from torch import Tensor, nn")
    if "F" in both:
        found.append("from torch.nn import functional as F")
    if all(cls.sequential for cls in network.classes):
        found[found.index("from torch import Tensor, nn")] = "from torch import nn"
    return ["import math", "", *found] if math else found


def _news(new: Any) -> Iterable[New | Reference]:
    if isinstance(new, Reference):
        yield new
    elif isinstance(new, New):
        yield new
        for argument in new.arguments.values():
            yield from _news(argument)
    elif isinstance(new, Sequential):
        for child in new.children:
            yield from _news(child)
    elif isinstance(new, (Repeat, When)):
        yield from _news(new.new)
    elif isinstance(new, Modules):
        for layer in new.layers:
            yield from _news(layer.new)


def _constructions(network: Network) -> Iterable[New | Reference]:
    for cls in network.classes:
        for layer in cls.layers:
            yield from _news(layer.new)


def _helpers(network: Network) -> set[str]:
    return {new.torch for new in _constructions(network) if new.torch in helpers.HELPERS}


# Classes ------------------------------------------------------------------------------


def _class(cls: Class, network: Network, analysis: Analysis) -> tuple[ClassView, set[str]]:
    is_network = cls is network.root
    statements, named = ([], set[str]()) if cls.sequential else forward(cls, is_network)
    made = ClassView(
        cls.name,
        "nn.Sequential" if cls.sequential else "nn.Module",
        _network_doc(network, analysis) if is_network else _class_doc(cls),
        _signature(cls),
        [*(_sequential(cls) if cls.sequential else _init(cls)), *starts(cls, network)],
        _forward_signature(cls),
        [f"{BODY}{line}" for line in statements],
    )
    constants = any(is_constant(layer.new) for layer in cls.layers)
    return made, named | ({"torch"} if constants else set())


def _network_doc(network: Network, analysis: Analysis) -> list[str]:
    """The shapes of a batch on its way in and out."""
    give, trained = give_of(network.root.evaluated), give_of(network.root.trained)
    leave = [_batch(analysis.outputs[name]) for name in give.names] if give else []
    text = f"From {_batch(analysis.input)} to {', '.join(leave) or _batch(analysis.output)}"
    if trained and trained != give:
        more = ", ".join(_batch(analysis.outputs[name]) for name in trained.names)
        text += f", and to {more} while training"
    return docstring(_wrapped(f"{text}.", STEP + '"""'), STEP)


def _batch(sizes: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, ('N', *sizes)))})"


def _class_doc(cls: Class) -> list[str]:
    doc = _title(cls.doc, cls.name, STEP)
    if cls.differs:
        doc += ["", *_wrapped(cls.differs, STEP)]
    if not cls.sequential:
        whole = formula(cls)
        if len(whole) <= WIDTH - len(STEP):
            doc += ["", whole]
    return docstring(doc, STEP)


def _signature(cls: Class) -> list[str]:
    arguments: list[Text] = ["self", *map(_parameter, cls.parameters)]
    text = CallText("__init__", tuple(arguments))
    return lines(text, STEP, "def ", " -> None:")


def _forward_signature(cls: Class) -> list[str]:
    """One tensor, or a tuple with one for each output; either, where modes differ."""
    counts = {len(give.names) if give else 1 for give in map(give_of, (cls.evaluated, cls.trained))}
    results = [f"tuple[{', '.join(['Tensor'] * n)}]" if n > 1 else "Tensor" for n in sorted(counts)]
    arguments = ("self", "x: Tensor", *(f"{name}: Tensor" for name in cls.inputs))
    text = f" -> {' | '.join(results)}:"
    made = lines(CallText("forward", arguments), STEP, "def ", text)
    if len(made[-1]) <= WIDTH:
        return made
    if len(counts) > 1:
        return lines(
            CallText("forward", arguments), STEP, "def ", " -> Tensor | tuple[Tensor, ...]:"
        )
    tensors = [f"{BODY}Tensor,"] * max(counts)
    return [*made[:-1], f"{STEP}) -> tuple[", *tensors, f"{STEP}]:"]


def _parameter(parameter: Parameter) -> str:
    text = f"{parameter.name}: {parameter.annotation}"
    if parameter.default is None:
        return text
    return f"{text} = {expression.show(parameter.default.value)}"


def _sequential(cls: Class) -> list[str]:
    """Children by number, or under their names."""
    if cls.named:
        return [f"{BODY}super().__init__()", *_locals(cls), *_assignments(cls)]
    children = tuple(construction(layer.new) for layer in cls.layers)
    return lines(CallText("super().__init__", children, tall=len(children) > 1), BODY)


def _init(cls: Class) -> list[str]:
    flags = [line for flag in cls.flags for line in _flag(flag)]
    return [f"{BODY}super().__init__()", *_locals(cls), *_assignments(cls), *flags]


def _flag(flag: Local) -> list[str]:
    return [f"{BODY}self.{flag.name} = {expression.source(flag.value)}"]


def _locals(cls: Class) -> list[str]:
    return [f"{BODY}{local.name} = {expression.source(local.value)}" for local in cls.locals]


def _assignments(cls: Class) -> list[str]:
    taken = {p.name for p in cls.parameters} | {local.name for local in cls.locals}
    variable = "layers" if "layers" not in taken else "children"
    starts = {start.path: start.draws for start in cls.draws if start.made}
    made: list[str] = []
    for layer in cls.layers:
        if is_constant(layer.new):
            made += constant(layer, starts.get(layer.name, ()))
        elif isinstance(layer.new, Sequential) and layer.new.conditional:
            kind = ": list[nn.Module]" * (variable not in taken)
            made += [f"{BODY}{variable}{kind} = []"]
            made += appended(f"self.{layer.name}", layer.new, variable, BODY)[1:]
            taken.add(variable)
        elif layer.loop:
            made += looped(layer.loop, construction(layer.new), BODY)
        else:
            made += _assignment(layer)
    return made


def appended(name: str, row: Sequential, variable: str, start: str) -> list[str]:
    """A sequence of which some children are there under a condition."""
    made = [f"{start}{variable} = []"]
    for child in row.children:
        indent = start
        if isinstance(child, When):
            made.append(f"{start}if {expression.source(child.condition)}:")
            child, indent = child.new, start + STEP
        if isinstance(child, Repeat):
            made += lines(construction(child), indent, f"{variable} += [", "]")
        else:
            made += lines(CallText(f"{variable}.append", (construction(child),)), indent)
    return [*made, f"{start}{name} = nn.Sequential(*{variable})"]


def looped(loop: Loop, new: Text, start: str) -> list[str]:
    """Blocks under numbered names; a single one needs no loop."""
    prefix = "f" * any(isinstance(part, Expr) for part in loop.name)
    added = CallText("self.add_module", (f'{prefix}"{loop.text}"', new))
    if loop.stop == Number(loop.start + 1):
        return lines(added, start)
    bounds = (*([str(loop.start)] if loop.start else []), expression.source(loop.stop))
    head = f"{start}for {loop.index} in range({', '.join(bounds)}):"
    return [head, *lines(added, start + STEP)]


def _assignment(layer: Layer) -> list[str]:
    if layer.name.isidentifier():
        return lines(construction(layer.new), BODY, f"self.{layer.name} = ")
    added = CallText("self.add_module", (f'"{layer.name}"', construction(layer.new)))
    return lines(added, BODY)


# Constructions ------------------------------------------------------------------------


def construction(new: Any) -> Text:
    """A module, a size or a word, as it is written in a constructor."""
    if isinstance(new, New):
        return _new(new)
    if isinstance(new, Sequential):
        children = tuple(construction(child) for child in new.children)
        return CallText("nn.Sequential", children, tall=len(children) > 1)
    if isinstance(new, Repeat):
        return RunText(construction(new.new), new.count)
    if isinstance(new, Modules):
        return container(new, construction)
    if isinstance(new, Name):
        return new.id
    if isinstance(new, Reference):
        return _torch(new.torch)
    if isinstance(new, Expr):
        return FormulaText(new)
    if isinstance(new, tuple):
        return TupleText(tuple(map(FormulaText, new)))
    return '"' + str(new) + '"'


def _new(new: New) -> Text:
    if isinstance(new.what, Name):
        return CallText(new.what.id, ())
    name = new.what.name if isinstance(new.what, Class) else _torch(new.torch)
    how = call(new)
    positional = tuple(construction(value) for value in how.positional)
    keywords = tuple(KeywordText(k, construction(v)) for k, v in how.keywords.items())
    return CallText(name, positional + keywords)


def _torch(name: str) -> str:
    return name if name in helpers.HELPERS else f"nn.{name}"
