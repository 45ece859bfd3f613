"""Images a second of a training script's loader, beside torchvision's ImageFolder.

python benchmarks/loader.py [--images 400] [--rounds 5] [--workers 2]

Photograph-like JPEG files of about 500 x 375 pixels are made first. The recipe is ImageNet's: a
random part at 224 pixels, mirrored or not. torchvision's loader gives normalised floats, as its
users write it; a script normalises on the device, as part of the step, so that is not in here.
The rows take turns, and a ratio is that of one round, in seconds of CPU of one process without
workers. The last two lines are ratios by the clock: images a second of several workers beside one,
and of several processes that share nothing beside one, which is what the cores allow.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from PIL import Image, ImageFilter
from torch.utils.data import DataLoader

from resume import module_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support import peers

peers.torchvision_models()  # declares its ops where they do not load
from torchvision import datasets, transforms  # type: ignore[import-untyped]  # noqa: E402

from archspec import render_training  # noqa: E402

SIZES = ((500, 375), (375, 500), (500, 333), (480, 360))
CLASSES = 10
BATCH = 50
Loader = Callable[[Sequence[torch.Tensor], int], Iterable[Any]]  # of keys, with workers


def write_images(root: Path, count: int) -> None:
    """Smooth colours under grain, which compress as photographs do."""
    draw = random.Random(0)
    for number in range(count):
        width, height = draw.choice(SIZES)
        coarse = Image.frombytes("RGB", (8, 6), draw.randbytes(8 * 6 * 3))
        smooth = coarse.resize((width, height), Image.Resampling.BICUBIC)
        half = width // 2, height // 2
        grain = Image.frombytes("RGB", half, draw.randbytes(half[0] * half[1] * 3))
        grain = grain.resize((width, height)).filter(ImageFilter.GaussianBlur(1))
        path = root / "train" / f"class{number % CLASSES}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.blend(smooth, grain, 0.2).save(path, quality=90)


def script_of(spec: str, folder: Path) -> ModuleType:
    """A training script as a module, with as many classes as there are here."""
    path = folder / "train.py"
    path.write_text(render_training(spec, single_file=True, options=["cache"]), "utf-8")
    module = module_of(path)
    module.OUTPUTS = CLASSES  # type: ignore[attr-defined]
    module.keep_memory()  # as the script does first; the other rows profit too
    return module


def torchvision_folder(root: Path) -> Loader:
    """As torchvision's examples read ImageNet."""
    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    crop, flip = transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()
    change = transforms.Compose([crop, flip, transforms.ToTensor(), normalize])
    folder = datasets.ImageFolder(str(root / "train"), change)
    return lambda keys, workers: DataLoader(folder, batch_sampler=keys, num_workers=workers)


def ours(module: ModuleType, root: Path) -> Iterator[tuple[str, Loader]]:
    """The script's own, in its three ways; simplejpeg where it is installed."""
    options = argparse.Namespace(cache=root / "cache", workers=0)
    plain, faster, kept = (
        module.Folder(root / "train", partial(module.random_part, 224, 0.08, 1, mirror=True))
        for _ in range(3)
    )
    plain.read = module.read_image  # by Pillow
    module.keep_decoded(kept, 256, options)

    def loader(data: Any) -> Loader:
        return lambda keys, workers: module.batches(
            data, keys, "cpu", argparse.Namespace(workers=workers)
        )

    yield "archspec", loader(plain)
    if module.jpeg_decoder() is not None:
        yield "archspec, simplejpeg", loader(faster)
    yield "archspec --cache", loader(kept)


def seconds(load: Loader, count: int, workers: int, clock: Callable[[], float]) -> float:
    """For so many images, in batches."""
    keys = torch.arange(count).split(BATCH)  # an index is a key modulo the number of images
    start = clock()
    for _ in load(keys, workers):
        pass
    return clock() - start


def in_turns(rows: dict[str, Loader], count: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU of each row in each round; the first round fills caches."""
    turns = [
        {name: seconds(load, count, 0, time.process_time) for name, load in rows.items()}
        for _ in range(rounds + 1)
    ]
    return {name: [turn[name] for turn in turns[1:]] for name in rows}


def show_ratios(found: dict[str, list[float]], count: int) -> None:
    peer, *_ = found
    print(f"{'one core':24} {'images/s':>9} {'ratio':>7}")
    for name, times in found.items():
        rate = count / statistics.median(times)
        ratio = statistics.median(a / b for a, b in zip(found[peer], times, strict=True))
        print(f"{name:24} {rate:9,.0f} {ratio:7.2f}")


def at_once(load: Loader, count: int, processes: int) -> float:
    """Seconds by the clock in which so many processes, which share nothing, load all images."""
    work = partial(seconds, load, count, 0, time.perf_counter)
    running = [multiprocessing.get_context("fork").Process(target=work) for _ in range(processes)]
    start = time.perf_counter()
    for process in running:
        process.start()
    for process in running:
        process.join()
    return time.perf_counter() - start


def show_workers(load: Loader, count: int, rounds: int, several: int) -> None:
    """The second ratio is what the machine's cores allow."""
    workers, apart = list[float](), list[float]()
    for _ in range(rounds):
        one, more = (seconds(load, count, n, time.perf_counter) for n in (1, several))
        alone, together = (at_once(load, count, n) for n in (1, several))
        workers.append(one / more)
        apart.append(several * alone / together)
    print(f"{several} workers beside one, by the clock: {statistics.median(workers):.2f}")
    print(f"{several} processes that share nothing: {statistics.median(apart):.2f}")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_images(root, args.images)
        module = script_of("resnet50", root)
        rows = {"torchvision": torchvision_folder(root), **dict(ours(module, root))}
        show_ratios(in_turns(rows, args.images, args.rounds), args.images)
        show_workers(rows["archspec"], 5 * args.images, args.rounds, args.workers)


if __name__ == "__main__":
    main()
