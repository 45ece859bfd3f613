"""Random changes of the training images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from archspec.language.train.conflicts import Conflicts, check, conflict, remove
from archspec.language.train.data_sets import DATA_SETS
from archspec.language.train.model import NOT_NULL, Model, Takes, alone, error
from archspec.language.train.regularisers.base import Idle, Idles, Lines, Places, Regulariser

if TYPE_CHECKING:
    import math

    import torch
    from torch import Tensor
    from torch.nn import functional as F

    MEAN = [0.0]  # of a script

Magnitude = Annotated[float, Field(ge=0, le=10)]
Area = Annotated[float, Field(gt=0, le=1)]


class RandAugment(Model):
    """RandAugment (Cubuk et al., 2020), with the operations and the scale of timm.

    Attributes:
        layers: operations per image, each of which is skipped half of the time.
        magnitude: the strength of the operations, out of ten.
        deviation: the standard deviation of the strength, which is drawn per operation.
    """

    layers: Annotated[int, Field(ge=1, le=10)] = 2
    magnitude: Magnitude
    deviation: Magnitude = 0.0


def _rising(areas: tuple[float, ...]) -> tuple[float, ...]:
    low, high = areas
    if low > high:
        raise error(
            "out-of-range",
            f"invalid range: `{low:g}` is greater than `{high:g}`",
            "put the smaller value first",
        )
    return areas


class Augment(Model):
    """Random changes of the training images.

    Attributes:
        flip: mirror left to right, half of the time.
        alternating_flip: mirror in every second epoch; half of the images start with the first
            (Jordan, 2024).
        crop: pixels of padding, before a random crop to the original size.
        erase: probability of erasing a rectangle (Zhong et al., 2017).
        resized_crop: the fraction of the area that is cropped and resized (the Inception crop).
        rand_augment: RandAugment, if set.
        trivial_augment: one operation per image, of any strength (Müller & Hutter, 2021).
    """

    flip: bool = False
    alternating_flip: bool = False
    crop: Annotated[int, Field(ge=0, le=1024)] = 0
    erase: Annotated[float, Field(ge=0, le=1)] = 0.0
    resized_crop: Annotated[
        tuple[Area, ...] | None,
        Field(min_length=2, max_length=2, strict=False),
        AfterValidator(_rising),
        Takes("two fractions of the area", "use `resized_crop: [0.08, 1]`"),
        NOT_NULL,
    ] = None
    rand_augment: Annotated[
        RandAugment | None,
        alone("magnitude", Magnitude, RandAugment),
        Takes("a magnitude or a mapping", "use `{layers: 2, magnitude: 6}`"),
        NOT_NULL,
    ] = None
    trivial_augment: bool = False


_OF_FOLDERS = {
    "resized_crop": "for example, `crop: 4`",
    "rand_augment": remove("rand_augment"),
    "trivial_augment": remove("trivial_augment"),
}
_IN_MEMORY = {"crop": "for example, `resized_crop: [0.08, 1]`", "alternating_flip": "use `flip`"}
_IN_PLACE_OF = {"trivial_augment": "rand_augment", "alternating_flip": "flip"}


def _of_the_data(augment: Augment, info: ValidationInfo) -> Conflicts:
    data = info.data.get("data")
    kind = DATA_SETS[data].kind if data else ""
    wrong = {"folder": _IN_MEMORY, "memory": _OF_FOLDERS}.get(kind, {})
    place = f"small images in memory, but `{data}` is a directory of images"
    if kind == "memory":
        place = f"a directory of images, but `{data}` is held in memory"
    for key, hint in wrong.items():
        if getattr(augment, key):
            yield conflict(f"`{key}` requires {place}", hint, "data", (key,))


def _one_of_each(augment: Augment, _: ValidationInfo) -> Conflicts:
    for key, other in _IN_PLACE_OF.items():
        if getattr(augment, key) and getattr(augment, other):
            message = f"`{key}` replaces `{other}`, so they cannot be combined"
            yield conflict(message, remove(other), f"augment.{other}", (key,))


_WORDS = Takes("a mapping", "for example, `{flip: true, crop: 4}`")


class Augmentation(Regulariser):
    order = 90
    example = "augment: {flip: true, crop: 2, erase: 0.25}"
    elsewhere = {"augmentation": "augment"}

    augment: Annotated[Augment, check(_of_the_data), check(_one_of_each), _WORDS] = Field(
        default_factory=Augment,
        description=(
            "Random changes of the training images: `flip`, `erase` (Zhong et al., 2017); for "
            "data in memory `crop` (pixels of padding) and `alternating_flip` (in every second "
            "epoch; Jordan, 2024); for directories `resized_crop: [0.08, 1]` (fraction of the "
            "area), `rand_augment: {layers: 2, magnitude: 6, deviation: 0.5}` (out of 10, as in "
            "timm; Cubuk et al., 2020), and `trivial_augment` (Müller & Hutter, 2021)."
        ),
    )

    def idle(self, network: Places) -> Idles:
        if len(network.input) != 3 and self.augment != Augment():
            why = f"`augment` requires images, but the input is {[*network.input]}"
            yield Idle("augment", why)

    def script(self, network: Places) -> Lines:
        augment, folder = self.augment, DATA_SETS[self.data].kind == "folder"
        if augment.resized_crop:
            low, high = augment.resized_crop
            mirror = ", mirror=True" if augment.flip else ""
            yield "crop", f"partial(random_part, {{size}}, {low:g}, {high:g}{mirror})"
        elif augment.flip and folder:
            yield "transform", "v2.RandomHorizontalFlip()"
        if change := _drawn(augment):
            yield "transform", "v2.ToPILImage()"  # whose operations are faster than a tensor's
            yield "transform", change
            yield "transform", "v2.PILToTensor()"
        if augment.crop:
            yield "images", f"x = crop(x, {augment.crop})"
        if augment.alternating_flip:
            yield "sample", "alternate({}, key, count)"
        if augment.flip and not folder:
            yield "images", "x = flip(x)"
        if augment.erase:
            yield "images", f"x = erase(x, {augment.erase!r})"


def _drawn(augment: Augment) -> str:
    """The operation on a Pillow image that is drawn per image, if there is one."""
    if augment.trivial_augment:
        return "v2.TrivialAugmentWide(interpolation=v2.InterpolationMode.BILINEAR)"
    if not (given := augment.rand_augment):
        return ""
    drawn = f"magnitude={given.magnitude!r}, deviation={given.deviation!r}"
    return f"partial(rand_augment, layers={given.layers}, {drawn})"


def rand_augment(image: Any, layers: int, magnitude: float, deviation: float) -> Any:
    """Operations, out of ten in strength, as drawn by timm (Cubuk et al., 2020)."""
    names = (
        *("autocontrast", "equalize", "invert", "posterize", "solarize"),
        *("solarize_add", "rotate", "shear_x", "shear_y", "move_x", "move_y"),
        *("Brightness", "Color", "Contrast", "Sharpness"),
    )
    for chosen in torch.randint(len(names), (layers,)).tolist():
        drawn = magnitude + deviation * float(torch.randn(()))
        level = min(max(drawn, 0.0), 10.0) / 10
        left_out, negative, cubic = (torch.rand(3) < 0.5).tolist()
        if not left_out:
            level = -level if negative else level
            image = changed(image, names[chosen], level, cubic)
    return image


def changed(image: Any, name: str, level: float, cubic: bool) -> Any:
    """Apply an operation to an image; the level is from -1 to 1, and 0 is weakest."""
    from PIL import Image, ImageEnhance, ImageOps

    strength = abs(level)
    if name in ("autocontrast", "equalize", "invert"):
        return getattr(ImageOps, name)(image)
    if name == "posterize":
        return ImageOps.posterize(image, max(1, 4 - int(4 * strength)))
    if name == "solarize":
        return ImageOps.solarize(image, 256 - int(256 * strength))
    if name == "solarize_add":
        added = int(110 * strength)
        return image.point([min(255, i + added * (i < 128)) for i in range(256)] * 3)
    if name in ("Brightness", "Color", "Contrast", "Sharpness"):
        factor = max(0.1, 1 + 0.9 * level)
        return getattr(ImageEnhance, name)(image).enhance(factor)
    resample = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
    given = {"resample": resample, "fillcolor": tuple(map(round, MEAN))}
    if name == "rotate":
        return image.rotate(30 * level, **given)
    shear, (width, height) = 0.3 * level, image.size
    matrix = {
        "shear_x": (1, shear, 0, 0, 1, 0),
        "shear_y": (1, 0, 0, shear, 1, 0),
        "move_x": (1, 0, 0.45 * level * width, 0, 1, 0),
        "move_y": (1, 0, 0, 0, 1, 0.45 * level * height),
    }[name]
    return image.transform(image.size, Image.Transform.AFFINE, matrix, **given)


def alternate(x: Tensor, key: Tensor, count: int) -> Tensor:
    """Mirror the images that were not mirrored in the epoch before (Jordan, 2024)."""
    index, epoch = key % count, key // count
    drawn = index * 2654435761 >> 16  # a hash, whose last bit is effectively random
    turned = (drawn + epoch) % 2 == 0
    return torch.where(turned.reshape(-1, 1, 1, 1), x.flip(3), x)


def flip(x: Tensor) -> Tensor:
    """Mirror half of the images."""
    mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    return torch.where(mirrored, x.flip(3), x)


def crop(x: Tensor, padding: int) -> Tensor:
    """Shift each image by up to `padding` pixels, padding with zeros."""
    (n, _, h, w), device = x.shape, x.device
    top, left = torch.randint(2 * padding + 1, (2, n, 1), device=device)
    rows = (top + torch.arange(h, device=device)).unsqueeze(2)
    columns = (left + torch.arange(w, device=device)).unsqueeze(1)
    image = torch.arange(n, device=device).reshape(n, 1, 1)
    x = F.pad(x, [padding] * 4).permute(0, 2, 3, 1)
    return x[image, rows, columns].permute(0, 3, 1, 2)


def erase(x: Tensor, probability: float) -> Tensor:
    """Zero a rectangle of 2% to 33% of some images (Zhong et al., 2017)."""
    (n, _, h, w), device = x.shape, x.device
    chosen, area, shape, y, z = torch.rand(5, n, 1, 1, device=device)
    side = (h * w * (0.02 + 0.31 * area)).sqrt()
    ratio = torch.exp((shape - 0.5) * math.log(10 / 3))
    height, width = (side * ratio).clamp(max=h), (side / ratio).clamp(max=w)
    row = torch.arange(h, device=device).reshape(1, h, 1) - y * (h - height)
    column = torch.arange(w, device=device).reshape(1, 1, w) - z * (w - width)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return x.masked_fill((inside & (chosen < probability)).unsqueeze(1), 0.0)
