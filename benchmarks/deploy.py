"""Files for inference beside torchvision's eager networks, on one thread.

    python benchmarks/deploy.py [--rounds 15] [--batches 1 16] [SPEC ...]

In each round every network runs once, one after the other; a ratio is torchvision's time by ours
in the same round, and the median of them is printed with the quartiles. Times are of the CPU, which
another process on the machine disturbs less than the wall's. `peak` is the share of what matrix
products of the same type reach in this run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from torch import Tensor, nn

import archspec
from archspec.verify.peers import torchvision_models
from archspec.verify.tensors import apart, images, randomise

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def deployed(spec: str, weights: Path, dtype: torch.dtype) -> nn.Module:
    """The network of a file for inference, with the weights of training."""
    namespace: dict[str, Any] = {"__name__": f"benchmarks.{spec}"}
    exec(compile(archspec.render_deploy(spec), f"<{spec}_deploy.py>", "exec"), namespace)
    module: nn.Module = namespace["from_training_checkpoint"](weights, dtype=dtype)
    return module


def timed(run: Callable[[], Any]) -> float:
    """Seconds of the CPU."""
    start = time.process_time()
    run()
    return time.process_time() - start


def peak(dtype: torch.dtype) -> float:
    """Multiply-adds a second of the fastest of some matrix products."""
    size = 2048
    a, b = torch.randn(2, size, size).to(dtype)
    a @ b
    return size**3 / min(timed(lambda: a @ b) for _ in range(8))


def compare(spec: str, batches: list[int], rounds: int, peaks: Mapping[str, float]) -> None:
    """One line for each batch size and type."""
    other = torchvision_models().get_model(spec, weights=None).eval()
    randomise(other)
    macs = archspec.analyze(spec).macs
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.pt"
        torch.save(other.state_dict(), weights)
        ours = {name: deployed(spec, weights, dtype) for name, dtype in TYPES.items()}
    for batch in batches:
        x = images(batch, 3, 224, 224)
        first = {name: timed(partial(model, x)) for name, model in ours.items()}
        expected = other(x)
        errors = {name: apart(m(x).float(), expected) for name, m in ours.items()}
        ratios, times = rounds_of(other, ours, x, rounds)
        for name in ours:
            low, mid, high = quantiles(ratios[name], n=4)
            used = macs * batch / median(times[name]) / peaks[name]
            print(
                f"{spec:10} batch {batch:2} {name}  {mid:5.2f}x ({low:.2f} to {high:.2f})  "
                f"{median(times[name]) * 1e3:7.1f} ms, torchvision {median(times['']) * 1e3:7.1f}  "
                f"peak {used:4.0%}  first {first[name]:.2f} s  error {errors[name]:.0e}",
                flush=True,
            )


def rounds_of(
    other: nn.Module, ours: Mapping[str, nn.Module], x: Tensor, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """The ratios of each round, and the times; "" is torchvision."""
    ratios: dict[str, list[float]] = {name: [] for name in ours}
    times: dict[str, list[float]] = {name: [] for name in ["", *ours]}
    for _ in range(rounds):
        now = {name: timed(partial(model, x)) for name, model in {"": other, **ours}.items()}
        for name, seconds in now.items():
            times[name].append(seconds)
        for name in ours:
            ratios[name].append(now[""] / now[name])
    return ratios, times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=["resnet18", "resnet50"], metavar="SPEC")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16])
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, one thread")
    with torch.inference_mode():
        peaks = {name: peak(dtype) for name, dtype in TYPES.items()}
        print(
            *(f"{name} {rate / 1e9:.0f} G multiply-adds a second" for name, rate in peaks.items())
        )
        for spec in args.specs:
            compare(spec, args.batches, args.rounds, peaks)


if __name__ == "__main__":
    main()
