"""From the path of a layer (`layer3.0.conv1`) to the lines in which it is written."""

from __future__ import annotations

from archspec.diagnostics import Span
from archspec.ir.tree import (
    BlockCall,
    BlockInstance,
    Child,
    ExpandedNetwork,
    ModuleNode,
    OpSite,
    SequentialNode,
)
from archspec.ir.visitor import Frame, frames_of, place_of
from archspec.language.lines import Lines
from archspec.places import At


def places_of(network: ExpandedNetwork, lines: Lines, path: str) -> tuple[Span, ...]:
    """The places of every layer on the way to `path`, from the network down, without repeats.

    Of a path that leads out of the network, the way as far as it goes.
    """
    spans: list[Span] = []
    here: list[Child] = _attributes(network.root)
    frame: Frame | None = None
    within: BlockInstance | SequentialNode = network.root
    for step in path.split("."):
        child = next((child for child in here if child.attribute == step), None)
        if child is None:
            break
        span = lines.span(place_of(child.at, frame) or _named(within, step, frame))
        if span is not None and span not in spans:
            spans.append(span)
        frame = frames_of(within, step, frame)
        within, here = _below(child.module, within)
    return tuple(spans)


def _named(
    within: BlockInstance | SequentialNode, attribute: str, frame: Frame | None
) -> At | None:
    """Where the body names the part that a layer fills, which nobody wrote."""
    site = next((site for name, site in within.sites if name == attribute), None)
    return place_of(site.named, frame) if isinstance(site, OpSite) else None


def _attributes(instance: BlockInstance) -> list[Child]:
    return [*instance.children, *(slot.child for slot in instance.slots if slot.child)]


def _below(
    module: ModuleNode, within: BlockInstance | SequentialNode
) -> tuple[BlockInstance | SequentialNode, list[Child]]:
    if isinstance(module, BlockCall):
        return module.instance, _attributes(module.instance)
    if isinstance(module, SequentialNode):
        return module, list(module.children)
    return within, []
