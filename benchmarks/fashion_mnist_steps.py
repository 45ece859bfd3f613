"""Train the generated and the interpreted Fashion-MNIST ResNet-18 on real images.

    python benchmarks/fashion_mnist_steps.py --data /usr/share/datasets/fashion-mnist

takes 200 SGD steps with the committed file and the same steps with the module that
archspec builds from the YAML. The losses must be equal to the bit, and fall. `--data`
is a folder with the data set's IDX files, gzipped or not (on Debian they come with
`apt-get install dataset-fashion-mnist`).
"""

from __future__ import annotations

import argparse
import gzip
import math
import runpy
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

import archspec

NAME = "resnet18_fashion_mnist"
GENERATED = Path(__file__).parent.parent / "generated" / f"{NAME}.py"


def read_idx(folder: Path, stem: str) -> Tensor:
    """Read an IDX file of bytes: two zeros, 8 for bytes, rank, sizes, data."""
    path = folder / stem
    if path.exists():
        content = path.read_bytes()
    else:
        content = gzip.decompress(path.with_name(f"{stem}.gz").read_bytes())
    zeros, kind, rank = struct.unpack_from(">HBB", content)
    if (zeros, kind) != (0, 8):
        raise ValueError(f"{path.name} is no IDX file of bytes")
    sizes = struct.unpack_from(f">{rank}I", content, 4)
    data = torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=4 + 4 * rank)
    if data.numel() != math.prod(sizes):
        raise ValueError(f"{path.name} holds {data.numel()} bytes, not {sizes}")
    return data.reshape(sizes)


def training_set(folder: Path) -> tuple[Tensor, Tensor]:
    """Images as (n, 1, 28, 28) with mean 0 and deviation 1, and their labels."""
    images = read_idx(folder, "train-images-idx3-ubyte").unsqueeze(1).float() / 255
    labels = read_idx(folder, "train-labels-idx1-ubyte").long()
    return (images - images.mean()) / images.std(), labels


def batches(count: int, size: int, seed: int) -> Iterator[Tensor]:
    """Indices of one batch after the other, without end, shuffled in each epoch."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        for batch in torch.randperm(count, generator=generator).split(size):
            if len(batch) == size:
                yield batch


def losses(
    build: Callable[[], nn.Module],
    data: tuple[Tensor, Tensor],
    steps: int,
    batch_size: int = 64,
    lr: float = 0.005,
    seed: int = 0,
) -> list[float]:
    """Build a network and take SGD steps; everything random comes from `seed`."""
    torch.manual_seed(seed)
    model = build().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    images, labels = data
    taken = []
    indices = batches(len(images), batch_size, seed)
    for _, batch in zip(range(steps), indices, strict=False):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        taken.append(loss.item())
    return taken


def generated() -> nn.Module:
    """The network of the committed file, which needs torch alone."""
    network: type[nn.Module] = runpy.run_path(str(GENERATED))["ResNet18FashionMNIST"]
    return network()


def interpreted() -> nn.Module:
    """The network that archspec builds from the YAML."""
    return archspec.build_module(NAME)


def mean(values: list[float]) -> float:
    """The mean of a few losses."""
    return sum(values) / len(values)


def main() -> None:
    """Train both and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--steps", type=int, default=200)
    arguments = parser.parse_args()

    data = training_set(arguments.data)
    print(f"{len(data[0]):,} images, {arguments.steps} steps of 64")
    curves = []
    for build in (generated, interpreted):
        start = time.perf_counter()
        curve = losses(build, data, arguments.steps)
        seconds = time.perf_counter() - start
        first, last = mean(curve[:20]), mean(curve[-20:])
        print(f"{build.__name__:<12} loss {first:.4f} -> {last:.4f} in {seconds:.0f} s")
        curves.append(curve)
    same = curves[0] == curves[1]
    print("the losses are equal to the bit" if same else "THE LOSSES DIFFER")
    raise SystemExit(not same)


if __name__ == "__main__":
    main()
