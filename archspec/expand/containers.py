"""Layers with dots in their names, which stand in containers: `convs.0` in `convs`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archspec.expand.builder import Item
from archspec.expand.scope import FoundError
from archspec.ir.containers import gathered
from archspec.ir.tree import Child, OpCall
from archspec.places import Finding


def check_dotted(name: str, item: Item, in_module: bool) -> None:
    """A finding where a module of its own, such as a sequence, would hold a container.

    Containers hold modules, and a learned constant is none.
    """
    if isinstance(item.module, OpCall) and item.module.kind.constant:
        message = f"`{name}` cannot be the name of a `{item.module.op.key}`"
        hint = "dots make containers of layers; give it a name without"
        raise FoundError(Finding("bad-name", message, item.at, hint))
    if in_module or not name.partition(".")[0].isidentifier():
        message = f"`{name}` cannot be a name here"
        hint = "dots make containers of layers in the body of a class, as in `convs.0`"
        raise FoundError(Finding("bad-name", message, item.at, hint))


def containers_of(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each name with each container that it stands in."""
    for name in names:
        container = name.rpartition(".")[0]
        while container:
            yield name, container
            container = container.rpartition(".")[0]


def in_containers(
    children: tuple[Child, ...], before: list[int]
) -> tuple[tuple[Child, ...], list[int]]:
    """Layers of one container side by side, where the first of them stands.

    `before` is how many layers come before each place, those of containers that are open included.
    """
    if not any("." in child.attribute for child in children):
        return children, before
    tops = [child.attribute.partition(".")[0] for child in children]
    counts, reach = Counter(tops), [0]
    for top in tops:
        reach.append(reach[-1] + counts.pop(top, 0))
    order = gathered(children, lambda child: child.attribute)
    return tuple(order), [reach[count] for count in before]
