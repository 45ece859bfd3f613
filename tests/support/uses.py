"""Specs that use a few blocks with many different arguments: which uses are one class, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

SIZES = ("channels", "in_channels", "w", "2 * w", "channels // 2", "w // 2", "growth")
SIZES += ("in_channels + growth", "max(w, channels)", "w * (depth + 1)", "round_to(w * 0.75, 8)")
CONDITIONS = ("flag", "not flag", "depth > 1", "depth == 2", "w > channels", "w != in_channels")
CONDITIONS += ("growth > 8", "flag and depth > 0", "channels == in_channels")
COUNTS = ("depth", "depth + 1", "2 * depth", 2, 3)
ENDS = ("channels", "channels", "w", "in_channels", "growth * 2", 16)
GIVEN = {
    "w": (8, 16, 24, 32),
    "growth": (8, 16, 24),
    "depth": (0, 1, 2, 3, 4),
    "flag": (False, True),
}
DEFAULTS = {"w": (16, "channels", "2 * channels"), "growth": (8,), "depth": (1,), "flag": (False,)}
PASSED = {"w": SIZES, "growth": (8, "growth", "w"), "depth": ("depth", "depth + 1", 1, 2)}
PASSED |= {"flag": ("flag", "not flag", True)}


@dataclass
class Uses:
    """The blocks so far; `keep` are those whose output has `channels` channels."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    blocks: dict[str, Any] = field(default_factory=dict)
    keep: set[str] = field(default_factory=set)

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def chance(self, of_ten: int) -> bool:
        return bool(self.draw(st.integers(0, 9)) < of_ten)

    def some(self, choices: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
        return {name: self.one_of(*found) for name, found in choices.items() if self.chance(5)}

    def times(self, low: int, high: int) -> range:
        return range(self.draw(st.integers(low, high)))

    def call(self, name: str, sizes: tuple[Any, ...], given: dict[str, tuple[Any, ...]]) -> Any:
        channels = {"channels": self.one_of(*sizes)} if name in self.keep and self.chance(7) else {}
        return {name: channels | self.some(given)}

    def single(self) -> Any:
        size = self.one_of(*SIZES)
        layers = [{"conv": {"channels": size, "kernel": self.one_of(1, 3)}}, {"conv": size}]
        layers += [{"norm": {}}, {"act": {}}, {"conv_norm_act": size}]
        layers += [self.call(name, SIZES, PASSED) for name in self.blocks]
        return self.one_of(*layers)

    def row(self) -> Any:
        children = []
        for _ in self.times(1, 3):
            child = self.single()
            if self.chance(4):
                child["repeat"] = self.one_of(*COUNTS)
            if self.chance(3):
                child["when"] = self.one_of(*CONDITIONS)
            children.append([child, self.single()] if self.chance(2) else child)
        return {"sequence": children}

    def layer(self) -> Any:
        kinds: list[Callable[[], Any]] = [self.single, self.single, self.row, self.row]
        kinds.append(lambda: {"concat": [[], [self.single()]]})
        kinds.append(lambda: {"residual": [self.single()], "shortcut": "none"})
        made = self.one_of(*kinds)()
        return {**made, "when": self.one_of(*CONDITIONS)} if self.chance(2) else made

    def block(self) -> dict[str, Any]:
        body = [self.layer() for _ in self.times(1, 4)]
        return {
            "args": {name: self.one_of(*found) for name, found in DEFAULTS.items()},
            "body": [{"concat": [[], body]}] if self.chance(3) else body,
        }


@st.composite
def uses(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    """A mapping that `archspec.load` takes, unless sizes do not fit."""
    drawn = Uses(draw)
    for name in ("inner", "outer", "whole")[: draw(st.integers(1, 3))]:
        block, end = drawn.block(), drawn.one_of(*ENDS)
        block["body"].append({"conv": end})
        drawn.blocks[name] = block
        drawn.keep |= {name} if end == "channels" else set()
    stem: list[Any] = [{"conv": 16}]
    for _ in drawn.times(2, 5):
        layer = drawn.call(drawn.one_of(*drawn.blocks), (8, 16, 24, 32), GIVEN)
        stem.append({**layer, "repeat": drawn.one_of(1, 1, 2)})
    return {"name": "drawn", "input": [3, 6, 6], "stem": stem, "blocks": drawn.blocks}
