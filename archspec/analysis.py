"""Shapes, parameters and multiply-adds of a network, layer by layer, without torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import NamedTuple

from archspec.ir import Add, Apply, Body, Chain, Collect, Concat, Multiply, Op, Split
from archspec.ir.tree import BlockCall, Container, ExpandedNetwork, ModuleNode, OpCall, OpSite, Site
from archspec.ir.visitor import visits
from archspec.memo import Memo, remember


class Row(NamedTuple):
    """One layer: where it is, what it is, what leaves it, and what it costs.

    `output` is the shape of one sample; `macs` counts a multiply-add of a convolution,
    linear, recurrent or attention layer once; bias, norm, activation and pooling count nothing.
    """

    path: str
    op: str
    output: tuple[int, ...]
    params: int
    macs: int
    layer: Op


class Cost(NamedTuple):
    """Parameters, multiply-adds, and weighted layers on the longest way through."""

    params: int = 0
    macs: int = 0
    depth: int = 0


@dataclass(frozen=True)
class Analysis:
    """What a network comes to. `depth` counts weighted layers on the main path (see docs)."""

    name: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    params: int
    macs: int
    depth: int
    outputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False)
    network: ExpandedNetwork | None = field(default=None, repr=False, compare=False)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The layers in the order in which they run; parameters are counted the first time."""
        seen: set[str] = set()
        rows = []
        for visit in visits(self.network) if self.network else ():
            op, y = visit.site.op, visit.site.y
            params = 0 if visit.path in seen else op.parameters()
            seen.add(visit.path)
            rows.append(Row(visit.path, visit.site.call.torch, y.sizes, params, op.macs(y), op))
        return tuple(rows)

    @property
    def state(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the network's `state_dict`, in the order of computation."""
        return state(self.rows)

    def __str__(self) -> str:
        """The table that `archspec show` prints."""
        return table(self)

    def _repr_html_(self) -> str:
        """The same table in a notebook."""
        head, columns, rows, total = _table(self, None)
        lines = [_html(columns, "th"), *(_html(row, "td") for row in rows), _html(total, "th")]
        return f"<table><caption>{escape(head)}</caption>{''.join(lines)}</table>"

    @property
    def activations(self) -> int:
        """Numbers that leave all layers together, for one sample."""
        return sum(math.prod(row.output) for row in self.rows)


def state(rows: Iterable[Row]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of what is saved of these layers."""
    return {
        f"{row.path}.{name}": shape
        for row in rows
        for name, shape in (row.layer.weights() | row.layer.buffers()).items()
    }


def analyze_network(network: ExpandedNetwork, *, memo: Memo | None = None) -> Analysis:
    """What the network comes to, from what its blocks come to."""
    memo = memo or Memo()  # blocks that are alike are counted once either way
    whole = _cost(network.root, memo=memo)
    tops = network.root.sites
    depths = [(name, _cost_at(site, memo).depth) for name, site in tops]
    return Analysis(
        network.name,
        network.input.sizes,
        network.output.sizes,
        whole.params,
        whole.macs,
        _depth(depths, network.stages),
        {name: site.y.sizes for name, site in tops},
        network,
    )


def _depth(depths: list[tuple[str, int]], stages: tuple[str, ...]) -> int:
    """Weighted layers on the longest way; a stem of several counts as one (He et al., 2015)."""
    first = next((place for place, (name, _) in enumerate(depths) if name in stages), 0)
    stem = sum(depth for _, depth in depths[:first])
    return min(stem, 1) + sum(depth for _, depth in depths[first:])


def _cost(container: Container, *, memo: Memo | None) -> Cost:
    params = sum(_parameters(child.module, memo) for child in container.attributes)
    macs, depth = _through(container.body, 0, memo)
    return Cost(params, macs, depth)


_cost_of_part = remember(_cost)  # a network itself is met once


def _parameters(module: ModuleNode, memo: Memo | None) -> int:
    if isinstance(module, OpCall):
        return module.op.parameters()
    container = module.instance if isinstance(module, BlockCall) else module
    return _cost_of_part(container, memo=memo).params


def _cost_at(site: Site | None, memo: Memo | None) -> Cost:
    """Multiply-adds and depth of an application."""
    if site is None:
        return Cost()
    if isinstance(site, OpSite):
        macs = site.op.macs(site.y)
        return Cost(0, macs, int(macs > 0))
    return _cost_of_part(site.container, memo=memo)


def _through(body: Body, depth: int, memo: Memo | None) -> tuple[int, int]:
    """Multiply-adds of a body, and the weighted layers passed at its end."""
    match body:
        case Apply(site=site):
            cost = _cost_at(site, memo)
            return cost.macs, depth + cost.depth
        case Chain(steps=parts):
            return _in_turn(parts, depth, memo)
        case Collect(parts=parts):
            return _in_turn([part for _, part in parts], depth, memo)
        case Add() | Concat() | Split() | Multiply():
            ways = [_through(branch, depth, memo) for branch in body.branches]
            longest = ways[0][1] if isinstance(body, Multiply) else max(d for _, d in ways)
            return sum(macs for macs, _ in ways), longest
    return 0, depth


def _in_turn(parts: Iterable[Body], depth: int, memo: Memo | None) -> tuple[int, int]:
    total = 0
    for part in parts:
        macs, depth = _through(part, depth, memo)
        total += macs
    return total, depth


# As a table -------------------------------------------------------------------------------

COLUMNS = ("layer", "op", "output", "parameters", "MACs")
_Cells = tuple[str, ...]


def table(analysis: Analysis, depth: int | None = None) -> str:
    """The layers line by line, and their sum; names are cut after `depth` parts."""
    head, columns, rows, total = _table(analysis, depth)
    wide = [max(map(len, column)) for column in zip(columns, *rows, total, strict=True)]
    rule = "-" * (sum(wide) + 8)
    lines = [_line(row, wide) for row in rows]
    return "\n".join([head, "", _line(columns, wide), rule, *lines, rule, _line(total, wide)])


def _table(analysis: Analysis, depth: int | None) -> tuple[str, _Cells, list[_Cells], _Cells]:
    """What stands above it, the names of its columns, its rows, and the last of them."""
    rows: list[_Cells] = [
        (path, op, _sizes(output), _number(params), _number(macs))
        for path, op, output, params, macs in _rows(analysis, depth)
    ]
    total = ("total", "", _sizes(analysis.output), _number(analysis.params), _number(analysis.macs))
    head = f"{analysis.name}: input {_sizes(analysis.input)}, {analysis.depth} weighted layers"
    return head, COLUMNS, rows, total


def _html(row: _Cells, tag: str) -> str:
    left = "".join(f'<{tag} style="text-align: left">{escape(text)}</{tag}>' for text in row[:3])
    right = "".join(f'<{tag} style="text-align: right">{text}</{tag}>' for text in row[3:])
    return f"<tr>{left}{right}</tr>"


def _rows(
    analysis: Analysis, depth: int | None
) -> list[tuple[str, str, tuple[int, ...], int, int]]:
    """One row a layer, or a part of the network where names are cut after `depth` parts."""
    rows: dict[str, tuple[str, str, tuple[int, ...], int, int]] = {}
    for place, row in enumerate(analysis.rows):
        if row.op == "Identity":
            continue
        parts = row.path.split(".")
        cut = depth is not None and len(parts) > depth
        path = ".".join(parts[:depth]) if cut else row.path
        key = path if cut else f"{path} {place}"
        op = "" if cut else row.op
        before = rows.get(key, (path, op, (), 0, 0))
        rows[key] = (path, op, row.output, before[3] + row.params, before[4] + row.macs)
    return list(rows.values())


def _line(row: tuple[str, ...], wide: list[int]) -> str:
    left = [f"{text:{width}}" for text, width in zip(row[:3], wide[:3], strict=True)]
    right = [f"{text:>{width}}" for text, width in zip(row[3:], wide[3:], strict=True)]
    return "  ".join(left + right).rstrip()


def _sizes(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _number(number: int) -> str:
    return f"{number:,}" if number else ""
