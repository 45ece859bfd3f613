"""Contenders that take turns, and the table of what they took.

In each round every contender runs once. A ratio is the base's CPU time by the contender's in the
same round, so that whatever else the machine does meets both; the median of the rounds counts. The
first round warms up.
"""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter, truediv
from pathlib import Path
from typing import Any, NamedTuple

from child import measure


class Taken(NamedTuple):
    """Seconds of the CPU and by the clock."""

    cpu: float
    wall: float


Contender = Callable[[], Taken]
Turns = Mapping[str, Sequence[Taken]]


class Group(NamedTuple):
    """Rows of one table. `base` names the contender that the others are compared with.

    `missing` are contenders whose package isn't installed, and `clock` is the time of the ratios.
    """

    title: str
    note: str
    base: str
    turns: Turns
    missing: Sequence[str] = ()
    clock: str = "cpu"


def called(function: Callable[[], object]) -> Contender:
    """A call in this process."""

    def run() -> Taken:
        wall, cpu = time.perf_counter(), time.process_time()
        function()
        return Taken(time.process_time() - cpu, time.perf_counter() - wall)

    return run


def command(words: Sequence[str], folder: Path, **environment: str) -> Contender:
    """A command in a process of its own. Raises `SystemExit` if it ends in a traceback."""

    def run() -> Taken:
        wall = time.perf_counter()
        used = measure([*words], folder, **environment)
        said = (folder / "out.txt").read_text("utf-8", "replace")
        if "Traceback (most recent call last)" in said:
            raise SystemExit(f"{' '.join(words)}\n{said}")
        return Taken(used.seconds, time.perf_counter() - wall)

    return run


def in_turns(contenders: Mapping[str, Contender], rounds: int) -> Turns:
    """What each took in each round."""
    found = [{name: run() for name, run in contenders.items()} for _ in range(rounds + 1)]
    return {name: [turn[name] for turn in found[1:]] for name in contenders}


def row(
    name: str, taken: Sequence[Taken], base: Sequence[Taken], clock: str = "cpu"
) -> dict[str, Any]:
    """The medians of a contender, and its ratio to the base with the quartiles."""
    of = attrgetter(clock)
    ratios = [*map(truediv, map(of, base), map(of, taken))]
    low, middle, high = statistics.quantiles(ratios, n=4)
    cpu, wall = (statistics.median(1000 * seconds for seconds in part) for part in zip(*taken))  # noqa: B905
    found = {"cpu_ms": cpu, "wall_ms": wall, "ratio": middle, "low": low, "high": high}
    return {"name": name, **{key: float(f"{value:.4g}") for key, value in found.items()}}


def table(group: Group) -> dict[str, Any]:
    """A group as data."""
    base = group.turns[group.base]
    rows = [row(name, taken, base, group.clock) for name, taken in group.turns.items()]
    return {**group._asdict(), "turns": len(base), "rows": rows, "missing": [*group.missing]}


def machine() -> dict[str, Any]:
    """Where and when it is measured."""
    names = [line for line in _cpu_info() if line.startswith("model name")]
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": names[0].partition(":")[2].strip() if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _cpu_info() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text("utf-8").splitlines() if path.exists() else []


def page(data: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    lines = [HEAD.format(**data)]
    for group in data["groups"]:
        lines += [f"## {group['title']}", "", group["note"], ""]
        lines += [f"| {group['turns']} rounds | CPU | wall | ratio | quartiles |"]
        lines += ["| --- | --: | --: | --: | --: |", *map(_line, group["rows"])]
        lines += [f"| {name} | not installed | | | |" for name in group["missing"]]
        lines += [""]
    return "\n".join(lines)


def _line(row: Mapping[str, Any]) -> str:
    times = f"{_time(row['cpu_ms'])} | {_time(row['wall_ms'])}"
    quartiles = f"{_number(row['low'])} to {_number(row['high'])}"
    return f"| {row['name']} | {times} | {_number(row['ratio'])} | {quartiles} |"


def _time(milliseconds: float) -> str:
    return f"{_number(milliseconds)} ms" if milliseconds < 1e4 else f"{milliseconds / 1e3:.1f} s"


def _number(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


HEAD = """\
# Benchmarks

These tables compare archspec with other tools, also where archspec is slower. In each round, every
row of a table runs once, one after the other. The ratio is the CPU time of the first row, which is
in bold in the text, divided by that of the row in the same round: above 1, the row is faster. All
figures are medians over the rounds, with the quartiles of the ratio.

Measured on {date} on {cores} cores of {cpu}, with Python {python} and torch {torch}. Everything
runs on one thread. In the same run, matrix products reach {fp32:.0f} G multiply-adds per second in
float32 and {bf16:.0f} in bfloat16.

Run the benchmarks again with `python benchmarks/table.py`, which also writes this page and
[benchmarks.json](benchmarks.json).
"""
