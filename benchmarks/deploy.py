"""Files for inference beside torchvision's eager networks, on one thread or on a GPU.

    python benchmarks/deploy.py [--rounds 15] [--batches 1 16] [--compile] [SPEC ...]

In each round every network runs once, one after the other; a ratio is torchvision's time by ours
in the same round, and the median of them is printed with the quartiles. `peak` is the share of what
matrix products of the same type reach in this run, and `first` the first call, with all that is
packed or compiled for it.

On a CPU, torchvision's network is in float32, and times are of the CPU, which another process on
the machine disturbs less than the wall's. On a GPU, all networks of a comparison have one type and
`channels_last`, the compiled ones use CUDA graphs, and times are by the clock.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from itertools import product
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import archspec
from archspec.verify.peers import torchvision_models
from archspec.verify.tensors import apart, images, randomise
from rounds import Contender, called, in_turns, row

GPU = torch.cuda.is_available()
CLOCKS = {"cpu": "cpu", "cuda": "wall"}
DEVICE = "cuda" if GPU else "cpu"
TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# The types that are compared: torchvision's, and ours.
COMPARED = [("fp16", ["fp16"]), ("bf16", ["bf16"])] if GPU else [("fp32", ["fp32", "bf16"])]
CALLS = 20 if GPU else 1  # of a turn: starting kernels overlaps with running them, as in a loop
Net = Callable[[Tensor], Tensor]


class Case(NamedTuple):
    """Networks compared on one input; the name of each ends in its type, the first is the base."""

    nets: Mapping[str, Net]
    x: Tensor


def deployed(spec: str, weights: Path, dtype: torch.dtype) -> nn.Module:
    """The network of a file for inference, with the weights of training."""
    namespace: dict[str, Any] = {"__name__": f"benchmarks.{spec}"}
    exec(compile(archspec.render_deploy(spec), f"<{spec}_deploy.py>", "exec"), namespace)
    module: nn.Module = namespace["from_training_checkpoint"](weights, dtype=dtype)
    return module


def case(spec: str, base: str, types: list[str], batch: int, compiled: bool, folder: Path) -> Case:
    """torchvision's network in the type `base`, and ours in each of `types`."""
    other, weights = torchvision_models().get_model(spec, weights=None).eval(), folder / "weights"
    randomise(other)
    torch.save(other.state_dict(), weights)
    like: dict[str, Any] = {"dtype": TYPES[base], "device": DEVICE}
    like["memory_format"] = torch.channels_last if GPU else torch.contiguous_format
    nets: dict[str, nn.Module] = {f"torchvision {base}": other.to(**like)}
    nets |= {f"archspec {n}": deployed(spec, weights, TYPES[n]).to(DEVICE) for n in types}
    more = {f"compiled {name}": fast(net) for name, net in nets.items() if compiled}
    return Case({**nets, **more}, images(batch, 3, 224, 224).to(**like))


def fast(net: nn.Module) -> Net:
    made: Net = torch.compile(net, dynamic=False, mode="reduce-overhead")
    return made


def runs(net: Net, x: Tensor, calls: int = 1) -> Contender:
    """Calls of a network, to the end of the last."""

    @torch.inference_mode()
    def run() -> None:
        for _ in range(calls):
            net(x)
        if x.is_cuda:
            torch.cuda.synchronize()

    return called(run)


def peak(name: str, device: str = DEVICE) -> float:
    """Multiply-adds a second of the fastest of some matrix products."""
    size = 8192 if device == "cuda" else 2048
    a, b = torch.randn(2, size, size).to(device, TYPES[name])
    multiply = runs(lambda x: x @ b, a)
    multiply()
    return float(size**3 / min(getattr(multiply(), CLOCKS[device]) for _ in range(8)))


def compare(found: Case, macs: int, rounds: int, peaks: Mapping[str, float]) -> None:
    """One line for each network."""
    (base, *_), clock = found.nets, CLOCKS[DEVICE]
    contenders = {name: runs(net, found.x, CALLS) for name, net in found.nets.items()}
    first = {name: contender().wall for name, contender in contenders.items()}
    turns = in_turns(contenders, rounds)
    expected = output(found, base)
    for name, taken in turns.items():
        ratio = row(name, taken, turns[base], clock)
        took = median(map(attrgetter(clock), taken)) / CALLS
        used = macs * len(found.x) / took / peaks[name.split()[-1]]
        print(
            f"batch {len(found.x):3}  {name:25} {ratio['ratio']:5.2f}x ({ratio['low']:.2f} to "
            f"{ratio['high']:.2f})  {1e3 * took:8.2f} ms  peak {used:4.0%}  first "
            f"{first[name]:5.2f} s  error {apart(output(found, name), expected):.0e}",
            flush=True,
        )


@torch.inference_mode()
def output(found: Case, name: str) -> Tensor:
    return found.nets[name](found.x).float()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=["resnet18", "resnet50"], metavar="SPEC")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--compile", action="store_true", help="compiled networks, too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    where = torch.cuda.get_device_name() if GPU else torch.backends.cpu.get_cpu_capability()
    print(f"torch {torch.__version__}, {where}, one thread")
    peaks = {name: peak(name) for _, types in COMPARED for name in types}
    print(*(f"{name} {rate / 1e9:,.0f} G multiply-adds a second" for name, rate in peaks.items()))
    for spec in args.specs:
        print(spec)
        for (base, types), batch in product(COMPARED, args.batches):
            with tempfile.TemporaryDirectory() as folder:
                found = case(spec, base, types, batch, args.compile, Path(folder))
            compare(found, archspec.analyze(spec).macs, args.rounds, peaks)


if __name__ == "__main__":
    main()
