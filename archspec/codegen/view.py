"""What a template prints: every line ready, nothing left to decide."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from archspec import expression, helpers
from archspec.analysis import Analysis
from archspec.codegen.containers import container
from archspec.codegen.docstrings import class_doc, module_doc, network_doc
from archspec.codegen.forward import forward
from archspec.codegen.layout import (
    STEP,
    WIDTH,
    CallText,
    EachText,
    EitherText,
    FormulaText,
    KeywordText,
    ListText,
    OptionalText,
    RunText,
    Text,
    TupleText,
    lines,
)
from archspec.codegen.starts import constant, starts
from archspec.expression import Expr, Name, Number
from archspec.ir.classes import (
    Class,
    Loop,
    Modules,
    Network,
    New,
    Parameter,
    Reference,
    Repeat,
    Sequential,
    When,
)
from archspec.ir.construction import call, constructions, imported, is_constant
from archspec.ir.liveness import give_of
from archspec.python import parse_python
from archspec.records import Record

BODY = STEP * 2


class ClassView(Record):
    """One class of the generated file, as lines."""

    name: str
    base: str
    doc: Sequence[str]
    signature: Sequence[str]
    statements: Sequence[str]
    forward_signature: Sequence[str]
    forward: Sequence[str]


class View(Record):
    """The generated file."""

    doc: Sequence[str]
    imports: Sequence[str]
    helpers: Sequence[str]
    classes: Sequence[ClassView]


def view(network: Network, analysis: Analysis) -> View:
    used = {new.torch for new in constructions(network) if new.torch in helpers.HELPERS}
    return View(
        module_doc(network, analysis),
        (),  # `imports`, once the rest is rendered
        [helpers.HELPERS[name] for name in sorted(used)],
        [_class(cls, network, analysis) for cls in network.classes],
    )


def imports(text: str, network: Network) -> list[str]:
    """The imports of what the rest of a file uses; `re` may also be an argument of a spec."""
    nodes = [*ast.walk(parse_python(text))]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    modules = {getattr(n.value, "id", "") for n in nodes if isinstance(n, ast.Attribute)}
    standard = [f"import {name}" for name in ("math", "re") if name in modules]
    standard += ["from typing import Any"] if "Any" in names else []
    torch = ["import torch"] if "torch" in names else []
    torch.append("from torch import Tensor, nn" if "Tensor" in names else "from torch import nn")
    torch += ["from torch.nn import functional as F"] if "F" in names else []
    own = [part for line in own_imports(network) for part in wrapped(line)]
    return [*standard, *[""] * bool(standard), *torch, *[""] * bool(own), *own]


def own_imports(network: Network) -> list[str]:
    """The lines that import the user's own modules, one line each."""
    modules: dict[str, list[str]] = {}
    parted = sorted((*p.rpartition(".")[::2], name) for p, name in imported(network).items())
    for module, own, name in sorted(parted, key=lambda one: (one[0], not one[1].isupper())):
        modules.setdefault(module, []).append(own if own == name else f"{own} as {name}")
    return [f"from {module} import {', '.join(names)}" for module, names in modules.items()]


def wrapped(line: str, indent: str = "") -> list[str]:
    """A line that imports names, on several lines if it is long."""
    if len(indent + line) <= WIDTH:
        return [line]
    start, names = line.split(" import ")
    return [f"{start} import (", *(f"{STEP}{name}," for name in names.split(", ")), ")"]


# Classes ------------------------------------------------------------------------------


def _class(cls: Class, network: Network, analysis: Analysis) -> ClassView:
    is_network = cls is network.root
    statements = [] if cls.sequential else forward(cls, is_network)
    return ClassView(
        cls.name,
        "nn.Sequential" if cls.sequential else "nn.Module",
        network_doc(network, analysis) if is_network else class_doc(cls),
        _signature(cls),
        [*(_sequential(cls) if cls.sequential else _init(cls)), *starts(cls, network)],
        _forward_signature(cls),
        [f"{BODY}{line}" for line in statements],
    )


def _signature(cls: Class) -> list[str]:
    text = CallText("__init__", ("self", *map(parameter, cls.parameters)))
    return lines(text, STEP, "def ", " -> None:")


def _forward_signature(cls: Class) -> list[str]:
    """One tensor, or a tuple with one per output; either, if the modes differ."""
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


def parameter(one: Parameter) -> str:
    """A parameter in a signature."""
    text = f"{one.name}: {one.annotation}"
    return f"{text} = {expression.show(one.default.value)}" if one.default else text


def _sequential(cls: Class) -> list[str]:
    """Children by number, or under their names."""
    if cls.named:
        return [f"{BODY}super().__init__()", *_locals(cls), *_assignments(cls)]
    children = tuple(construction(layer.new) for layer in cls.layers)
    return lines(CallText("super().__init__", children, tall=len(children) > 1), BODY)


