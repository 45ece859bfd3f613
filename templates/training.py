"""Parts of training scripts, which contain the ones that they use, in this order."""

import argparse
import contextlib
import copy
import ctypes
import gzip
import hashlib
import io
import math
import os
import platform
import signal
import struct
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

NAME, SPEC = "network", ""
COLUMNS = "step,epoch"
INPUT, OUTPUTS, TARGET = (1, 28, 28), 10, (10,)
MEAN, STD = [0.5], [0.5]
SIZE, TEST_SIZE = 224, 224
FOLDERS: tuple[str, ...] = ("data/mnist",)
URL = "https://example.org/"
DIGESTS: dict[str, str] = {}
TARGETS = (torch.int64, 0, 9)
SUFFIXES = (".png",)
RANK, WORLD = 0, 1
LEASE = 150
signals: list[tuple[int, float]] = []


def on_signal(number: int, _: object) -> None:
    """The first signal requests a checkpoint; another, a second later, ends at once."""
    if signals and time.monotonic() > signals[0][1] + 1:
        os._exit(128 + number)
    signals.append((number, time.monotonic()))


def device_of(name: str) -> torch.device:
    """The device with this name, or the best one; of several GPUs, the process's."""
    best = torch.accelerator.current_accelerator(check_available=True)
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    try:
        device = torch.device(name or best or "cpu")
        if device.type == "cuda":
            if device.index is None:
                device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            elif processes > 1:
                how = "use --device cuda: each process takes its own"
                raise stop(f"--device {name} is one GPU for {processes} processes", how)
            torch.cuda.set_device(device)
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high")  # TF32
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, AttributeError):
        kinds = f"cpu or {best.type}" if best else "cpu"
        how = f"--device takes {kinds}, with one process per GPU"
        raise stop(f"unknown device {name or best}", how)
    return device


def locked(path: Path) -> Any:
    """The file, locked until closed or the process ends; None if another has it."""
    file = path.open("a+")
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 20)  # after the name in it, which others read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        return None
    except OSError:
        pass  # a file system without locks
    return file


def claimed(folder: Path) -> Any:
    """Create the directory of a run, and lock it; wait if another machine holds it."""
    path, until = folder / "lock", time.monotonic() + LEASE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while (file := locked(path)) is None:
            holder = path.read_text()
            if holder == platform.node() or time.monotonic() > until:
                how = "wait until it ends, or choose another --out DIR"
                raise stop(f"another process is training in {folder}, on {holder}", how)
            time.sleep(1)
        file.truncate(0)
        print(platform.node(), end="", file=file, flush=True)
        return file
    except OSError as error:
        raise stop(f"--out {folder}: {error.strerror}", "use a writable directory")


def meet(backend: str) -> None:
    """Join the other processes; a restart must not find the store of the last start."""
    store: Any = next(dist.rendezvous("env://"))[0]
    if os.environ.get("LOCAL_WORLD_SIZE") == str(WORLD):  # on one machine
        start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = dist.PrefixStore(start, store)
    dist.init_process_group(backend, store=store, rank=RANK, world_size=WORLD)


def going_on(args: argparse.Namespace) -> Path | None:
    """The checkpoint to resume from; with `auto` the last one, if it exists."""
    last: Path = args.out / "last.pt"
    if args.resume is None and last.exists():
        how = "use --resume auto to resume it, or --out DIR to start another"
        raise stop(f"{args.out} contains a run", how)
    if args.resume in (None, "auto"):
        return last if last.exists() else None
    named: Path = args.out / args.resume
    return named if named.exists() else Path(args.resume)


def cores() -> int:
    """The cores that each process of this machine may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    there = len(affinity(0)) if affinity else os.cpu_count() or 1
    shared = there // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(shared, 64))


def seed_of(*key: int | str) -> int:
    """32 bits, the size of torch's CPU seeds, from seed, step, and part."""
    return zlib.crc32(repr(key).encode())


