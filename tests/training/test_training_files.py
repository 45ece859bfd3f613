"""Published data sets: files, their checksums, and downloads."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import re
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from resume import NETWORK, finish
from support.forks import pair
from support.scripts import Script, bytes_of, recipe

CIFAR = NETWORK.replace("[1, 8, 8]", "[3, 32, 32]")
MNIST = NETWORK.replace("[1, 8, 8]", "[1, 28, 28]")


def asked(data: Path, download: bool = False) -> argparse.Namespace:
    """The options that say where the data is."""
    return argparse.Namespace(data=str(data), download=download)


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script(tmp_path_factory.mktemp("mnist"), MNIST + recipe(data="mnist", batch_size="8"))


@pytest.fixture
def files(tmp_path: Path, mnist: Script, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """What small IDX files in `published` hold; they are the published ones."""
    held, digests = dict[str, Tensor](), dict[str, str]()
    (tmp_path / "published").mkdir()
    for part, count in (("train", 16), ("t10k", 8)):
        held[f"{part}-images-idx3-ubyte.gz"] = bytes_of(count, 28, 28)
        held[f"{part}-labels-idx1-ubyte.gz"] = bytes_of(count, below=10)
    for name, data in held.items():
        content = struct.pack(f">HBB{data.ndim}I", 0, 8, data.ndim, *data.shape)
        content += data.numpy().tobytes()
        (tmp_path / "published" / name).write_bytes(gzip.compress(content))
        digests[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(mnist.module, "DIGESTS", digests)
    monkeypatch.setattr(mnist.module, "URL", f"{(tmp_path / 'published').as_uri()}/")
    return held


def check(read: dict[str, tuple[Tensor, Tensor]], files: dict[str, Tensor]) -> None:
    """Images and labels as they were written."""
    for found, data in zip([*read["train"], *read["test"]], files.values(), strict=True):
        assert torch.equal(found.squeeze(1) if data.ndim > 1 else found, data.to(found.dtype))


def test_idx_files_are_read_packed_and_unpacked(
    mnist: Script, files: dict[str, Tensor], tmp_path: Path
) -> None:
    folder = tmp_path / "published"
    check(mnist.module.read_idx_set(asked(folder)), files)
    for path in folder.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    check(mnist.module.read_idx_set(asked(folder)), files)


def test_one_process_reads_for_all(mnist: Script, files: dict[str, Tensor], tmp_path: Path) -> None:
    script, source = tmp_path / "train.py", mnist.path.read_text()
    for name, digest in mnist.module.DIGESTS.items():
        source = re.sub(f'"{name}": "[0-9a-f]*"', f'"{name}": "{digest}"', source)
    script.write_text(source)
    options = ("--data", str(tmp_path / "published"), "--steps", "1")
    for run in pair(script, tmp_path / "run", *options, more=("--data", "nowhere")):
        finish(run, 0)
    assert (tmp_path / "run" / "last.pt").exists()


def test_the_file_itself_may_have_the_published_sum(
    mnist: Script, files: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = {name: (tmp_path / "published" / name).read_bytes() for name in files}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in packed.items()}
    monkeypatch.setattr(mnist.module, "DIGESTS", sums)
    check(mnist.module.read_idx_set(asked(tmp_path / "published")), files)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def other(content: bytes) -> bytes:
    return gzip.compress(b"\0\0\10\1\0\0\0\1\7")


@pytest.mark.parametrize("damage", [cut, other, lambda content: b"<html>"])
def test_a_file_that_was_not_published(
    mnist: Script, files: dict[str, Tensor], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "published" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    message = mnist.refuses(tmp_path / "run", "--data", str(path.parent))
    assert message.startswith(f"error: {path} is not the published file")
    assert "delete it, and run again with --download" in message


def test_a_file_that_is_missing(mnist: Script, tmp_path: Path) -> None:
    message = mnist.refuses(tmp_path / "run", "--data", str(tmp_path / "nowhere"))
    assert "train-images-idx3-ubyte.gz: No such file or directory" in message
    assert (
        "use --data DIR for existing data, --download to fetch it, or --data synthetic" in message
    )


def test_a_download_is_told_and_read(
    mnist: Script, files: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "fetched"
    check(mnist.module.read_idx_set(asked(folder, download=True)), files)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("downloading file://")
    assert told[0].endswith(f"train-images-idx3-ubyte.gz to {folder / next(iter(files))}")
    assert len(told) == 4
    check(mnist.module.read_idx_set(asked(folder, download=True)), files)
    assert capsys.readouterr().out == "", "nothing is fetched twice"


def test_a_download_that_fails(
    mnist: Script, files: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist.module, "URL", f"{(tmp_path / 'gone').as_uri()}/")
    with pytest.raises(
        SystemExit,
        match="use --data DIR for existing data",
    ) as caught:
        mnist.module.read_idx_set(asked(tmp_path / "fetched", download=True))
    assert "train-images-idx3-ubyte.gz" in str(caught.value)
    assert not list((tmp_path / "fetched").iterdir())


def test_what_was_fetched_is_checked(
    mnist: Script, files: dict[str, Tensor], tmp_path: Path
) -> None:
    (tmp_path / "published" / "train-images-idx3-ubyte.gz").write_bytes(b"another")
    with pytest.raises(SystemExit, match="is not the published file: its SHA-256 differs"):
        mnist.module.read_idx_set(asked(tmp_path / "fetched", download=True))


def test_cifar10_is_read(tmp_path: Path) -> None:
    module = Script(tmp_path / "script", CIFAR + recipe(data="cifar10")).module
    batches = [bytes_of(4, 3073, seed=seed, below=10) for seed in range(6)]
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, batch in zip(names, batches, strict=True):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = batch.numel()
            archive.addfile(member, io.BytesIO(batch.numpy().tobytes()))
    module.DIGESTS = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    read = module.read_cifar10(asked(tmp_path))
    (images, labels), (test_images, test_labels) = read["train"], read["test"]
    rows = torch.cat(batches[:5])
    assert torch.equal(labels, rows[:, 0].long())
    assert torch.equal(images, rows[:, 1:].reshape(20, 3, 32, 32))
    assert torch.equal(test_images.flatten(1), batches[5][:, 1:])
    assert torch.equal(test_labels, batches[5][:, 0].long())
