"""Layers that inference does not need: `evaluate`, `drop_nothing`, and `inline_rows`."""

from __future__ import annotations

from dataclasses import replace

from archspec.deploy.rewrite import C, edited, named, plain, with_children, without
from archspec.ir import applied
from archspec.ir.bodies import steps_of
from archspec.ir.tree import BlockCall, BlockInstance, Child, ExpandedNetwork, ModuleNode, OpCall
from archspec.ops.others import Identity


def evaluate(network: ExpandedNetwork) -> ExpandedNetwork:
    """The network without layers that only run during training, without initialization."""
    root = network.root
    used = {*applied(network.evaluated)}
    children = tuple(c for c in root.children if c.attribute in used)
    root = replace(root, children=children, body=network.evaluated)
    return replace(network, root=root, training=())


def unstarted(container: C) -> C:
    """The container without its weight initialization."""
    children = tuple(replace(child, draws=()) for child in container.children)
    if not isinstance(container, BlockInstance):
        return replace(container, children=children)  # type: ignore[type-var]
    slots = tuple(replace(s, child=s.child and replace(s.child, draws=())) for s in container.slots)
    return replace(container, children=children, slots=slots, init=())


def drop_nothing(container: C) -> C:
    """The container without layers that have no effect in inference: dropouts, identities."""
    gone = [child.attribute for child in container.children if _does_nothing(child.module)]
    return edited(container, without(container.body, gone)) if gone else container


def _does_nothing(module: ModuleNode) -> bool:
    return isinstance(module, OpCall) and (module.op.drops or isinstance(module.op, Identity))


def inline_rows(container: C) -> C:
    """The container with that layer in place of blocks and sequences with one, and nothing for
    none.
    """
    children = named(container)
    inner = {name: found for name, child in children.items() if (found := _inner(child.module))}
    single = {name: _inlined(children[name], found[0]) for name, found in inner.items()}
    made = with_children(container, single) if single else container
    gone = [name for name, child in children.items() if _inner(child.module) == ()]
    return edited(made, without(made.body, gone)) if gone else made


def _inner(module: ModuleNode) -> tuple[Child, ...] | None:
    """The only layer of a module, or none; None if there is more."""
    if isinstance(module, OpCall):
        return None
    container = module.instance if isinstance(module, BlockCall) else module
    found, steps = container.attributes, [*steps_of(container.body)]
    alone = len(found) == len(steps) < 2 and all(map(plain, steps))
    return found if alone and all(isinstance(one.module, OpCall) for one in found) else None


def _inlined(child: Child, inner: Child) -> Child:
    """A layer in place of its container."""
    (around,) = child.trained
    module, terms = inner.module, tuple(term.below(around.layer) for term in inner.trained)
    if isinstance(child.module, BlockCall):
        module = child.module.moved(module)
    return replace(child, module=module, terms=terms)
