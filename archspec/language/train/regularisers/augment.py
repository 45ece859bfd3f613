"""Training images that are changed at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from archspec.language.train.conflicts import Conflicts, check, conflict, remove
from archspec.language.train.data_sets import DATA_SETS
from archspec.language.train.model import Model, Takes, alone, error
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser

if TYPE_CHECKING:
    import math

    import torch
    from torch import Tensor
    from torch.nn import functional as F

Magnitude = Annotated[float, Field(ge=0, le=10)]
Area = Annotated[float, Field(gt=0, le=1)]


class RandAugment(Model):
    """RandAugment (Cubuk et al., 2020): `layers` operations an image, of a strength of ten."""

    layers: Annotated[int, Field(ge=1, le=10)] = 2
    magnitude: Magnitude


def _rising(areas: tuple[float, ...]) -> tuple[float, ...]:
    low, high = areas
    if low > high:
        raise error("out-of-range", f"`{low:g}` to `{high:g}` is no range", "the smaller one first")
    return areas


class Augment(Model):
    """Changes of the training images, at random.

    Attributes:
        flip: mirrored left to right, half of the time.
        crop: pixels of padding, of which a random window is cut.
        erase: probability that a rectangle is blotted out (Zhong et al., 2017).
        resized_crop: the share of the area that is cut out and resized (the Inception crop).
        rand_augment: RandAugment, if it is asked for.
    """

    flip: bool = False
    crop: Annotated[int, Field(ge=0, le=1024)] = 0
    erase: Annotated[float, Field(ge=0, le=1)] = 0.0
    resized_crop: Annotated[
        tuple[Area, ...] | None,
        Field(min_length=2, max_length=2, strict=False),
        AfterValidator(_rising),
        Takes("two shares of the area", "write `resized_crop: [0.08, 1]`"),
    ] = None
    rand_augment: Annotated[
        RandAugment | None,
        alone("magnitude", Magnitude, RandAugment),
        Takes("a magnitude or a map", "write `{layers: 2, magnitude: 6}`"),
    ] = None


_OF_FOLDERS = {"resized_crop": "write e.g. `crop: 4`", "rand_augment": remove("rand_augment")}


def _of_the_data(augment: Augment, info: ValidationInfo) -> Conflicts:
    data = info.data.get("data")
    kind = DATA_SETS[data].kind if data else ""
    if kind == "folder" and augment.crop:
        message = f"`crop` is for small images in memory, and `{data}` is a folder of images"
        yield conflict(message, "write e.g. `resized_crop: [0.08, 1]`", "data", ("crop",))
    for key, hint in _OF_FOLDERS.items():
        if kind == "memory" and getattr(augment, key):
            message = f"`{key}` is for a folder of images, and `{data}` is held in memory"
            yield conflict(message, hint, "data", (key,))


_WORDS = Takes("a map", "write e.g. `{flip: true, crop: 4}`")


class Augmentation(Regulariser):
    order = 90
    example = "augment: {flip: true, crop: 2, erase: 0.25}"
    elsewhere = {"augmentation": "augment"}

    augment: Annotated[Augment, check(_of_the_data), _WORDS] = Field(
        default_factory=Augment,
        description="Changes of the training images: `flip`, `erase` (Zhong et al., 2017); for "
        "data in memory `crop` (pixels of padding); for folders `resized_crop: [0.08, 1]` (share "
        "of the area) and `rand_augment: {layers: 2, magnitude: 6}` (of 10; Cubuk et al., 2020).",
    )

    def idle(self, network: Places) -> Idles:
        if len(network.input) != 3 and self.augment != Augment():
            why = f"`augment` changes images, and the input is {[*network.input]}"
            yield Idle("augment", why)

    def script(self, network: Places) -> Lines:
        augment, folder = self.augment, DATA_SETS[self.data].kind == "folder"
        if augment.resized_crop:
            low, high = augment.resized_crop
            crop = f"v2.RandomResizedCrop({{size}}, scale=({low:g}, {high:g}))"
            yield "crop", f"partial(random_part, {crop})"
        if augment.flip and folder:
            yield "transform", "v2.RandomHorizontalFlip()"
        if drawn := augment.rand_augment:
            yield "transform", "v2.ToPILImage()"  # whose changes are faster than a tensor's
            yield "transform", f"v2.RandAugment({drawn.layers}, {round(drawn.magnitude)})"
            yield "transform", "v2.PILToTensor()"
        if augment.crop:
            yield "images", f"x = crop(x, {augment.crop})"
        if augment.flip and not folder:
            yield "images", "x = flip(x)"
        if augment.erase:
            yield "images", f"x = erase(x, {augment.erase!r})"


def flip(x: Tensor) -> Tensor:
    """Mirror half of the images."""
    mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    return torch.where(mirrored, x.flip(3), x)


def crop(x: Tensor, padding: int) -> Tensor:
    """Move each image by up to `padding` pixels, over zeros."""
    (n, _, h, w), device = x.shape, x.device
    top, left = torch.randint(2 * padding + 1, (2, n, 1), device=device)
    rows = (top + torch.arange(h, device=device)).unsqueeze(2)
    columns = (left + torch.arange(w, device=device)).unsqueeze(1)
    image = torch.arange(n, device=device).reshape(n, 1, 1)
    x = F.pad(x, [padding] * 4).permute(0, 2, 3, 1)
    return x[image, rows, columns].permute(0, 3, 1, 2)


def erase(x: Tensor, probability: float) -> Tensor:
    """Zero a rectangle of 2 to 33 % of some images (Zhong et al., 2017)."""
    (n, _, h, w), device = x.shape, x.device
    chosen, area, shape, y, z = torch.rand(5, n, 1, 1, device=device)
    side = (h * w * (0.02 + 0.31 * area)).sqrt()
    ratio = torch.exp((shape - 0.5) * math.log(10 / 3))
    height, width = (side * ratio).clamp(max=h), (side / ratio).clamp(max=w)
    row = torch.arange(h, device=device).reshape(1, h, 1) - y * (h - height)
    column = torch.arange(w, device=device).reshape(1, 1, w) - z * (w - width)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return x.masked_fill((inside & (chosen < probability)).unsqueeze(1), 0.0)
