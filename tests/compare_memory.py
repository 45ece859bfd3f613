"""Compare peaks of memory with torch's tracker: `python tests/compare_memory.py`.

For each network, batch, precision and optimizer: the peak of a training step and of inference by
`torch.distributed._tools.mem_tracker.MemTracker` on tensors without numbers, and how far ours is
from it. Exit code 1 if one is further than 5 %.
"""

from __future__ import annotations

import argparse
from itertools import product
from typing import Any

import archspec
from support.tracked import OPTIMIZERS, tracked

NETWORKS = (
    *("resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "densenet121", "convnext_tiny"),
    *("regnet_y_400mf", "vgg11_bn", "vit_b_16", "unet", "googlenet", "shufflenet_v2_x1_0"),
)
MOST = 0.05


def compare(name: str, batch: int, precision: Any, optimizer: str) -> float:
    """Print one row; the larger of both differences."""
    spec = archspec.load(name)
    ours = archspec.analyze(spec).memory(batch, precision, optimizer)
    tracker = tracked(spec, batch, precision == "bf16", optimizer)
    pairs = [*zip((ours.training, ours.inference), tracker, strict=True)]
    off = [mine / theirs - 1 for mine, theirs in pairs]
    shown = "".join(f"{b / 2**20:11,.1f} {o:+7.1%}" for (_, b), o in zip(pairs, off, strict=True))
    print(f"{name:20} {batch:4} {precision:5} {optimizer:6}{shown}", flush=True)
    return max(map(abs, off))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 16, 64])
    given = parser.parse_args()
    print(f"{'network':20} size       optim. training MiB   ours inference MiB  ours")
    cases = product(given.networks, given.batches, ("fp32", "bf16"), OPTIMIZERS)
    return int(max(compare(*case) for case in cases) > MOST)


if __name__ == "__main__":
    raise SystemExit(main())
