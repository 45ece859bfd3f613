"""Images a second of training steps: the rendered script's beside torchvision's network.

    python benchmarks/train.py [--rounds 8] [--steps 6] [--batch-size 16] [--threads 2]

A step is forward, loss, backward and optimiser, on made-up images of 224 x 224. On a CPU that is
ResNet-18, on a GPU ResNet-50 in bfloat16 with batches of 256. Ours is `train` of the script that
archspec renders, with all that it does for a step: it takes bytes from memory, prepares them, and
follows its schedule. The peer is a bare loop over one batch that is ready.

Each contender lives in a process of its own, since some settings (the allocator's, cuDNN's) hold
for a whole process. They take turns, so that whatever else the machine does meets all of them,
and each turn begins with steps that are not counted. A ratio is the median of the ratios of the
rounds, to the first of the table; that of CPU time is nearly free of what else is running.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

MLPERF = 7162  # images/s of ResNet-50 on an H100: MLPerf Training 4.0, the record for one


@dataclass(frozen=True)
class Contender:
    """A way to train; without `ours` it is torchvision's network in a bare loop."""

    name: str
    ours: bool
    precision: str
    compile: bool = False
    channels_last: bool = True


ON_CPU = (
    Contender("torchvision fp32", False, "fp32", channels_last=False),
    Contender("torchvision bf16 channels_last", False, "bf16"),
    Contender("archspec fp32", True, "fp32"),
    Contender("archspec bf16", True, "bf16"),
    Contender("archspec bf16 compiled", True, "bf16", compile=True),
)
ON_GPU = (
    Contender("torchvision channels_last", False, "bf16"),
    Contender("torchvision", False, "bf16", channels_last=False),
    Contender("torchvision channels_last compiled", False, "bf16", compile=True),
    Contender("archspec", True, "bf16"),
    Contender("archspec compiled", True, "bf16", compile=True),
)


class OverError(Exception):
    """There is no further turn."""


class Turns:
    """Holds a process between its turns, and times them."""

    def __init__(self, pipe: Connection, steps: int, warm: int) -> None:
        self.pipe, self.steps, self.left = pipe, steps, 0
        self.length = steps + warm

    def step(self) -> None:
        """To be called ahead of each step."""
        if self.left == 0:
            self.wait()
        if self.left == self.steps:
            self.began = self.now()
        self.left -= 1

    def wait(self) -> None:
        """Say how long the turn took, as (wall, CPU) seconds, and wait for the next."""
        now = self.now()
        began = getattr(self, "began", now)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # the next contender needs the memory
        self.pipe.send((now[0] - began[0], now[1] - began[1]))
        if not self.pipe.recv():
            raise OverError
        self.left = self.length

    @staticmethod
    def now() -> tuple[float, float]:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter(), time.process_time()


def train_ours(contender: Contender, turns: Turns, options: argparse.Namespace) -> None:
    """Run the rendered script. It asks for its learning rate once a step."""
    sys.path.insert(0, options.folder)
    script: Any = importlib.import_module(f"train_{options.network}")
    rate, count = script.learning_rate, (options.rounds + 2) * turns.length

    def paced(*step: Any) -> float:
        turns.step()
        return float(rate(*step))

    script.learning_rate = paced
    compile = "--compile" if contender.compile else "--no-compile"
    out = f"{options.folder}/{os.getpid()}"
    run(script, count, options.batch_size, compile, "--precision", contender.precision, out=out)


def run(script: Any, steps: int, batch_size: int, *words: str, out: str) -> None:
    """The script's `main`, on images for so many steps: no evaluation is among them."""
    synthetic = script.synthetic

    def enough(_: int, seed: int) -> tuple[Tensor, Tensor]:
        images, labels = synthetic(64, seed)
        training = seed == script.seed_of("train")
        chosen = torch.arange(steps * batch_size if training else 64) % 64
        return images[chosen], labels[chosen]

    script.synthetic = enough
    sys.argv[1:] = ["--out", out, "--batch-size", str(batch_size), *words]
    with contextlib.redirect_stdout(io.StringIO()):
        script.main()


