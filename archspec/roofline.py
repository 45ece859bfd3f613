"""What limits each layer on a device: its operations or the bytes that it moves (the roofline).

Williams, Waterman and Patterson, "Roofline" (2009). Each layer runs separately, as in eager torch:
it reads its input and its weights, and writes its output. So the times are lower bounds for a
network without fused layers, and show where a faster kernel could help at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archspec.analysis import Analysis
from archspec.ir.visitor import visits


class Device(NamedTuple):
    """Peak operations per second in float32 and in 16 bits (dense), and memory bytes per second."""

    fp32: float
    low: float
    bandwidth: float


# : From the data sheets of NVIDIA, without sparsity.
DEVICES = {
    "v100": Device(15.7e12, 125e12, 900e9),
    "t4": Device(8.1e12, 65e12, 320e9),
    "a10": Device(31.2e12, 125e12, 600e9),
    "a100": Device(19.5e12, 312e12, 2039e9),
    "l4": Device(30.3e12, 121e12, 300e9),
    "rtx4090": Device(82.6e12, 165.2e12, 1008e9),
    "h100": Device(67e12, 989e12, 3350e9),
    "h200": Device(67e12, 989e12, 4800e9),
}


class Bound(NamedTuple):
    """A layer: its operations (two per multiply-add), bytes moved, and minimum time in seconds."""

    path: str
    op: str
    operations: int
    moved: int
    seconds: float
    compute: bool

    @property
    def intensity(self) -> float:
        """Operations per byte."""
        return self.operations / self.moved if self.moved else 0.0


def roofline(analysis: Analysis, device: Device, batch: int, precision: str) -> list[Bound]:
    """Each layer in the order in which it runs, for the forward pass of `batch` samples."""
    assert analysis.network is not None
    peak, width = (device.fp32, 4) if precision == "fp32" else (device.low, 2)
    found = []
    for row, visit in zip(analysis.rows, visits(analysis.network), strict=True):
        op, x, y = visit.site.op, visit.site.x, visit.site.y
        moved = 0 if op.view else batch * (x.elements + y.elements) + op.parameters()
        operations, size = 2 * batch * row.macs, moved * width
        times = operations / peak, size / device.bandwidth
        found.append(Bound(row.path, row.op, operations, size, max(times), times[0] > times[1]))
    return found


# As a table ------------------------------------------------------------------------------

LINE = "{:<{wide}}  {:>10}  {:>10}  {:>7}  {:>9}  {}"


def bounds_table(layers: Sequence[Bound], depth: int | None = None) -> Iterator[str]:
    """The layers line by line, and their sum; layers with equal `depth` names are one line."""
    found: dict[str, list[Bound]] = {}
    for layer in layers:
        name = ".".join(layer.path.split(".")[:depth]) if depth else layer.path
        found.setdefault(name, []).append(layer)
    wide = max(map(len, ("layer", *found)))
    head = LINE.format("layer", "GFLOP", "MB moved", "FLOP/B", "us", "bound by", wide=wide)
    rule = "-" * len(head)
    yield from (head, rule)
    for name, part in found.items():
        if any(layer.seconds for layer in part):
            yield _line(name, part, wide)
    yield from (rule, _line("total", layers, wide))


def _line(name: str, layers: Sequence[Bound], wide: int) -> str:
    operations, moved = sum(x.operations for x in layers), sum(x.moved for x in layers)
    seconds = sum(layer.seconds for layer in layers)
    numbers = f"{operations / 1e9:,.3f}", f"{moved / 1e6:,.2f}", f"{operations / moved:,.1f}"
    return LINE.format(name, *numbers, f"{seconds * 1e6:,.1f}", _bound(layers), wide=wide)


def _bound(layers: Sequence[Bound]) -> str:
    """The limit, or the fraction of the time of each limit."""
    busy = sum(layer.seconds for layer in layers if layer.compute)
    share = busy / sum(layer.seconds for layer in layers)
    if share in (0, 1):
        return "compute" if share else "memory"
    return f"compute {share:.0%}, memory {1 - share:.0%}"