def keep_memory() -> None:
    """Make glibc keep the memory of activations instead of freeing it."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # without glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def fast_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 natively instead of emulating it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    fast = able.get("avx512_bf16") or able.get("amx_bf16")
    return device.type == "cpu" and bool(fast)


def read_published(args: argparse.Namespace, name: str) -> bytes:
    """The content of a file whose SHA-256, packed or unpacked, is the published one."""
    names = (name, name.removesuffix(".gz"))
    folders = [args.data] if args.data else FOLDERS
    paths = [Path(folder, file) for folder in folders for file in names]
    path = next((path for path in paths if path.exists()), paths[0])
    try:
        if args.download and not path.exists():
            show(f"downloading {URL}{name} to {path}")
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(f"{URL}{name}", str(path))
        packed = content = path.read_bytes()
    except OSError as error:
        how = "use --data DIR for existing data, --download to fetch it, or --data synthetic"
        raise stop(f"{path}: {error.strerror or error}", how)
    with contextlib.suppress(OSError, EOFError, zlib.error):  # unpacked, or truncated
        content = gzip.decompress(packed)
    if DIGESTS[name] not in {hashlib.sha256(b).hexdigest() for b in (packed, content)}:
        told = f"{path} is not the published file: its SHA-256 differs"
        raise stop(told, "delete it, and run again with --download")
    return content


def synthetic(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images that can be learned: a coarse pattern per class, half hidden by noise."""
    patterns = torch.rand(OUTPUTS, INPUT[0], 4, 4, generator=torch.Generator())
    patterns = F.interpolate(patterns, INPUT[1:])
    noise = torch.Generator().manual_seed(seed)
    labels = torch.randint(OUTPUTS, (count,), generator=noise)
    images = patterns[labels] + torch.rand(count, *INPUT, generator=noise)
    return (127 * images).byte(), labels