def _init(cls: Class) -> list[str]:
    flags = [f"{BODY}self.{flag.name} = {expression.source(flag.value)}" for flag in cls.flags]
    return [f"{BODY}super().__init__()", *_locals(cls), *_assignments(cls), *flags]


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
        elif layer.loop:
            made += looped(layer.loop, construction(layer.new), BODY)
        elif isinstance(layer.new, When):
            made.append(f"{BODY}self.{layer.name}: nn.Module = nn.Identity()")
            made.append(f"{BODY}if {expression.source(layer.new.condition)}:")
            made += _assignment(layer.name, layer.new.new, variable, taken, BODY + STEP)
        else:
            made += _assignment(layer.name, layer.new, variable, taken, BODY)
    return made


def _assignment(name: str, new: Any, variable: str, taken: set[str], start: str) -> list[str]:
    """One attribute; the first list of layers that some uses lack has a type."""
    if isinstance(new, Sequential) and new.conditional:
        first = variable if variable in taken else f"{variable}: list[nn.Module]"
        taken.add(variable)
        return [f"{start}{first} = []", *appended(f"self.{name}", new, variable, start)]
    if name.isidentifier():
        return lines(construction(new), start, f"self.{name} = ")
    return lines(CallText("self.add_module", (f'"{name}"', construction(new))), start)


def appended(name: str, row: Sequential, variable: str, start: str) -> list[str]:
    """A sequence with some conditional children, appended to an empty list."""
    made: list[str] = []
    for child in row.children:
        indent = start
        if isinstance(child, When):
            made.append(f"{start}if {expression.source(child.condition)}:")
            child, indent = child.new, start + STEP
        if isinstance(child, Repeat):
            run = RunText(_each(child), star="")
            made += lines(run, indent, f"{variable} += ")
        else:
            made += lines(CallText(f"{variable}.append", (construction(child),)), indent)
    return [*made, f"{start}{name} = nn.Sequential(*{variable})"]


def looped(loop: Loop, new: Text, start: str) -> list[str]:
    """Blocks with numbered names; a single one needs no loop."""
    prefix = "f" * any(isinstance(part, Expr) for part in loop.name)
    added = CallText("self.add_module", (f'{prefix}"{loop.text}"', new))
    if loop.stop == Number(loop.start + 1):
        return lines(added, start)
    bounds = (*([str(loop.start)] if loop.start else []), expression.source(loop.stop))
    head = f"{start}for {loop.index} in range({', '.join(bounds)}):"
    return [head, *lines(added, start + STEP)]


# Constructions ------------------------------------------------------------------------


def construction(new: Any) -> Text:
    """A module, a size, or a word, as written in a constructor."""
    if isinstance(new, New):
        return _new(new)
    if isinstance(new, Sequential):
        children = tuple(map(_child, new.children))
        return CallText("nn.Sequential", children, tall=not _short(new))
    if isinstance(new, Repeat):
        return RunText(_each(new))
    if isinstance(new, When):
        return EitherText(construction(new.new), new.condition)
    if isinstance(new, Modules):
        return container(new, construction)
    if isinstance(new, Name):
        return new.id
    if isinstance(new, Reference):
        return helpers.qualified(new.torch)
    if isinstance(new, Expr):
        return FormulaText(new)
    if isinstance(new, tuple):
        return TupleText(tuple(map(FormulaText, new)))
    return '"' + str(new) + '"'


def _each(run: Repeat) -> EachText:
    return EachText(construction(run.new), run.count, run.index)


def _child(new: Any) -> Text:
    """A child of a sequence; without a child whose condition is false, the others move up."""
    if not isinstance(new, When):
        return construction(new)
    inner = new.new
    if isinstance(inner, Repeat):
        return OptionalText(RunText(_each(inner), ""), new.condition)
    return OptionalText(ListText((construction(inner),)), new.condition)


def _short(row: Sequential) -> bool:
    """Whether a sequence can be on one line: of one module, or of two layers of torch."""
    layers = [child for child in row.children if isinstance(child, New)]
    plain = all(not isinstance(layer.what, Class) for layer in layers)
    return len(row.children) < 2 or (len(layers) == len(row.children) == 2 and plain)


def _new(new: New) -> Text:
    if isinstance(new.what, Name):
        return CallText(new.what.id, ())
    if isinstance(new.what, Class):
        name = new.what.name
    else:
        name = new.torch if new.what.imported else helpers.qualified(new.torch)
    how = call(new)
    positional = tuple(construction(value) for value in how.positional)
    keywords = tuple(KeywordText(k, construction(v)) for k, v in how.keywords.items())
    return CallText(name, positional + keywords)
