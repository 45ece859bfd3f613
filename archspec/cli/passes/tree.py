"""Expanded networks as text: one line per module, with its output shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import MISSING

from archspec.expression import Expr, Number, Scalar, Value, show, source
from archspec.ir import fields_of
from archspec.ir.tree import (
    BlockCall,
    BlockInstance,
    Child,
    ExpandedNetwork,
    ModuleNode,
    OpCall,
    SequentialNode,
    Site,
    Slot,
)
from archspec.language.words import FLOW

STEP = "  "

Shapes = dict[str, str]  # attribute -> the output shape of each application


def tree_text(network: ExpandedNetwork) -> str:
    """The network, one level of indentation per level of modules."""
    values = ", ".join(_sized(name, v.number, None) for name, v in network.symbolic.items())
    head = f"{network.root.class_name}({values}): {network.input} -> {network.output}"
    return "\n".join([head, *_Tree().block(network.root, "", STEP)])


class _Tree:
    """Shows each block once; uses with the same sizes share one instance."""

    def __init__(self) -> None:
        self.opened: dict[BlockInstance, str] = {}

    def block(self, instance: BlockInstance, path: str, indent: str) -> Iterator[str]:
        shapes = _leaving(instance.sites)
        shortcuts = {slot.child for slot in instance.slots}
        for child in _in_order(instance):
            yield from self.child(child, shapes, path, indent, child in shortcuts)

    def child(
        self, child: Child, shapes: Shapes, path: str, indent: str, shortcut: bool = False
    ) -> Iterator[str]:
        head = f"{indent}{child.attribute}{_remarks(child, shortcut)}: "
        leaving = shapes.get(child.attribute, "")
        module, path, indent = child.module, f"{path}{child.attribute}", indent + STEP
        if isinstance(module, OpCall):
            yield f"{head}{_op(module)}{leaving}"
        elif isinstance(module, SequentialNode):
            yield f"{head}Sequential{leaving}"
            inner = _leaving(module.sites)
            for part in module.children:
                yield from self.child(part, inner, f"{path}.", indent)
        else:
            yield from self.use(module, head, leaving, path, indent)

    def use(
        self, call: BlockCall, head: str, leaving: str, path: str, indent: str
    ) -> Iterator[str]:
        first = self.opened.setdefault(call.instance, path)
        same = f" (the same as {first} above)" if first != path else ""
        yield f"{head}{call.instance.class_name}{leaving}{same}"
        if not same:
            yield from _definitions(call, indent)
            yield from self.block(call.instance, f"{path}.", indent)


def _remarks(child: Child, shortcut: bool) -> str:
    """The op or block by its name in the spec, and its special properties."""
    known = {_written(child.module): True, "shortcut": shortcut, _starts(child): True}
    texts = [text for text, holds in known.items() if text and holds]
    return f" ({', '.join(texts)})" if texts else ""


def _starts(child: Child) -> str:
    """The initialization of its parameters, if it sets one."""
    starts = [f"{draw.parameter} by {draw.function}" for draw in child.draws]
    return ", ".join(starts)


def _written(module: ModuleNode) -> str:
    if isinstance(module, OpCall):
        return module.op.key
    return module.instance.block if isinstance(module, BlockCall) else ""


def _in_order(instance: BlockInstance) -> Iterator[Child]:
    """The children, with each shortcut in the order of the constructor."""
    for place in range(len(instance.children) + 1):
        yield from (s.child for s in instance.slots if s.after == place and s.child)
        yield from instance.children[place : place + 1]


def _leaving(sites: Iterable[tuple[str, Site]]) -> Shapes:
    shapes: dict[str, Counter[str]] = {}
    for attribute, site in sites:
        shapes.setdefault(attribute, Counter())[str(site.y)] += 1
    return {attribute: f" -> {_counted(found)}" for attribute, found in shapes.items()}


def _counted(shapes: Counter[str]) -> str:
    return ", ".join(f"{s} ({n} times)" if n > 1 else s for s, n in shapes.items())


# Modules and sizes --------------------------------------------------------------------


def _op(call: OpCall) -> str:
    """The constructor call, with every value that the network determines."""
    wanted = {f.torch for f in fields_of(call.kind) if f.default is MISSING}
    arguments = (
        _slot(slot) if name in wanted else f"{name}={_slot(slot)}"
        for name, slot in call.slots.items()
    )
    return f"{call.torch}({', '.join(arguments)})"


def _definitions(call: BlockCall, indent: str) -> list[str]:
    """The names of the block; formulas of arguments are in the names of the enclosing block."""
    known = call.instance.definitions
    declared = [*FLOW, *call.instance.args]
    names = sorted(known, key=lambda n: declared.index(n) if n in declared else len(declared))
    sizes = (
        _sized(n, known[n].number, call.outside.get(n) if known[n].given else known[n].inner)
        for n in names
    )
    return [f"{indent}with {', '.join(sizes)}"] if names else []


def _slot(slot: Slot) -> str:
    if isinstance(slot, Value):
        return _size(slot.number, slot.expr)
    if isinstance(slot, str):
        return f'"{slot}"'
    return f"({', '.join(_size(value.number, value.expr) for value in slot)})"


def _sized(name: str, number: Scalar, formula: Expr | None) -> str:
    return f"{name}={_size(number, formula)}"


def _size(number: Scalar, formula: Expr | None) -> str:
    """A number, and its formula if that adds information."""
    if formula is None or isinstance(formula, Number):
        return show(number)
    return f"{show(number)} [{source(formula)}]"