def train_torchvision(contender: Contender, turns: Turns, options: argparse.Namespace) -> None:
    """torchvision's network, with the settings of its reference script."""
    sys.path.append(str(Path(__file__).parent.parent / "tests"))
    from support.peers import torchvision_model

    device = "cuda" if torch.cuda.is_available() else "cpu"
    layout = torch.channels_last if contender.channels_last else torch.contiguous_format
    torch.backends.cudnn.benchmark = True
    model: Any = torchvision_model(options.network).to(device, memory_format=layout)
    forward = torch.compile(model) if contender.compile else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    x = torch.randn(options.batch_size, 3, 224, 224, device=device).to(memory_format=layout)
    y = torch.randint(1000, (options.batch_size,), device=device)
    while True:
        turns.step()
        with torch.autocast(device, torch.bfloat16, contender.precision == "bf16"):
            loss = F.cross_entropy(forward(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def work(contender: Contender, pipe: Connection, options: argparse.Namespace) -> None:
    """The process of a contender."""
    torch.set_num_threads(options.threads)
    turns = Turns(pipe, options.steps, options.warm)
    with contextlib.suppress(OverError):
        (train_ours if contender.ours else train_torchvision)(contender, turns, options)


def compete(
    contenders: Sequence[Contender], options: argparse.Namespace
) -> list[list[tuple[float, float]]]:
    """(wall, CPU) seconds of each turn, by contender; the first turn is not counted."""
    processes, pipes = [], []
    context = multiprocessing.get_context("spawn")
    for contender in contenders:
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(contender, theirs, options), daemon=True)
        process.start()
        theirs.close()
        ours.recv()  # it is ready
        processes.append(process)
        pipes.append(ours)
    times: list[list[tuple[float, float]]] = [[] for _ in contenders]
    for turn in range(options.rounds + 1):
        for pipe, taken in zip(pipes, times, strict=True):
            pipe.send(True)
            took = pipe.recv()
            if turn:
                taken.append(took)
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(False)
        process.join()
    return times


def render(network: str, folder: str, batch_size: int) -> None:
    """Write a network and its training script."""
    import archspec
    from archspec.cli.rendering import render_all

    recipe = {"data": "synthetic", "epochs": 1, "batch_size": batch_size, "lr": 0.1}
    spec = {"name": network, "extends": network, "train": {**recipe, "weight_decay": 1e-4}}
    files, findings = render_all([archspec.load(spec)], {})
    assert not findings
    for name, text in files.items():
        Path(folder, name).write_text(text, "utf-8")


def ratio(
    first: Sequence[tuple[float, float]], taken: Sequence[tuple[float, float]], clock: int
) -> float:
    """How much faster the second is: the median over the rounds."""
    return statistics.median(a[clock] / b[clock] for a, b in zip(first, taken, strict=True))


def report(
    contenders: Sequence[Contender],
    times: Sequence[Sequence[tuple[float, float]]],
    options: argparse.Namespace,
) -> None:
    """The table."""
    gpu = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if gpu else f"CPU, {options.threads} threads"
    print(f"{options.network}, batch {options.batch_size}, torch {torch.__version__}, {where}")
    print(f"{options.rounds} rounds of {options.steps} steps\n")
    print(f"{'':36} {'images/s':>9} {'wall':>7} {'CPU':>7}")
    for contender, taken in zip(contenders, times, strict=True):
        wall = statistics.median(turn[0] for turn in taken)
        speed = options.steps * options.batch_size / wall
        line = f"{contender.name:36} {speed:9,.1f}"
        line += "".join(f" {ratio(times[0], taken, clock):6.2f}x" for clock in (0, 1))
        share = f"  {speed / MLPERF:.0%} of {MLPERF:,}" if gpu else ""
        print(line + share)
    if gpu:
        print(f"\n{MLPERF:,} images/s is the MLPerf Training 4.0 record of an H100.")


def main() -> None:
    """Measure and report."""
    gpu = torch.cuda.is_available()
    contenders = ON_GPU if gpu else ON_CPU
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add: Callable[..., Any] = parser.add_argument
    add("--network", default="resnet50" if gpu else "resnet18")
    add("--batch-size", type=int, default=256 if gpu else 16)
    add("--rounds", type=int, default=8)
    add("--steps", type=int, default=40 if gpu else 4, help="of a turn, counted")
    add("--warm", type=int, default=10 if gpu else 1, help="of a turn, not counted")
    add("--threads", type=int, default=torch.get_num_threads())
    add("--eager", action="store_true", help="leave out what is compiled")
    options = parser.parse_args()
    contenders = tuple(c for c in contenders if not (c.compile and options.eager))
    with tempfile.TemporaryDirectory() as options.folder:
        render(options.network, options.folder, options.batch_size)
        report(contenders, compete(contenders, options), options)


if __name__ == "__main__":
    main()
