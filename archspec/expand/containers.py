"""Layers with dots in their names, which are inside containers: `convs.0` in `convs`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from archspec.expand.builder import Item
from archspec.expand.scope import FoundError
from archspec.ir.containers import gathered
from archspec.ir.tree import Child, OpCall
from archspec.places import Finding


def check_dotted(name: str, item: Item, in_module: bool) -> None:
    """A finding if another module, such as a sequence, would hold a container.

    Containers hold modules, so they cannot hold a learned constant.
    """
    if isinstance(item.module, OpCall) and item.module.kind.constant:
        message = f"`{name}` is not valid as the name of a `{item.module.op.key}`"
        hint = "only layers can be inside containers; use a name without dots"
        raise FoundError(Finding("bad-name", message, item.at, hint))
    if in_module or not name.partition(".")[0].isidentifier():
        message = f"`{name}` is not valid as a name here"
        hint = "names with dots (`convs.0`) are only allowed in the body of a class"
        raise FoundError(Finding("bad-name", message, item.at, hint))


def containers_of(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each name with each container that it is in."""
    for name in names:
        container = name.rpartition(".")[0]
        while container:
            yield name, container
            container = container.rpartition(".")[0]


def in_containers(
    children: tuple[Child, ...], before: list[int]
) -> tuple[tuple[Child, ...], list[int]]:
    """The layers of each container together, at the position of the first.

    `before` is the number of layers before each position, including those in open containers.
    """
    if not any("." in child.attribute for child in children):
        return children, before
    tops = [child.attribute.partition(".")[0] for child in children]
    counts, reach = Counter(tops), [0]
    for top in tops:
        reach.append(reach[-1] + counts.pop(top, 0))
    order = gathered(children, lambda child: child.attribute)
    return tuple(order), [reach[count] for count in before]
