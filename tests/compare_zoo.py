"""Compare every network of the zoo with its peer, in full: `python tests/compare_zoo.py`.

One process a network, so that its memory is free again. All weights and statistics are
random; eval mode at two image sizes, then the loss, the gradients and the running statistics
of one step in training mode, in float64. The largest networks are compared in float32, in
eval mode alone. A number is the largest difference as a share of the largest value.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

#: Too large for two copies and their gradients in float64 within 16 GiB.
LARGEST = 300e6
LINE = "{:<24} {:>11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}"


def compare(name: str) -> None:
    """One line of the table."""
    import torch

    from support.zoo_peers import PAIRS, differences

    torch.set_num_threads(1)
    start = time.perf_counter()
    params = size(name)
    large = params > LARGEST
    dtype = torch.float32 if large else torch.float64
    found = differences(PAIRS[name](), dtype, training=not large)
    outputs = [f"{value:.0e}" for value in found.outputs]
    rest = [f"{v:.0e}" for v in (found.loss, found.gradients, found.statistics)]
    print(
        LINE.format(
            name,
            f"{params:,}",
            str(dtype).removeprefix("torch."),
            *(outputs * 2)[:2],
            *(["-"] * 3 if large else rest),
            f"{time.perf_counter() - start:.0f} s",
        ),
        flush=True,
    )
    if not found.most < (1e-4 if large else 1e-10):
        sys.exit(1)


def size(name: str) -> int:
    """The parameters of a pair's spec: the small networks come first."""
    import archspec
    from support.zoo_peers import PAIRS

    return archspec.analyze(PAIRS[name]().spec).params


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", nargs="*", help="these networks alone")
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        compare(chosen.one)
        return 0
    from support.zoo_peers import PAIRS

    heads = ("network", "parameters", "in", "eval", "eval 2", "loss", "gradients", "running")
    print(LINE.format(*heads, "time"), flush=True)
    failed = []
    for name in chosen.only or sorted(PAIRS, key=size):
        command = [sys.executable, __file__, "--one", name]
        if subprocess.run(command).returncode:
            failed.append(name)
            print(f"{name}: differs, or could not be compared", flush=True)
    print("differ: " + ", ".join(failed) if failed else "all agree")
    return len(failed)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    sys.exit(main())
