"""Layers in order as one module: a Sequential, or a class if they have names."""

from __future__ import annotations

from collections.abc import Mapping

from archspec.expand.builder import Builder, Declared
from archspec.expand.naming import camel, chain, closed, named, sequential
from archspec.expand.scope import Scope
from archspec.expression import Expr, Name
from archspec.ir import Body
from archspec.ir.tree import BlockCall, BlockSite, Definition, ModuleNode, RowSite, Site, TensorInfo
from archspec.places import At, Use

Module = tuple[ModuleNode, Site, TensorInfo]


def row_of(
    holder: Builder,
    steps: list[Body],
    y: TensorInfo,
    at: At,
    scope: Scope,
    name: str,
    numbered: bool = False,
) -> Module:
    """The layers of a Sequential; if they have names, it is a class of its own."""
    if numbered or not named(holder):
        row = sequential(holder, chain(steps))
        return row, RowSite(row, y.shape), y
    declared = Declared(name, _class_name(name), "Layers in order.")
    return anonymous(holder, steps, y, at, scope, declared)


def _class_name(name: str) -> str:
    """The class for a name, which may be a number or a letter."""
    made = camel(name.replace("-", "_"))
    return made if made[:1].isalpha() and len(made) > 1 else "Layers"


def anonymous(
    holder: Builder,
    steps: list[Body],
    y: TensorInfo,
    at: At,
    scope: Scope,
    declared: Declared,
) -> Module:
    """Layers as a class without a block, in the names of the enclosing block."""
    around = scope.builder.definitions if scope.builder else scope.kept()
    holder.definitions = {n: Definition(d.number, None, given=True) for n, d in around.items()}
    instance = closed(holder, declared, chain(steps), y, scope.context.prefixes)
    outside: Mapping[str, Expr | None] = {name: Name(name) for name in around}
    call = BlockCall(instance, outside)
    # It is written in the enclosing class, so its locations are that class's.
    use = Use(at, "", scope.origins, {})
    return call, BlockSite(call, y.shape, use, scope.uses, scope.role), y
