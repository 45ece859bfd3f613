"""Which layers of the network share a statement of its `forward`.

A stage has its own line, and so does a block that has several inputs or outputs or is the only one
of its class. Other blocks share a line, up to three layers; a block whose input has a different
spatial size starts a new line.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from archspec.codegen.containers import reached
from archspec.ir import Apply, Body, Chain, applications
from archspec.ir.classes import Class, New, Sequential

MOST = 3  # calls on a line with blocks


class Grouped:
    """The calls on a line of the network's `forward`; other classes have no such lines."""

    def __init__(self, network: Class | None) -> None:
        self.size: tuple[int, ...] | None = None  # of the image, so far
        self.alone: set[str] = set()
        self.blocks: dict[str, str] = {}  # those that share a line, and their calls
        self.resized = False  # on this line
        layers = network.applied if network else {}
        times = Counter(map(_kind, layers.values()))
        body: Body = network.body if network else Chain()
        linked = {one.layer for one in applications(body) if one.inputs or one.outputs}
        for name, new in layers.items():
            lone = name in linked or times[_kind(new)] == 1
            if isinstance(new, Sequential) or (_kind(new) and lone):
                self.alone.add(name)
            elif _kind(new) and network:
                self.blocks[name] = f"{reached(name, network)}("

    def begins(self, name: str, text: str) -> bool:
        """Whether a layer has to start a line, after the calls on one so far."""
        if "self." not in text:
            self.resized = False
            return False
        full = text.count("self.") >= MOST and self._has_blocks(text)
        new = name in self.alone or full or (self.resized and name in self.blocks)
        self.resized = self.resized and not new
        return new

    def ends(self, layer: Apply) -> bool:
        """Whether a line ends with this layer."""
        size = layer.site.y.spatial if layer.site else None
        self.resized, self.size = self.resized or size != self.size, size
        return layer.layer in self.alone

    def _has_blocks(self, text: str) -> bool:
        return any(call in text for call in self.blocks.values())


def _kind(new: Any) -> Class | None:
    """The class of a layer, if it consists of others."""
    what = new.what if isinstance(new, New) else None
    return what if isinstance(what, Class) else None
