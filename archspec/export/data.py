"""Images to calibrate and to evaluate with, read as training reads them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from archspec import resources
from archspec.diagnostics import UnreadableFile, plural
from archspec.training.data import READERS, SUFFIXES
from archspec.training.sets import PUBLISHED
from archspec.verify.tensors import Shape

BATCH = 100
CALIBRATION = 512  # images, evenly spread; the ranges of more differ little
FILE = resources.TEMPLATES / "training.py"


class Images(NamedTuple):
    """Images as bytes (C, H, W), read one at a time, with their labels, if any."""

    read: Callable[[int], Tensor]
    size: int
    labels: tuple[int, ...] = ()

    def batches(self, places: range) -> Iterator[Tensor]:
        """Batches (N, C, H, W) of the images with these indices."""
        for start in range(0, len(places), BATCH):
            yield torch.stack([self.read(place) for place in places[start : start + BATCH]])

    @property
    def spread(self) -> range:
        """The indices of at most `CALIBRATION` images, evenly spread."""
        return range(0, self.size, -(-self.size // CALIBRATION))

    def labelled(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All images, in batches, with their labels."""
        batches = self.batches(range(self.size))
        return zip(batches, torch.split(torch.tensor(self.labels), BATCH), strict=True)


def images(source: str, part: str, shape: Shape, crop: float, classes: int) -> Images:
    """Read a part of a published data set (`train` or `test`), or the images of a directory.

    Test images have one directory per class, in the order of training. Images are resized as in the
    evaluation of training: the shorter side to the size in `shape` divided by `crop`, then a center
    crop. Raises `UnreadableFile`.
    """
    if source in PUBLISHED:
        return _published(source, part, shape)
    if not Path(source).is_dir():
        known = ", ".join(f"`{name}`" for name in PUBLISHED)
        raise UnreadableFile(f"there is no directory and no data set {known} named `{source}`")
    return _folder(Path(source), part, shape, crop, classes)


def _published(name: str, part: str, shape: Shape) -> Images:
    known = PUBLISHED[name]
    advice = f"`archspec train` of a spec with `data: {name}` fetches it with --download"
    own = {"FOLDERS": known.folders, "URL": known.url, "DIGESTS": known.digests}
    read = getattr(_functions(advice, **own), READERS.get(name, "read_idx_set"))
    x, y = read(Namespace(data="", download=False))[part]
    return Images(lambda place: _fitted(x[place], shape, 1.0), len(x), tuple(y.tolist()))


def _folder(root: Path, part: str, shape: Shape, crop: float, classes: int) -> Images:
    advice = "the directory must have one directory of images per class"
    functions = _functions(advice, OUTPUTS=classes, SUFFIXES=SUFFIXES)
    held = [(path, -1) for path in functions.images_in(root)]
    if part == "test":
        held = functions.Folder(root, None).images
    if not held:
        raise UnreadableFile(f"there is no image in `{root}`: names end in {' '.join(SUFFIXES)}")

    def read(place: int) -> Tensor:
        try:
            image = functions.read_image(held[place][0])
        except RuntimeError as error:
            raise UnreadableFile(str(error)) from None
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
        return _fitted(pixels.view(image.height, image.width, 3).permute(2, 0, 1), shape, crop)

    return Images(read, len(held), tuple(label for _, label in held))


def _fitted(image: Tensor, shape: Shape, crop: float) -> Tensor:
    """An image with the channels and size of a network's input."""
    channels, *size = shape
    if len(image) != channels:
        if channels != 1:
            raise UnreadableFile(
                f"images have {plural(len(image), 'channel')}, and the network takes {channels}"
            )
        weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)  # ITU-R BT.601
        image = (image * weights).sum(0, keepdim=True).round().byte()
    if [*image.shape[1:]] == size:
        return image
    scale = max(int(a / crop) / b for a, b in zip(size, image.shape[1:], strict=True))
    larger = [max(a, round(b * scale)) for a, b in zip(size, image.shape[1:], strict=True)]
    image = F.interpolate(image[None], larger, mode="bilinear", antialias=True)[0]
    top, left = ((a - b) // 2 for a, b in zip(larger, size, strict=True))
    return image[:, top : top + size[0], left : left + size[1]]


# What scripts read with ---------------------------------------------------------------


@cache
def _code() -> Any:
    return compile(FILE.read_text("utf-8"), FILE.name, "exec")


def _functions(advice: str, **constants: Any) -> SimpleNamespace:
    """The functions of `templates/training.py`, with the constants that a script would have.

    They raise `UnreadableFile` with this advice instead of ending the script.
    """
    names: dict[str, Any] = {"__name__": "archspec.export.readers"}
    exec(_code(), names)
    names.update(constants)
    names["stop"] = lambda error, _: UnreadableFile(error, advice)
    return SimpleNamespace(**names)
