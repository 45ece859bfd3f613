"""From the path of a layer (`layer3.0.conv1`) to its lines."""

from __future__ import annotations

from archspec.diagnostics import Span
from archspec.ir.tree import Container, ExpandedNetwork, OpSite, Site
from archspec.ir.visitor import Frame, frame_inside, place_of
from archspec.language.lines import Lines
from archspec.places import At


def places_of(network: ExpandedNetwork, lines: Lines, path: str) -> tuple[Span, ...]:
    """The locations of every layer on the way to `path`, from the network down, without repeats.

    If a path leads out of the network, the way as far as it exists.
    """
    spans: list[Span] = []
    frame: Frame | None = None
    within: Container | None = network.root
    rest = path
    while within is not None and rest:
        children = (c for c in within.attributes if f"{rest}.".startswith(f"{c.attribute}."))
        child = next(children, None)
        if child is None:
            break
        step = child.attribute
        rest = rest[len(step) + 1 :]
        site = next((site for name, site in within.sites if name == step), None)
        span = lines.span(place_of(child.at, frame) or _named(site, frame))
        if span is not None and span not in spans:
            spans.append(span)
        frame = frame_inside(site, frame)
        within = None if isinstance(site, OpSite) or site is None else site.container
    return tuple(spans)


def _named(site: Site | None, frame: Frame | None) -> At | None:
    """Where the body names the part of a layer that is not from a spec."""
    return place_of(site.named, frame) if isinstance(site, OpSite) else None
