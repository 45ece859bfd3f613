"""The basis of every pass: a change of one container, applied to all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from typing import Any, TypeGuard, TypeVar

from archspec.ir import Apply, Body, applied, renamed
from archspec.ir.bodies import parts_of, steps_of, with_parts
from archspec.ir.tree import (
    BlockCall,
    BlockInstance,
    BlockSite,
    Child,
    Container,
    ExpandedNetwork,
    ModuleNode,
    OpCall,
    OpSite,
    RowSite,
    SequentialNode,
    Site,
    Term,
)

C = TypeVar("C", bound=Container)
Change = Callable[[Any], Any]  # of a container, whose inner ones are changed already


def rewritten(network: ExpandedNetwork, change: Change) -> ExpandedNetwork:
    """The network with every container changed, innermost first."""
    return replace(network, root=_Rewriting(change).container(network.root))


class _Rewriting:
    """One pass; equal instances stay one."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.done: dict[Container, Any] = {}

    def container(self, container: C) -> C:
        if container not in self.done:
            inner = {name: self._child(child) for name, child in named(container).items()}
            self.done[container] = self.change(with_children(container, inner))
        return self.done[container]  # type: ignore[no-any-return]

    def _child(self, child: Child) -> Child:
        module = child.module
        if isinstance(module, BlockCall):
            module = replace(module, instance=self.container(module.instance))
        elif isinstance(module, SequentialNode):
            module = self.container(module)
        return replace(child, module=module)


def named(container: Container) -> dict[str, Child]:
    """The children by attribute, and the shortcuts by mark: as bodies name them."""
    shortcuts = {slot.mark: slot.child for slot in container.slots if slot.child}
    return {child.attribute: child for child in container.children} | shortcuts


def with_children(container: C, new: Mapping[str, Child]) -> C:
    """A container with other modules instead of some children, by their names in the body."""
    changed: Any = container
    if isinstance(container, BlockInstance):
        slots = (replace(slot, child=new.get(slot.mark, slot.child)) for slot in container.slots)
        changed = replace(changed, slots=tuple(slots))
    children = tuple(new.get(child.attribute, child) for child in container.children)
    modules = {name: child.module for name, child in new.items()}
    return replace(changed, children=children, body=_sited(container.body, modules))  # type: ignore[no-any-return]


def _sited(body: Body, modules: Mapping[str, ModuleNode]) -> Body:
    """The body, with applications of the current modules."""
    if isinstance(body, Apply):
        module = modules.get(body.layer)
        return body if module is None else replace(body, site=_site(body.site, module))
    return with_parts(body, [_sited(part, modules) for part in parts_of(body)])


def _site(site: Site | None, module: ModuleNode) -> Site | None:
    match site, module:
        case OpSite(), OpCall():
            return replace(site, call=module)
        case BlockSite(), BlockCall():
            return replace(site, call=module)
        case RowSite(), SequentialNode():
            return replace(site, row=module)
        case None, _:
            return None
    return _site(_only(site).site, module)


def _only(site: Any) -> Apply:
    """The only application in a container."""
    (step,) = steps_of(site.container.body)
    assert isinstance(step, Apply)
    return step


def alone(container: Container) -> dict[str, Child]:
    """The children that are applied once, by attribute."""
    times = Counter(applied(container.body))
    return {name: child for name, child in children_of(container).items() if times[name] == 1}


def children_of(container: Container) -> dict[str, Child]:
    """The children by attribute, without shortcuts."""
    return {child.attribute: child for child in container.children}


def edited(container: C, body: Body, changed: Iterable[Child] = ()) -> C:
    """A container with another body and other children, without those it no longer applies."""
    new = {child.attribute: child for child in changed}
    gone = {*applied(container.body)} - {*applied(body)}
    kept = [
        (place, child)
        for place, child in enumerate(container.children)
        if child.attribute not in gone
    ]
    made: Any = replace(container, children=tuple(child for _, child in kept), body=body)  # type: ignore[type-var]
    made = with_children(made, new)
    places = {place for place, _ in kept}
    if isinstance(made, SequentialNode):
        return _renumbered(_with_runs(made, places))  # type: ignore[no-any-return]
    slots = tuple(replace(s, after=sum(p < s.after for p in places)) for s in made.slots)
    made = replace(made, slots=slots)
    return _renumbered(made) if made.sequential else made  # type: ignore[no-any-return]


def _with_runs(row: SequentialNode, places: Set[int]) -> SequentialNode:
    """Runs of layers without missing ones."""
    runs = tuple(
        replace(run, start=sum(place < run.start for place in places))
        for run in row.runs
        if all(run.start + n in places for n in range(int(run.count.number)))
    )
    return replace(row, runs=runs)


def _renumbered(container: Any) -> Any:
    """Children renumbered in order; each keeps its number in training."""
    if not all(child.attribute.isdigit() for child in container.children):
        return container
    names = {child.attribute: str(place) for place, child in enumerate(container.children)}
    children = tuple(
        replace(child, attribute=names[child.attribute], terms=_remembered(child, names))
        for child in container.children
    )
    return replace(container, children=children, body=renamed(container.body, names))


def _remembered(child: Child, names: Mapping[str, str]) -> tuple[Term, ...]:
    moved = names[child.attribute] != child.attribute
    return child.trained if moved else child.terms


def without(body: Body, layers: Iterable[str]) -> Body:
    """The body without some layers, which return their input."""
    return renamed(body, dict.fromkeys(layers))


def plain(step: Body | None) -> TypeGuard[Apply]:
    """Whether it is a layer with one input and one output."""
    return type(step) is Apply and not step.inputs and not step.outputs


def layer_at(step: Body | None, layers: Mapping[str, Child]) -> Child | None:
    """The layer that a step is, of some layers."""
    return layers.get(step.layer) if plain(step) else None
