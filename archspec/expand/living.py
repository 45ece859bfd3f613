"""Classes without the layers whose outputs are unused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archspec.ir import Body, applications, applied
from archspec.ir.liveness import pruned
from archspec.ir.tree import BlockInstance, BlockSite, OpSite, Site
from archspec.places import At


def alive(instance: BlockInstance) -> BlockInstance:
    """A class without layers whose outputs are unused; `dead` are their locations."""
    return with_body(instance, pruned(instance.body))


def with_body(instance: BlockInstance, body: Body) -> BlockInstance:
    """A class that computes less, without the layers that it then does not need."""
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
    """The applications of layers that were reduced."""
    kept = {id(application.site) for application in applications(left)}
    for application in applications(body):
        if application.site is not None and id(application.site) not in kept:
            yield application.again or _place(application.site)


def _place(site: Site) -> At:
    """The location of a layer in the body of its class."""
    if isinstance(site, OpSite):
        return site.named
    return site.use.at if isinstance(site, BlockSite) else _place(site.row.sites[0][1])
