"""Compare every network of the zoo with its peer, in full: `python tests/compare_zoo.py`.

One process a network, so that its memory is free again. All weights and statistics are
random; eval mode at two image sizes, then the loss, the gradients and the running statistics
of one step in training mode, in float64. The largest networks are compared in float32, in
eval mode alone. A number is the largest difference as a share of the largest value. `readers`
is whether the live module and the generated file agree to the bit; `seed` whether both have
the peer's weights from one seed, where they should.

With `--torchvision` the networks are those that have torchvision's names, and their rows of
docs/torchvision.md are written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

#: Too large for two copies and their gradients in float64 within 16 GiB.
LARGEST = 300e6
LINE = "{:<24} {:>11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>7} {:>7}"
HEADS = (
    *("network", "parameters", "in", "eval", "eval 2", "loss", "gradients", "running"),
    *("readers", "seed", "time"),
)


def compare(name: str, torchvision: bool) -> int:
    """Print one line of the table, as JSON."""
    import torch

    from support.zoo_peers import PAIRS, TORCHVISION_PAIRS, differences, same_readers, same_start

    torch.set_num_threads(1)
    start = time.perf_counter()
    pair = (TORCHVISION_PAIRS if torchvision else PAIRS)[name]()
    params = size(name)
    large = params > LARGEST
    dtype = torch.float32 if large else torch.float64
    found = differences(pair, dtype, training=not large)
    agree = [same_readers(pair), same_start(pair) if pair.seeded else None]
    outputs = [f"{value:.0e}" for value in found.outputs]
    rest = [f"{v:.0e}" for v in (found.loss, found.gradients, found.statistics)]
    line = (
        *(name, f"{params:,}", str(dtype).removeprefix("torch."), *(outputs * 2)[:2]),
        *(["-"] * 3 if large else rest),
        *({True: "same", False: "differ", None: "-"}[told] for told in agree),
        f"{time.perf_counter() - start:.0f} s",
    )
    print(json.dumps(line))
    return int(False in agree or not found.most < (1e-4 if large else 1e-10))


def size(name: str) -> int:
    """The parameters of a pair's spec: the small networks come first."""
    import archspec
    from support.zoo_peers import PAIRS, TORCHVISION_PAIRS

    return archspec.analyze((PAIRS | TORCHVISION_PAIRS)[name]().spec).params


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="NAME", nargs="*", help="these networks alone")
    parser.add_argument("--torchvision", action="store_true", help="and write their table")
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        return compare(chosen.one, chosen.torchvision)
    from support.torchvision_table import write_row
    from support.zoo_peers import PAIRS, TORCHVISION_PAIRS

    print(LINE.format(*HEADS), flush=True)
    failed = []
    every = TORCHVISION_PAIRS if chosen.torchvision else PAIRS
    for name in chosen.only or sorted(every, key=size):
        command = [sys.executable, __file__, "--one", name]
        command += ["--torchvision"] if chosen.torchvision else []
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        line = json.loads(done.stdout) if done.stdout else None
        if line:
            print(LINE.format(*line), flush=True)
        if chosen.torchvision:
            agree = line and not done.returncode
            write_row(name, dict(zip(HEADS, line, strict=True)) if agree else None)
        if done.returncode:
            failed.append(name)
            print(f"{name}: differs, or could not be compared", flush=True)
    print("differ: " + ", ".join(failed) if failed else "all agree")
    return len(failed)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    sys.exit(main())
