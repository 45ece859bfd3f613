"""How long it takes to build a network: with fresh weights, and with none, to be loaded.

    python benchmarks/construction.py [SPEC] [--runs 15]

Both are taken in turn in one process, from the name of the spec to the module; the table says
the median of each and their quotient. `from_weights` also reads a checkpoint of the network.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

import archspec
from archspec.api import network
from archspec.runtime import build


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", nargs="?", default="resnet50")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lowered = network(options.spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_file(archspec.build_module(options.spec).state_dict(), path)
        ways: dict[str, Callable[[], object]] = {
            "build_module": lambda: archspec.build_module(options.spec),
            "build_module, init=False": lambda: archspec.build_module(options.spec, init=False),
            "from_weights": lambda: archspec.from_weights(options.spec, path),
            "lowered: build": lambda: build(lowered),
            "lowered: build, init=False": lambda: build(lowered, init=False),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(options.runs + 1):
            for name, way in ways.items():
                took = seconds(way)
                if turn:  # the first turn warms up
                    times[name].append(took)
    full = statistics.median(times["build_module"])
    print(f"{options.spec}, {options.runs} runs, torch {torch.__version__}, one thread")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:28} {1000 * median:8.1f} ms  {median / full:6.3f}x  min {min(taken):.4f} s")


if __name__ == "__main__":
    main()
