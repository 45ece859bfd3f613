"""Which layers of the network stand together in one statement of its `forward`.

A stage has a line for itself, and so has a block that takes or gives several tensors or is the only
one of its class. Other blocks share a line, up to three layers; one that takes an image of another
size than the line does begins another.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from archspec.codegen.containers import reached
from archspec.ir import Apply, Body, Chain, Class, New, Sequential, applications

MOST = 3  # calls in a line with blocks


class Grouped:
    """What a line of the network's `forward` holds; other classes have no such lines."""

    def __init__(self, network: Class | None) -> None:
        self.size: tuple[int, ...] | None = None  # of the image, where it has got to
        self.alone: set[str] = set()
        self.blocks: dict[str, str] = {}  # those that share a line, and how they are called
        self.resized = False  # in this line
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
        """Whether a layer has to begin a line, behind what is called in one so far."""
        if "self." not in text:
            self.resized = False
            return False
        full = text.count("self.") >= MOST and self._has_blocks(text)
        new = name in self.alone or full or (self.resized and name in self.blocks)
        self.resized = self.resized and not new
        return new

    def ends(self, layer: Apply) -> bool:
        """Whether a line is done with this layer."""
        size = layer.site.y.spatial if layer.site else None
        self.resized, self.size = self.resized or size != self.size, size
        return layer.layer in self.alone

    def _has_blocks(self, text: str) -> bool:
        return any(call in text for call in self.blocks.values())


def _kind(new: Any) -> Class | None:
    """The class that a layer is of, if it is made of others."""
    what = new.what if isinstance(new, New) else None
    return what if isinstance(what, Class) else None