def synthetic_values(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs that contain each output's pattern in proportion to its target."""
    patterns = torch.randn(OUTPUTS, math.prod(INPUT), generator=torch.Generator())
    noise = torch.Generator().manual_seed(seed)
    targets = torch.randn(count, OUTPUTS, generator=noise)
    inputs = targets @ patterns / OUTPUTS**0.5
    inputs += torch.randn(count, math.prod(INPUT), generator=noise) / 4
    return inputs.reshape(count, *INPUT), targets


def synthetic_choices(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs in which one pattern is strongest, and its number."""
    inputs, values = synthetic_values(count, seed)
    return inputs, values.argmax(1)


def synthetic_labels(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs that contain the patterns of some of the labels; targets are 0 and 1."""
    inputs, values = synthetic_values(count, seed)
    return inputs, (values > 0).float()


def held_out(count: int, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Which samples to train with and which to validate with, depending on the seed."""
    generator = torch.Generator().manual_seed(seed_of(seed))
    order = torch.randperm(count, generator=generator)
    held = max(1, round(share * count))
    return order[held:].sort().values, order[:held].sort().values


def read_idx_set(args: argparse.Namespace) -> dict[str, Any]:
    """Images (n, 1, 28, 28) as bytes and labels (n); the headers are 16 and 8 bytes."""
    data: dict[str, Any] = {}
    for part, file in (("train", "train"), ("test", "t10k")):
        images = bytearray(read_published(args, f"{file}-images-idx3-ubyte.gz"))
        labels = bytearray(read_published(args, f"{file}-labels-idx1-ubyte.gz"))
        x = torch.frombuffer(images, dtype=torch.uint8, offset=16).reshape(-1, *INPUT)
        data[part] = x, torch.frombuffer(labels, dtype=torch.uint8, offset=8).long()
    return data


def read_cifar10(args: argparse.Namespace) -> dict[str, Any]:
    """Images (n, 3, 32, 32) as bytes and labels (n)."""
    content = read_published(args, "cifar-10-binary.tar.gz")
    folder = "cifar-10-batches-bin"
    data: dict[str, Any] = {}
    files = [f"data_batch_{number}" for number in range(1, 6)]
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for part, names in (("train", files), ("test", ["test_batch"])):
            opened = [archive.extractfile(f"{folder}/{name}.bin") for name in names]
            rows = bytearray().join(file.read() for file in opened if file)
            table = torch.frombuffer(rows, dtype=torch.uint8).reshape(-1, 3073)
            data[part] = table[:, 1:].reshape(-1, 3, 32, 32), table[:, 0].long()
    return data


def check(
    name: str,
    found: Tensor,
    shape: tuple[int, ...],
    kind: Any,
    least: float,
    most: float,
) -> None:
    """Stop if a tensor does not fit the network or its loss."""
    said, taken = f"{tuple(found.shape)}, {found.dtype}", f"{shape}, {kind}"
    if said == taken and shape[0]:
        low, high = found.aminmax()
        if least <= low and high <= most:
            return
        said, taken = f"from {low:g} to {high:g}", f"from {least:g} to {most:g}"
    empty = "" if shape[0] else ", with at least one sample"
    sys.exit(f"error: {name} are {said}\nhelp: they must be {taken}{empty}")


def read_tensors(args: argparse.Namespace) -> dict[str, Any]:
    """Inputs and targets from a file of torch.save; only `train` is required."""
    data: dict[str, Any] = {}
    try:
        read = torch.load(args.data, map_location="cpu", weights_only=True)
        for part in ("train", *(name for name in ("val", "test") if name in read)):
            inputs, targets = (tensor.detach().to_dense() for tensor in read[part])
            name, count = f"{args.data}: the {part}", len(inputs)
            kind = torch.float32, -3e38, 3e38
            check(f"{name} inputs", inputs, (count, *INPUT), *kind)
            check(f"{name} targets", targets, (count, *TARGET), *TARGETS)
            data[part] = inputs, targets
    except Exception as error:
        told = str(error).partition(". ")[0]  # torch then advises against safety
        raise stop(
            f"--data {args.data or 'FILE'}: {told}",
            'save it with torch.save({"train": (inputs, targets), "test": '
            "(inputs, targets)}, FILE)",
        ) from error
    return data


def jpeg_decoder() -> Any:
    """The decoder of simplejpeg, if it is installed: the same pixels in less time."""
    with contextlib.suppress(Exception):
        from simplejpeg import decode_jpeg  # type: ignore[import]

        return decode_jpeg
    return None


def read_image(path: str, decode: Any = None) -> Any:
    """An image as RGB, upright; 16 bits per channel are scaled to 8.

    Images that `decode` supports are tensors (3, height, width), others Pillow images.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            if file.mode == "RGB" and file.getexif().get(274, 1) == 1:
                if decode and file.format == "JPEG":
                    with contextlib.suppress(ValueError):  # Pillow reads more
                        pixels = decode(Path(path).read_bytes(), "RGB")
                        return torch.from_numpy(pixels).permute(2, 0, 1)
                file.load()
                return file
            sixteen = file.mode.startswith("I;16") or file.format in ("PNG", "PPM")
            image = ImageOps.exif_transpose(file)
        if image.mode[0] in "IF":
            if not sixteen:
                raise ValueError("it has 32 bits per channel, whose range is unknown")
            image = image.convert("I").point(lambda value: value / 257)
        return image.convert("RGB")
    except Exception as error:  # Pillow's readers raise many types
        raise RuntimeError(f"could not read {path}: {error}") from error


def images_in(folder: Path) -> Iterator[str]:
    """The images of a directory and its subdirectories, by name; not hidden ones."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if not entry.name.startswith("."):
            if entry.is_dir():
                yield from images_in(Path(entry.path))
            elif Path(entry.name).suffix.lower() in SUFFIXES:
                yield entry.path


class Folder(Dataset[tuple[Tensor, Tensor]]):
    """Batches of images, one directory per class, augmented according to seed and key."""

    def __init__(self, root: Path, change: Any, seed: int = 0, like: Any = ()) -> None:
        self.change, self.seed = change, seed
        self.read: Any = partial(read_image, decode=jpeg_decoder())
        if not root.is_dir():
            how = "use --data DIR with train/CLASS/*.jpg, val/, test/, or --data synthetic"
            raise stop(f"{root} is not a directory", how)
        try:
            folders = [path for path in sorted(root.glob("[!.]*")) if path.is_dir()]
            held = [list(images_in(path)) for path in folders]
        except OSError as error:
            raise stop(f"{error.filename}: {error.strerror}", "make it readable")
        self.classes = [path.name for path in folders]
        self.images = [(path, label) for label, of in enumerate(held) for path in of]
        if like and (differ := sorted({*self.classes} ^ {*like})):
            how = "both must have a directory with the same name for each class"
            raise stop(f"{root} and train have different classes: {differ}", how)
        if (n := len(folders)) != OUTPUTS:
            how = "a class is a directory: change it, or the outputs in the spec"
            raise stop(f"classes in {root}: {n}, outputs in the spec: {OUTPUTS}", how)
        if not all(held):
            how = f"the names of images must end in {' '.join(SUFFIXES)}"
            raise stop(f"no images in {folders[held.index([])]}", how)

    def some(self, keys: Tensor, change: Any) -> Any:
        """Only these images, with their own augmentation."""
        part = copy.copy(self)
        part.images, part.change = [self.images[key] for key in keys.tolist()], change
        return part

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        labels = []
        for row, key in enumerate(keys.tolist()):
            path, label = self.images[key % len(self)]
            image = self.read(path)
            torch.default_generator.manual_seed(seed_of(self.seed, key))
            image = self.change(image).permute(1, 2, 0)
            if row == 0:
                x = image.new_empty(len(keys), *image.shape)
            x[row] = image  # while it is in the processor's cache
            labels.append(label)
        return x, torch.tensor(labels)


def random_box(low: float, high: float, height: int, width: int) -> tuple[int, ...]:
    """Top, left, height, and width, distributed as those of `v2.RandomResizedCrop`."""
    for scale, shape, y, x in torch.rand(10, 4).tolist():
        area = height * width * (low + scale * (high - low))
        ratio = (4 / 3) ** (2 * shape - 1)
        h, w = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < h <= height and 0 < w <= width:
            return int(y * (height - h + 1)), int(x * (width - w + 1)), h, w
    h, w = min(height, round(width * 4 / 3)), min(width, round(height * 4 / 3))
    return (height - h) // 2, (width - w) // 2, h, w


def random_part(
    size: int, low: float, high: float, image: Any, mirror: bool = False
) -> Tensor:
    """A random part of an image, resized to a square; `mirror` mirrors half of them."""
    if isinstance(image, Tensor):
        top, left, h, w = random_box(low, high, *image.shape[1:])
        part = image[:, top : top + h, left : left + w].permute(1, 2, 0)
    else:
        top, left, h, w = random_box(low, high, image.height, image.width)
        pixels = bytearray(image.crop((left, top, left + w, top + h)).tobytes())
        part = torch.frombuffer(pixels, dtype=torch.uint8).reshape(h, w, 3)
    turned = mirror and torch.rand(()).item() < 0.5
    part = part.flip(1) if turned else part.contiguous()
    part = part.unsqueeze(0).permute(0, 3, 1, 2)
    return F.interpolate(part, (size, size), mode="bilinear", antialias=True)[0]


def shrunk(side: int, image: Any) -> Tensor:
    """An image whose shorter side is at most this, as a tensor."""
    from torchvision.transforms import v2  # type: ignore[import-untyped]

    pixels = image if isinstance(image, Tensor) else v2.functional.pil_to_tensor(image)
    larger = min(pixels.shape[1:]) > side
    return v2.functional.resize(pixels, [side]) if larger else pixels


class Store:
    """Images as bytes in a file, one after another; `rows` are end, height, width."""

    def __init__(self, path: Path, images: Sequence[str]) -> None:
        self.path, self.index = path, path.with_suffix(".index")
        self.numbers = {image: number for number, image in enumerate(images)}
        self.pixels: Tensor | None = None  # mapped in the process that reads them
        self.rows = torch.empty(0, 3, dtype=torch.long)
        if path.exists() and self.index.exists():
            content = bytearray(self.index.read_bytes())
            del content[len(content) // 24 * 24 :]
            if content:
                rows = torch.frombuffer(content, dtype=torch.long).reshape(-1, 3)
                self.rows = rows[rows[:, 0] <= path.stat().st_size]

    def read(self, image: str) -> Tensor:
        """The image at this path."""
        end, height, width = self.rows[self.numbers[image]].tolist()
        if self.pixels is None:
            size, path = self.path.stat().st_size, str(self.path)
            self.pixels = torch.from_file(path, size=size, dtype=torch.uint8)
        pixels = self.pixels[end - height * width * 3 : end]
        return pixels.reshape(height, width, 3).permute(2, 0, 1)


def keep_decoded(data: Folder, side: int, args: argparse.Namespace) -> None:
    """Decode the images of a directory once, and keep them in --cache at this size.

    It resumes if it was interrupted. Images with other names or sizes get their own
    file.
    """
    images = [path for path, _ in data.images]
    named = [f"{path} {os.stat(path).st_size}" for path in images]
    digest = hashlib.sha256(os.fsencode("\n".join([str(side), *named])))
    path = args.cache / f"{digest.hexdigest()[:16]}.images"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while (held := locked(path.with_suffix(".lock"))) is None:
            time.sleep(1)  # another process writes it
        with held:
            fill(Store(path, images), data, side, args)
    except OSError as error:
        how = "use a directory with enough space; existing images in it are kept"
        raise stop(f"--cache {args.cache}: {error.strerror}", how)
    data.read = Store(path, images).read


def fill(store: Store, data: Folder, side: int, args: argparse.Namespace) -> None:
    """Write the images that a store lacks; a row is written after its image."""
    done, count = len(store.rows), len(data)
    if done == count:
        return
    end, rows = int(store.rows[-1, 0]) if done else 0, b""
    part = copy.copy(data)
    part.change = partial(shrunk, side)
    with store.path.open("ab") as pixels, store.index.open("ab") as index:
        pixels.truncate(end)
        index.truncate(24 * done)
        keys = torch.arange(done, count).split(1)
        for number, (image, _) in enumerate(batches(part, keys, "cpu", args), done + 1):
            _, _, height, width = image.shape
            pixels.write(image[0].permute(1, 2, 0).numpy().tobytes())
            end += 3 * height * width
            rows += struct.pack("3q", end, height, width)
            if number % 500 == 0 or number == count:
                pixels.flush()
                os.fsync(pixels.fileno())
                index.write(rows)
                index.flush()
                rows = b""
                show(f"images in {store.path}: {number:,} of {count:,}", end="")
    show(f"images in {store.path}: {count:,}, {end / 1e9:.1f} GB")


class SyntheticImages(Dataset[tuple[Tensor, Tensor]]):
    """Images that can be learned, made in batches: a coarse pattern under noise."""

    def __init__(self, count: int, size: int, seed: int) -> None:
        self.count, self.size, self.seed = count, size, seed
        self.patterns = torch.rand(OUTPUTS, INPUT[0], 4, 4, generator=torch.Generator())

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        images, labels = zip(*map(self.one, keys.tolist()))
        return torch.stack(images), torch.tensor(labels)

    def one(self, key: int) -> tuple[Tensor, int]:
        noise = torch.Generator().manual_seed(self.seed + key % self.count)
        label = int(torch.randint(min(OUTPUTS, 10), (), generator=noise))
        image = F.interpolate(self.patterns[label : label + 1], self.size)[0]
        image = 127 * (image + torch.rand(image.shape, generator=noise))
        return image.byte().permute(1, 2, 0), label


def batches(data: Any, keys: Any, device: Any, args: Any) -> Iterator[Any]:
    """Images as bytes and labels on a device, loaded by worker processes."""
    pin, n = torch.cuda.is_available(), args.workers
    loader = DataLoader(data, None, sampler=keys, num_workers=n, pin_memory=pin)
    try:
        for x, y in loader:
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            yield x.permute(0, 3, 1, 2), y  # channels last in memory
    except (RuntimeError, OSError) as error:  # a worker's starts with a traceback
        told = str(error).rpartition("RuntimeError: ")[2].rstrip()
        if told.startswith("could not read "):
            raise stop(told, "remove it, or save it with 8 or 16 bits per channel")
        starved = "shared memory" in told or "DataLoader worker (pid" in told
        if n == 0 or not (starved or isinstance(error, OSError)):
            raise
        how = "use --workers 0, or a larger /dev/shm (docker run --shm-size)"
        raise stop(f"--workers {n} cannot load the data: {told}", how)


def shares(
    count: int, step: int, steps: int, device: Any, args: argparse.Namespace
) -> Iterator[Tensor]:
    """This process's parts of each batch, as keys: index + epoch * count.

    They are a function of seed and step, and on the device of the data.
    """
    first, parts = RANK * args.accumulate, WORLD * args.accumulate
    an_epoch = count // args.batch_size
    while step < steps:
        epoch, done = divmod(step, an_epoch)
        generator = torch.Generator().manual_seed(seed_of(args.seed, epoch))
        order = torch.randperm(count, generator=generator).to(device) + epoch * count
        for batch in order.split(args.batch_size)[done:an_epoch]:
            yield from batch.chunk(parts)[first : first + args.accumulate]
            step += 1


# The functions of the regularizers are inserted here.


class Lamb(torch.optim.Optimizer):
    """Adam's direction with the norm of the weight (You et al., 2020)."""

    def __init__(self, params: Any, lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            params, step = group["params"], group.setdefault("step", 0) + 1
            grads, group["step"] = [p.grad for p in params], step
            for p in params:
                if not self.state[p]:
                    self.state[p] = {k: torch.zeros_like(p) for k in ("mean", "square")}
            means = [self.state[p]["mean"] for p in params]
            squares = [self.state[p]["square"] for p in params]
            torch._foreach_lerp_(means, grads, 0.1)
            torch._foreach_lerp_(squares, torch._foreach_mul(grads, grads), 0.001)
            scales = torch._foreach_div(squares, 1 - 0.999**step)
            torch._foreach_sqrt_(scales)
            torch._foreach_add_(scales, 1e-6)
            updates = torch._foreach_div(means, 1 - 0.9**step)
            torch._foreach_div_(updates, scales)
            if decay := group["weight_decay"]:
                torch._foreach_add_(updates, params, alpha=decay)
                lengths = torch._foreach_norm(params), torch._foreach_norm(updates)
                ratio = torch.stack(torch._foreach_div(*lengths))
                ratio = torch.where(ratio.isfinite() & (ratio > 0), ratio, 1.0)
                torch._foreach_mul_(updates, ratio.unbind())
            torch._foreach_add_(params, updates, alpha=-group["lr"])


def write(content: bytes | memoryview, *paths: Path) -> None:
    """Replace files by complete ones, one by one, or keep the old ones and stop."""
    for path in paths:
        temporary = path.with_name(f"{path.name}.part")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            how = "its last version is intact; free some space and resume with --resume"
            raise stop(f"could not write {path}: {error.strerror}", how)


def load(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of the same run; torch.load does not test its checksums."""
    if not path.exists():
        how = "--resume takes a file in --out; --resume auto also starts a new run"
        raise stop(f"{path} does not exist", how)
    try:
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise zipfile.BadZipFile(f"{damaged} has changed since it was written")
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        saved, _ = dict(state["settings"]), state["run"]["step"]
    except Exception as error:  # a flipped bit may make the readers raise anything
        how = "nothing was changed; --resume best.pt resumes from the best weights"
        raise stop(f"{path} is damaged: {error!s:.100}", how) from error
    names = [name for name in settings | saved if saved.get(name) != settings.get(name)]
    told = {n: f"{n} = {saved.get(n)}, now {settings.get(n)}" for n in names}
    for name in ("processes", "threads", "device", "compile"):
        if text := told.pop(name, ""):
            show(f"warning: {path} had {text}: bits may differ")
    if others := "; ".join(told.values()):
        how = "use the options of that run, or start another with --out DIR"
        raise stop(f"{path} was written with other settings: {others}", how)
    return state


def weights_in(path: Path) -> tuple[str, dict[str, Tensor]]:
    """The digest of a file, and its state dict."""
    try:
        content = path.read_bytes()
        if content[8:9] == b"{":
            with needs("safetensors"):
                from safetensors.torch import load as unpacked
            found: Any = unpacked(content)
        else:
            found = torch.load(io.BytesIO(content), "cpu", weights_only=True)
        for key in ("model", "state_dict", "model_state_dict"):
            found = found[key] if isinstance(found.get(key), dict) else found
        found = {str(name): tensor.to_dense().cpu() for name, tensor in found.items()}
    except Exception as error:  # torch raises whatever it finds, of many types
        why = getattr(error, "strerror", "") or "it is damaged, or is not a state dict"
        raise stop(
            f"--weights {path}: {why}",
            "it takes a file of torch.save(net.state_dict(), FILE) or of a run",
        ) from error
    return hashlib.sha256(content).hexdigest()[:16], found


def start_from(path: Path, net: nn.Module) -> tuple[str, dict[str, Tensor], str]:
    """The digest of a file, its tensors that fit a network, and a summary.

    The first convolution is adapted to other channels: summed over all for a single
    one,
    otherwise repeated, with the scale of its output unchanged.
    """
    (digest, found), state = weights_in(path), net.state_dict()
    shapes, made, told = {name: t.shape for name, t in state.items()}, "", ""
    while (
        not found.keys() & shapes.keys()
    ):  # except for a prefix of all, such as `module.`
        if len({name.partition(".")[0] for name in found} - {"n_averaged"}) != 1:
            break
        found = {k.partition(".")[2]: t for k, t in found.items() if "." in k}
    convs = (f"{k}.weight" for k, m in net.named_modules() if hasattr(m, "groups"))
    name = next((name for name in convs if name in shapes), "")
    if name in found and found[name].shape[2:] == shapes[name][2:]:
        few, many, old = found[name].shape[1], shapes[name][1], found[name].float()
        if 0 < few != many:
            repeated = torch.cat([old] * -(-many // few), 1)[:, :many] * (few / many)
            found[name] = old.sum(1, keepdim=True) if many == 1 else repeated
            made = f" (input channels of {name}: {few} to {many})"
    taken = {name: t for name, t in found.items() if t.shape == shapes.get(name)}
    there = {name: f" (there {[*t.shape]})" for name, t in found.items()}
    anew = [name + there.get(name, "") for name in shapes if name not in taken]
    left = [name for name in found if name not in shapes]
    for names, what in ((anew, "reinitialized"), (left, "unused")):
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        told += f"; {what}: {', '.join(names[:6]) or 'none'}{more}"
    if not taken:
        raise stop(
            f"--weights {path} has no tensor with a name and shape of the network",
            f"pass weights of this network{told}",
        )
    odd = any(found[k].shape[1:] != shapes[k][1:] for k in shapes if k in found)
    mark = "warning: " if odd or 2 * len(taken) < len(shapes) else ""
    told = f"{len(taken)} of {len(shapes)} tensors loaded{made}{told}"
    return digest, taken, f"{mark}{path}: {told}"


def of_first(make: Callable[[], Any]) -> Any:
    """A value from process 0 in all processes, which need not have its files."""
    made = [make() if RANK == 0 else None]
    if WORLD > 1:
        dist.broadcast_object_list(made, 0)
    return made[0]


def evaluate_classes(net: Any, feed: Any, device: Any) -> tuple[float, float, Tensor]:
    """Mean cross-entropy, accuracy, and the count of each prediction per class."""
    loss = torch.zeros((), device=device)
    table = torch.zeros(OUTPUTS**2, dtype=torch.long, device=device)
    for x, y in feed:
        scores = net(x).float()
        loss += F.cross_entropy(scores, y, reduction="sum")
        answers = y * OUTPUTS + scores.argmax(1)
        table.scatter_add_(0, answers, torch.ones_like(answers))
    if WORLD > 1:
        dist.all_reduce(loss)
        dist.all_reduce(table)
    table, count = table.reshape(OUTPUTS, OUTPUTS).cpu(), int(table.sum())
    return float(loss) / count, int(table.diag().sum()) / count, table


def evaluate_labels(net: Any, feed: Any, device: Any) -> tuple[float, float, Tensor]:
    """Mean loss, and the fraction of correct labels, in total and per label."""
    sums = torch.zeros(3, OUTPUTS, device=device)  # loss, correct ones, all
    for x, y in feed:
        scores = net(x).float()
        loss = F.binary_cross_entropy_with_logits(scores, y, reduction="none")
        right = ((scores > 0) == (y > 0.5)).float()
        sums += torch.stack([loss, right, torch.ones_like(y)]).sum(1)
    if WORLD > 1:
        dist.all_reduce(sums)
    loss, right, count = sums.cpu()
    return float((loss / count).mean()), float((right / count).mean()), right / count


def evaluate_values(net: Any, feed: Any, device: Any) -> tuple[float, float, Tensor]:
    """Mean squared error and R^2, the mean over the outputs; also per output."""
    sums = torch.zeros(4, OUTPUTS, dtype=torch.float64)  # squared error, y, y^2, count
    for x, y in feed:
        error = (net(x).float() - y).square().cpu().double()
        y = y.cpu().double()  # the variance is a small difference of large sums
        sums += torch.stack([error, y, y.square(), torch.ones_like(y)]).sum(1)
    if WORLD > 1:
        sums = sums.to(device)
        dist.all_reduce(sums)
    error, total, squares, count = sums.cpu()
    variance = (squares - total.square() / count).clamp(min=1e-12)
    r2 = 1 - error / variance
    return float((error / count).mean()), float(r2.mean()), r2


def resize(x: Tensor, size: int) -> Tensor:
    """Square images of a different size."""
    return F.interpolate(x, (size, size), mode="bilinear", antialias=True)


def show(text: str, end: str = "\n") -> None:
    """Print a line; with end="", show progress if there is a terminal."""
    out = sys.stdout
    if RANK > 0 or out is None or not (end or out.isatty()):
        return
    code = out.encoding or "utf-8"
    text = visible(text).encode(code, "backslashreplace").decode(code)
    try:
        print(f"\r{text}\33[K" if out.isatty() else text, end=end, flush=True)
    except OSError:  # its reader has closed, or the disk is full: train on
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def tensorboard(folder: Path, step: int) -> Any:
    """A writer of curves that drops earlier values after this step."""
    with needs("tensorboard"):
        from torch.utils.tensorboard import SummaryWriter
    return SummaryWriter(str(folder), purge_step=step)


def curves(writer: Any, rows: list[dict[str, float]]) -> None:
    """Write the last row to TensorBoard."""
    for name in rows[-1].keys() - {"step", "epoch"} if writer and rows else ():
        writer.add_scalar(name, rows[-1][name], rows[-1]["step"])


def log(folder: Path, rows: list[dict[str, float]]) -> None:
    """Write all rows so far, so that a resume duplicates none; cells may be empty."""
    text = f"{COLUMNS}\n"
    for row in rows:
        cells = (f"{row[c]:.6g}" if c in row else "" for c in COLUMNS.split(","))
        text += ",".join(cells) + "\n"
    if RANK == 0 and rows:
        write(text.encode(), folder / "log.csv")


def explain(error: Exception, args: argparse.Namespace) -> None:
    """Stop with a hint if the cause of an error is known."""
    text, size = str(error), args.batch_size // args.accumulate // WORLD
    if "out of memory" in text or "t allocate memory" in text:
        cut = next((n for n in range(2, size + 1) if size % n == 0), 1)
        how = f"--accumulate {cut * args.accumulate} processes {size // cut} at a time"
        if size == 1:
            how = "use --precision bf16, smaller images, or a smaller network"
        raise stop(f"a batch of {size} does not fit in memory", how)
    if "more than 1 value per channel" in text:
        how = f"use a --batch-size of {2 * args.accumulate * WORLD} or more"
        raise stop("a batch norm sees one value per channel", how)
    if "by peer" in text or "remote process exited" in text:
        how = "its own error is elsewhere in the output; run the same command to resume"
        raise stop("another process of this run, or its machine, has stopped", how)
    if type(error).__module__.startswith(("torch._inductor", "torch._dynamo")):
        how = "use --no-compile, or install the compiler that it needs"
        reason = text.strip().partition("\n")[0]
        raise stop(f"torch.compile failed: {reason}", how)


def per_class(table: Tensor, names: Sequence[str]) -> Iterator[str]:
    """The classes with the lowest recall; `table` is the confusion matrix."""
    right, images, answers = table.diag(), table.sum(1), table.sum(0)
    found, precise = right / images.clamp(min=1), right / answers.clamp(min=1)
    yield f"{'class':16} {'images':>7} {'found':>7} {'right':>7}"
    for i in found.argsort()[:20].tolist():
        yield f"{names[i]:16} {images[i]:7,} {found[i]:7.1%} {precise[i]:7.1%}"


def per_output(scores: Tensor) -> Iterator[str]:
    """The score of each output."""
    return (f"output {i:4} {score:8.4f}" for i, score in enumerate(scores))
