"""From the path of a layer (`layer3.0.conv1`) to the lines in which it is written."""

from __future__ import annotations

from archspec.diagnostics import Span
from archspec.lower.model import Instance, Item, Made, Row, Use


def places_of(root: Instance, path: str) -> tuple[Span, ...]:
    """The places of every layer on the way to `path`, from the network down, without repeats.

    Of a path that leads out of the network, the way as far as it goes.
    """
    spans: list[Span] = []
    here: list[Item] = _attributes(root)
    for step in path.split("."):
        item = _step(here, step)
        if item is None:
            break
        if item.span is not None and item.span not in spans:
            spans.append(item.span)
        here = _below(item.made)
    return tuple(spans)


def _attributes(instance: Instance) -> list[Item]:
    for joint in instance.joints:
        if joint.item is not None:
            joint.item.attribute = joint.item.name or joint.name
    return [*instance.items, *(joint.item for joint in instance.joints if joint.item)]


def _step(items: list[Item], step: str) -> Item | None:
    for place, item in enumerate(items):
        if (item.attribute or str(place)) == step:
            return item
    return None


def _below(made: Made) -> list[Item]:
    if isinstance(made, Use):
        return _attributes(made.instance)
    return made.children if isinstance(made, Row) else []
