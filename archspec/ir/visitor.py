"""A traversal of an expanded network: its layers, in the order in which they run.

Lint, `show`, totals, and training all read the tree with it. A `Frame` is a block on the way, which
knows how its caller finds locations inside it.
"""

from collections.abc import Iterator, Set
from typing import NamedTuple

from archspec.ir.bodies import Body, applications, main_path, renamed, residual_ends
from archspec.ir.tree import BlockInstance, BlockSite, Container, ExpandedNetwork, OpSite, Site
from archspec.places import At


class Frame(NamedTuple):
    """A block on the way to a layer: its use, the enclosing block, and its own path."""

    site: BlockSite
    outer: "Frame | None"
    path: str = ""

    @property
    def role(self) -> str:
        """The role of the block: that of the enclosing block, or its own."""
        return (self.outer.role if self.outer else "") or self.site.role


class Visit(NamedTuple):
    """A layer that runs: its path in the network, its op, and its block."""

    path: str
    site: OpSite
    frame: Frame | None

    @property
    def role(self) -> str:
        """Whether it is in a shortcut or in a gate, at any depth."""
        return (self.frame.role if self.frame else "") or self.site.role

    @property
    def block(self) -> str:
        """The block whose class it is in, "" for the network."""
        return self.frame.site.call.instance.block if self.frame else ""

    @property
    def at(self) -> At:
        """The location of the layer, or of its part in the body."""
        site = self.site
        return place_of(site.named, self.frame) or site.named

    @property
    def written(self) -> At:
        """Where the layer itself is written."""
        return place_of(self.site.at, self.frame) or self.at

    @property
    def uses(self) -> tuple[tuple[At, str], ...]:
        """The uses of blocks that led to it, innermost first."""
        return tuple(_uses(self.site.uses, self.frame))


def place_of(at: At | None, frame: Frame | None) -> At | None:
    """A location inside a block as one in a document; None if it is not from a spec."""
    while at is not None and at.parts and frame is not None:
        at, frame = frame.site.use.outside(at), frame.outer
    return None if at is None or at.parts else at


def _uses(own: tuple[tuple[At, str], ...], frame: Frame | None) -> Iterator[tuple[At, str]]:
    while True:
        for at, block in own:
            if (place := place_of(at, frame)) is not None:
                yield place, block
        if frame is None:
            return
        site, frame = frame.site, frame.outer
        place = place_of(site.use.at, frame)
        if site.use.block and place is not None:
            yield place, site.use.block
        own = site.uses


def visits(network: ExpandedNetwork) -> Iterator[Visit]:
    """Every layer that runs, once per application.

    A stochastic depth of 0 is a layer only if other uses of its block have a higher one.
    """
    for name, site in network.root.sites:
        yield from visits_of(network, name, site)


def visits_of(network: ExpandedNetwork, name: str, site: Site) -> Iterator[Visit]:
    """The same for the applications of one attribute of the network."""
    for visit in visits_at(site, name):
        if not _drops(visit.site) or visit.block in network.drops:
            yield visit


def _drops(site: Site | None) -> bool:
    return isinstance(site, OpSite) and site.op.key == "stochastic_depth"


def visits_in(container: Container, path: str = "", frame: Frame | None = None) -> Iterator[Visit]:
    """The same for a block or a Sequential; paths start with `path`."""
    for name, site in container.sites:
        here = f"{path}.{name}" if path else name
        if isinstance(site, OpSite):
            yield Visit(here, site, frame)
        else:
            yield from visits_in(site.container, here, frame_inside(site, frame, here))


def visits_at(site: Site, path: str, frame: Frame | None = None) -> Iterator[Visit]:
    """The layers that run in an application."""
    if isinstance(site, OpSite):
        yield Visit(path, site, frame)
    else:
        yield from visits_in(site.container, path, frame_inside(site, frame, path))


def frame_inside(site: Site | None, frame: Frame | None, path: str = "") -> Frame | None:
    """The frame of the block that is applied at a site in `frame`."""
    return Frame(site, frame, path) if isinstance(site, BlockSite) else frame


class Ending(NamedTuple):
    """A residual on the main path: its block, and the path of the last layer of its body."""

    block: str
    path: str | None


def on_way(network: ExpandedNetwork) -> Iterator[Visit | Ending]:
    """Layers on the main path, outside gates and shortcuts, and where residuals end."""
    return _on_way(network.root, "", None, network.drops)


def _on_way(
    container: Container, path: str, frame: Frame | None, drops: Set[str]
) -> Iterator[Visit | Ending]:
    block = container.block if isinstance(container, BlockInstance) else None
    body = without_drops(container.body, frame, drops)
    ends = list(residual_ends(body)) if block is not None else []
    names = container.shortcuts
    for application in main_path(body):
        name = names.get(application.layer, application.layer)
        here = f"{path}.{name}" if path else name
        if application.site is not None:
            yield from _way_at(application.site, here, frame, drops)
        if name in ends:
            yield Ending(block or "", here)
    yield from (Ending(block or "", None) for end in ends if end is None)


def without_drops(body: Body, frame: Frame | None, drops: Set[str]) -> Body:
    """The body of a block without its stochastic depth, if that is not a layer (`visits`)."""
    if (frame.site.call.instance.block if frame else "") in drops:
        return body
    absent = {one.layer: None for one in applications(body) if _drops(one.site)}
    return renamed(body, absent) if absent else body


def _way_at(
    site: Site, path: str, frame: Frame | None, drops: Set[str]
) -> Iterator[Visit | Ending]:
    if isinstance(site, OpSite):
        yield Visit(path, site, frame)
    else:
        yield from _on_way(site.container, path, frame_inside(site, frame, path), drops)
