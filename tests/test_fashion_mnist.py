"""The lecture's network learns from real images, and both readers learn the same."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import fashion_mnist_steps as script
from support import DATA

SAMPLE = DATA / "fashion_mnist"


def test_loss_falls_and_is_the_same_in_both_readers() -> None:
    images, labels = script.training_set(SAMPLE)
    few = images[:16], labels[:16]
    generated = script.losses(script.generated, few, steps=8, batch_size=8)
    interpreted = script.losses(script.interpreted, few, steps=8, batch_size=8)
    assert generated == interpreted
    assert script.mean(generated[-3:]) < 0.5 * script.mean(generated[:3])


def test_the_sample_is_fashion_mnist() -> None:
    images = script.read_idx(SAMPLE, "train-images-idx3-ubyte")
    labels = script.read_idx(SAMPLE, "train-labels-idx1-ubyte")
    assert images.shape == (512, 28, 28)
    assert (labels.min(), labels.max()) == (0, 9)
    assert labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]


@pytest.mark.parametrize("stem", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
def test_files_may_be_unpacked(stem: str, tmp_path: Path) -> None:
    content = gzip.decompress((SAMPLE / f"{stem}.gz").read_bytes())
    (tmp_path / stem).write_bytes(content)
    assert script.read_idx(tmp_path, stem).equal(script.read_idx(SAMPLE, stem))


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    content = gzip.decompress((SAMPLE / "train-labels-idx1-ubyte.gz").read_bytes())
    (tmp_path / "labels").write_bytes(content[:-1])
    with pytest.raises(ValueError, match="labels holds 511 bytes"):
        script.read_idx(tmp_path, "labels")
