"""The share of time in which a GPU waits for the training script.

    python benchmarks/waits.py [--network resnet50] [--batch-size 256] [--steps 40] [--compile]

The profiler says when kernels and copies ran, during steps of the rendered script on made-up
images in memory. The time that none of them covers is waiting. Looks at the loss are among the
steps, an evaluation is not. On a CPU its operators stand for kernels, which tries the program out
and says little.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from train import render, run


class OverError(Exception):
    """All steps are done that were asked for."""


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """How much time lies in one span at least."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def profiled(script: Any, options: argparse.Namespace, folder: str) -> profile:
    """The profile of the last steps of a run."""
    gpu = torch.cuda.is_available()
    profiler = profile(activities=[ProfilerActivity.CUDA if gpu else ProfilerActivity.CPU])
    rate, length = script.learning_rate, options.warm + options.steps

    def counted(step: int, *rest: Any) -> float:
        if step in (options.warm, length) and gpu:
            torch.cuda.synchronize()
        if step == options.warm:
            profiler.start()
        if step == length:
            profiler.stop()
            raise OverError
        return float(rate(step, *rest))

    script.learning_rate = counted
    compile = "--compile" if options.compile else "--no-compile"
    try:
        run(script, length + 1, options.batch_size, compile, out=f"{folder}/run")
    except OverError:
        return profiler
    raise AssertionError("the run has ended before its steps")


def main() -> None:
    """Measure and report."""
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add: Callable[..., Any] = parser.add_argument
    add("--network", default="resnet50")
    add("--batch-size", type=int, default=256)
    add("--steps", type=int, default=40, help="that are profiled")
    add("--warm", type=int, default=20, help="that are not")
    add("--compile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        render(options.network, folder, options.batch_size)
        sys.path.insert(0, folder)
        script = importlib.import_module(f"train_{options.network}")
        events: Any = profiled(script, options, folder).events()
    kind = DeviceType.CUDA if gpu else DeviceType.CPU
    work = [e for e in events if e.device_type == kind and not e.is_user_annotation]
    spans = [(event.time_range.start, event.time_range.end) for event in work]
    busy, wall = covered(spans), max(end for _, end in spans) - min(start for start, _ in spans)
    how = "compiled" if options.compile else "eager"
    print(
        f"{options.network} {how}: {wall / options.steps / 1000:.2f} ms a step, "
        f"waiting {1 - busy / wall:.1%} of the time"
    )


if __name__ == "__main__":
    main()
