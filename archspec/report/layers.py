"""The table of layers: one row per layer, in execution order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archspec.analysis import Analysis, Row
from archspec.ir import Op
from archspec.ir.visitor import Visit, visits
from archspec.report.numbers import TIMES, exact, sizes

FLOAT = 4  # bytes


class Layer(NamedTuple):
    """One row: numbers to sort by, and texts to show.

    `again` marks a row that is folded, because its block equals the one before it. `times` is the
    number of equal blocks in a row. `kernel`, `stride`, and `groups` are "" for layers without
    them. `role` is "gate", "shortcut", or "".
    """

    number: int
    path: str
    op: str
    detail: str
    kernel: str
    stride: str
    groups: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    params: int
    macs: int
    role: str
    again: bool = False
    times: int = 1

    @property
    def cells(self) -> dict[str, str]:
        """The texts of shapes and numbers."""
        return {
            "input": sizes(self.input),
            "output": sizes(self.output),
            "params": exact(self.params),
            "macs": exact(self.macs),
        }

    @property
    def values(self) -> int:
        """The number of values of its output, for one sample."""
        return math.prod(self.output)

    @property
    def bytes(self) -> int:
        """The bytes of its output in float32, for one sample."""
        return self.values * FLOAT


def layers_of(analysis: Analysis) -> list[Layer]:
    """All layers that run, except identities."""
    assert analysis.network is not None
    pairs = zip(analysis.rows, visits(analysis.network), strict=True)
    rows = [(row, visit) for row, visit in pairs if row.op != "Identity"]
    return folded([_layer(number, *pair) for number, pair in enumerate(rows, 1)])


def _layer(number: int, row: Row, visit: Visit) -> Layer:
    site = visit.site
    details = _details(site.op, site.call.arguments, site.x.rank)
    costs = (row.output, row.params, row.macs)
    return Layer(number, row.path, row.op, *details, site.x.sizes, *costs, visit.role)


def _details(op: Op, arguments: dict[str, Any], rank: int) -> tuple[str, str, str, str]:
    """Kernel, stride, and groups, and the other arguments to show."""
    dilation = _alike(arguments.get("dilation", 1))
    to = _window(arguments.get("output_size"), rank)
    said = [f"dilation {dilation}" * (dilation != "1"), f"to {to}" * bool(to)]
    kernel = arguments.get("kernel_size")
    return (
        ", ".join(filter(None, said)),
        _window(kernel, rank),
        _alike(arguments.get("stride") or op.strides()) if kernel is not None else "",
        _alike(arguments.get("groups")),
    )


def _window(size: Any, rank: int) -> str:
    """The sizes in all dimensions, with a separator."""
    if size is None:
        return ""
    return TIMES.join(map(str, [size] * rank if isinstance(size, int) else size))


def _alike(size: Any) -> str:
    """A single number if all dimensions have the same."""
    same = not isinstance(size, Sequence) or len(set(size)) == 1
    return _window(size[0] if same and isinstance(size, Sequence) else size, 1)


# Repeats --------------------------------------------------------------------------------

_Block = tuple[str, int, str]  # path of its sequence, its number, and the path inside it


def folded(rows: Sequence[Layer]) -> list[Layer]:
    """The rows; those whose block (`layer3.7`) equals the one before it (`layer3.6`) are marked."""
    inside: dict[tuple[str, int], list[Any]] = {}
    for row in rows:
        for head, number, tail in _blocks(row.path):
            facts = (tail, *row[2:11])
            inside.setdefault((head, number), []).append(facts)
    again = {
        (head, number)
        for (head, number), facts in inside.items()
        if facts == inside.get((head, number - 1))
    }
    return [_folded(row, again) for row in rows]


def _folded(row: Layer, again: set[tuple[str, int]]) -> Layer:
    blocks = [(head, number) for head, number, _ in _blocks(row.path)]
    if not again.isdisjoint(blocks):
        return row._replace(again=True)
    return row._replace(times=math.prod(_run(*block, again) for block in blocks))


def _blocks(path: str) -> Iterator[_Block]:
    """The numbered blocks around a layer, the outermost first."""
    parts = path.split(".")
    for place, part in enumerate(parts[:-1]):
        if part.isdecimal():
            yield ".".join(parts[:place]), int(part), ".".join(parts[place + 1 :])


def _run(head: str, number: int, again: set[tuple[str, int]]) -> int:
    """The number of consecutive equal blocks, starting with this one."""
    end = number + 1
    while (head, end) in again:
        end += 1
    return end - number
