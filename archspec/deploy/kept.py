"""The batch norms that are not folded into a layer, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from archspec.deploy.norms import folds
from archspec.ir import Add, Apply, Body, Chain, Concat, Multiply
from archspec.ir.bodies import parts_of
from archspec.ir.tree import Container, ExpandedNetwork, OpSite, Site
from archspec.ir.visitor import visits
from archspec.ops.norms import BatchNorm, FrozenBatchNorm

FIRST = "first in a block"
JOINED: dict[type, str] = {
    Add: "after a sum",
    Concat: "after a concatenation",
    Multiply: "after a product",
}


def count(network: ExpandedNetwork) -> int:
    """The batch norms of a network."""
    return len({path for path, site, _ in visits(network) if _is_norm(site)})


def kept(network: ExpandedNetwork) -> Counter[str]:
    """The ops before the remaining batch norms, and their counts."""
    return Counter(_reasons(network.root))


def _reasons(container: Container) -> Iterator[str]:
    for ahead, step in _pairs(container.body, None):
        site = step.site
        if _is_norm(site):
            yield _reason(ahead, site)
        elif site is not None and not isinstance(site, OpSite):
            yield from _reasons(site.container)


def _pairs(body: Body, ahead: Body | None) -> Iterator[tuple[Body | None, Apply]]:
    """Each application, with the op before it."""
    if isinstance(body, Apply):
        yield ahead, body
    for part in parts_of(body):
        yield from _pairs(part, ahead)
        ahead = part if isinstance(body, Chain) else ahead


def _is_norm(site: Site | None) -> bool:
    return isinstance(site, OpSite) and isinstance(site.op, (BatchNorm, FrozenBatchNorm))


def _reason(ahead: Body | None, site: Site) -> str:
    if isinstance(site, OpSite) and not folds(site.op):
        return "without statistics of its own"
    if isinstance(ahead, Apply):
        op = ahead.site.op if isinstance(ahead.site, OpSite) else None
        return f"after `{getattr(op, 'act', '') or op.key}`" if op else "after a block"
    return JOINED.get(type(ahead), FIRST)
