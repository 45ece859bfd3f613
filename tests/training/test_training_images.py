"""Images of folders: whichever reader and however they are kept, the same pixels."""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from resume import NETWORK, differing
from support import peers
from support.modules import same_bits
from support.scripts import Script, bytes_of, recipe

SPEC = NETWORK.replace("[1, 8, 8]", "[3, 16, 16]").replace("linear: 10", "linear: 3")
SIZES = ((40, 30), (30, 40), (20, 24), (17, 50))


@pytest.fixture(scope="module")
def v2() -> Any:
    peers.torchvision_models()  # declares its ops where they do not load
    from torchvision.transforms import v2

    return v2


@pytest.fixture(scope="module")
def script(v2: Any, tmp_path_factory: pytest.TempPathFactory) -> Script:
    said = "augment: {flip: true, resized_crop: [0.3, 1], rand_augment: 2}"
    text = SPEC + recipe(said, data="folder", epochs="2", batch_size="12")
    return Script(tmp_path_factory.mktemp("script"), text, "cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEG files of several sizes, a folder a class."""
    root = tmp_path_factory.mktemp("images")
    for part, count in (("train", 8), ("val", 3)):
        for channel, name in enumerate(("red", "green", "blue")):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                image = bytes_of(*SIZES[number % 4], 3, seed=number, below=128)
                image[..., channel] += 100
                Image.fromarray(image.numpy()).save(root / part / name / f"{number}.jpg")
    return root


def decode(content: bytes, colours: str) -> numpy.ndarray[Any, Any]:
    """As simplejpeg's function reads a file."""
    assert colours == "RGB"
    return numpy.array(Image.open(io.BytesIO(content)))


def loaded(data: Any, keys: Iterable[int]) -> list[Tensor]:
    return [data[torch.tensor([key])][0][0] for key in keys]


def drawn_as_torchvision_draws(seed: int, patch: pytest.MonkeyPatch) -> bool:
    """Make torchvision draw a script's numbers; return whether the script mirrors the image."""
    torch.manual_seed(seed)
    rows = iter(torch.rand(10, 4).tolist())
    mirrored = torch.rand(()).item() < 0.5
    left: list[float] = []

    def uniform(x: Tensor, low: float, high: float) -> Tensor:
        if low > 0:  # an area; the logarithms of ratios start below zero
            left[:] = next(rows)
        return x.fill_(low + left.pop(0) * (high - low))

    def randint(low: int, high: int, size: tuple[int, ...]) -> Tensor:
        return torch.full(size, low + int(left.pop(0) * (high - low)))

    patch.setattr(Tensor, "uniform_", uniform)
    patch.setattr(torch, "randint", randint)
    return mirrored


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("as_tensor", [False, True])
@pytest.mark.parametrize("size", [(60, 80), (200, 5), (3, 90), (1, 1)])
def test_a_part_of_an_image_is_what_torchvision_takes(
    size: tuple[int, int], as_tensor: bool, mirror: bool, script: Script, v2: Any
) -> None:
    """Also where no part with a usual aspect ratio fits."""
    pixels = bytes_of(*size, 3)
    image = pixels.permute(2, 0, 1) if as_tensor else Image.fromarray(pixels.numpy())
    change = v2.RandomResizedCrop(16, scale=(0.08, 1))
    for seed in range(20):
        with pytest.MonkeyPatch.context() as patch:
            mirrored = drawn_as_torchvision_draws(seed, patch)
            expected = change(pixels.permute(2, 0, 1))
        torch.manual_seed(seed)
        found = script.module.random_part(16, 0.08, 1, image, mirror)
        assert same_bits(found, expected.flip(2) if mirror and mirrored else expected)


@pytest.mark.parametrize("side", [7, 32, 33, 64, 97, 500])
def test_an_image_may_be_mirrored_before_it_is_resized(side: int) -> None:
    image = bytes_of(1, 3, side, 3).permute(0, 3, 1, 2)
    resized = partial(F.interpolate, size=(3, 32), mode="bilinear", antialias=True)
    assert same_bits(resized(image.flip(3)), resized(image).flip(3))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_batch_has_the_images_of_its_keys(workers: int, script: Script, folder: Path) -> None:
    module = script.module
    data = module.Folder(folder / "train", partial(module.random_part, 16, 0.3, 1, mirror=True), 7)
    keys = torch.tensor([5, 30, 11, 3]), torch.tensor([47, 0])
    found = [*module.batches(data, keys, "cpu", argparse.Namespace(workers=workers))]
    for batch, (x, y) in zip(keys, found, strict=True):
        assert same_bits(x, torch.stack(loaded(data, batch.tolist())).permute(0, 3, 1, 2))
        assert y.tolist() == [data.images[key % 24][1] for key in batch]


def test_a_faster_decoder_reads_the_same_images(
    script: Script, folder: Path, v2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = v2.Compose([v2.PILToTensor()])
    plain = loaded(script.module.Folder(folder / "train", change), range(24))
    monkeypatch.setattr(script.module, "jpeg_decoder", lambda: decode)
    data = script.module.Folder(folder / "train", change)
    assert isinstance(data.read(data.images[0][0]), Tensor)
    assert all(map(same_bits, loaded(data, range(24)), plain))


def _rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.effect_noise((30, 20), 50).convert("RGB").save(path, exif=exif)


KINDS: dict[str, Callable[[Path], object]] = {
    "turned": _rotated,
    "gray": lambda path: Image.effect_noise((30, 20), 50).save(path),
    "CMYK": lambda path: Image.effect_noise((30, 20), 50).convert("CMYK").save(path),
    "another format": lambda path: Image.new("RGB", (30, 20)).save(path, "PNG"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_faster_decoder_would_read_otherwise_is_left_to_pillow(
    kind: str, script: Script, tmp_path: Path
) -> None:
    KINDS[kind](tmp_path / "image.jpg")
    image = script.module.read_image(str(tmp_path / "image.jpg"), decode)
    assert isinstance(image, Image.Image)
    assert image.mode == "RGB"
    assert image.size == ((20, 30) if kind == "turned" else (30, 20))


def test_a_file_that_a_faster_decoder_refuses_is_left_to_pillow(
    script: Script, folder: Path
) -> None:
    def refusing(*_: object) -> None:
        raise ValueError("extraneous bytes before marker")

    path = str(folder / "train" / "red" / "0.jpg")
    assert isinstance(script.module.read_image(path, refusing), Image.Image)


# --cache ------------------------------------------------------------------------------


def options(cache: Path) -> argparse.Namespace:
    return argparse.Namespace(cache=cache, workers=0)


def test_images_that_are_kept_train_the_same_network(
    script: Script, folder: Path, tmp_path: Path
) -> None:
    """None is larger than 18 pixels, what this recipe resizes to, but some: these differ."""
    data = ("--data", str(folder), "--workers", "0")
    kept = ("--cache", str(tmp_path / "cache"))
    first = script(tmp_path / "first", *data, *kept)
    again = script(tmp_path / "again", *data, *kept)
    assert ".images: 24, " in first
    assert "images in" not in again
    assert differing(tmp_path / "first", tmp_path / "again") == []
    message = script.refuses(tmp_path / "first", *data, "--resume")
    assert "was written with other settings: cache = True, now None" in message


def test_what_is_kept_is_the_image_at_the_size_of_the_recipe(
    script: Script, folder: Path, v2: Any, tmp_path: Path
) -> None:
    whole = v2.Compose([v2.PILToTensor(), v2.Resize(18), v2.CenterCrop(16)])
    data = script.module.Folder(folder / "train", whole)
    expected = loaded(data, range(24))
    script.module.keep_decoded(data, 18, options(tmp_path))
    assert all(map(same_bits, loaded(data, range(24)), expected))
    assert {min(data.read(path).shape[1:]) for path, _ in data.images} == {17, 18}


def test_what_is_kept_may_be_held_out(
    script: Script, folder: Path, v2: Any, tmp_path: Path
) -> None:
    given = (folder / "train", v2.Compose([v2.PILToTensor()]))
    whole, kept = (script.module.Folder(*given) for _ in range(2))
    script.module.keep_decoded(kept, 60, options(tmp_path))
    keys = torch.tensor([3, 20, 5])
    some = [loaded(data.some(keys, given[1]), range(3)) for data in (whole, kept)]
    assert all(map(same_bits, *some))


@pytest.mark.parametrize("cut", ["images", "index", "both"])
def test_a_cache_that_was_cut_short_is_filled(
    cut: str, script: Script, folder: Path, v2: Any, tmp_path: Path
) -> None:
    data = script.module.Folder(folder / "train", v2.Compose([v2.PILToTensor()]))
    script.module.keep_decoded(data, 18, options(tmp_path))
    (images,), (index,) = tmp_path.glob("*.images"), tmp_path.glob("*.index")
    whole = images.read_bytes(), index.read_bytes()
    if cut != "index":
        os.truncate(images, len(whole[0]) // 3)
    if cut != "images":
        os.truncate(index, len(whole[1]) // 2 + 5)
    data = script.module.Folder(folder / "train", v2.Compose([v2.PILToTensor()]))
    script.module.keep_decoded(data, 18, options(tmp_path))
    assert (images.read_bytes(), index.read_bytes()) == whole


def test_other_images_are_another_cache(
    script: Script, folder: Path, v2: Any, tmp_path: Path
) -> None:
    change = v2.Compose([v2.PILToTensor()])
    for part, side in (("train", 18), ("val", 18), ("train", 20)):
        data = script.module.Folder(folder / part, change)
        script.module.keep_decoded(data, side, options(tmp_path))
    assert len([*tmp_path.glob("*.images")]) == 3


def test_a_cache_that_another_process_fills_is_waited_for(
    script: Script, folder: Path, v2: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, held = script.module.Folder(folder / "val", v2.PILToTensor()), iter([None, None])
    locked, waits = script.module.locked, list[float]()
    monkeypatch.setattr(script.module, "locked", lambda path: next(held, locked(path)))
    monkeypatch.setattr(time, "sleep", waits.append)
    script.module.keep_decoded(data, 18, options(tmp_path))
    assert len(waits) == 2
    assert len([data.read(path) for path, _ in data.images]) == 9


def test_a_cache_that_cannot_be_written(script: Script, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    where = ("--data", str(folder), "--workers", "0", "--cache", str(tmp_path / "file"))
    message = script.refuses(tmp_path / "run", *where)
    assert f"error: --cache {tmp_path / 'file'}: " in message
