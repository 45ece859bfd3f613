"""Classes without what leads to none of their results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archspec.ir import Body, applications, applied
from archspec.ir.liveness import pruned
from archspec.ir.tree import BlockInstance, BlockSite, OpSite, Site
from archspec.places import At


def alive(instance: BlockInstance) -> BlockInstance:
    """A class without layers whose result nothing uses; `dead` says where they stand."""
    return with_body(instance, pruned(instance.body))


def with_body(instance: BlockInstance, body: Body) -> BlockInstance:
    """A class with less to do, without the layers that it does not need for that."""
    kept = set(applied(body))
    slots = []
    for slot in instance.slots:
        if slot.mark in kept:
            before = instance.children[: slot.after]
            slots.append(replace(slot, after=sum(child.attribute in kept for child in before)))
    children = tuple(child for child in instance.children if child.attribute in kept)
    return replace(
        instance,
        children=children,
        slots=tuple(slots),
        body=body,
        dead=tuple(_dead(instance.body, body)),
    )


def _dead(body: Body, left: Body) -> Iterator[At]:
    """Where layers are applied, of which less is left."""
    kept = {id(application.site) for application in applications(left)}
    for application in applications(body):
        if application.site is not None and id(application.site) not in kept:
            yield application.again or _place(application.site)


def _place(site: Site) -> At:
    """Where a layer stands in the body of its class."""
    if isinstance(site, OpSite):
        return site.named
    return site.use.at if isinstance(site, BlockSite) else _place(site.row.sites[0][1])
