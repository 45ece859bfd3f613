"""What else training scripts learn from: made-up data, tensors, folders of images."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from resume import NETWORK, differing
from support import peers
from support.scripts import Script, bytes_of, recipe

THREE = NETWORK.replace("[1, 8, 8]", "[3, 16, 16]").replace("linear: 10", "linear: 3")
LINE = "name: tiny\ninput: [4]\nstem: [{linear: 1}]\n"

# Made up ------------------------------------------------------------------------------

LOSSES = {"cross_entropy": 0.9, "bce": 0.8, "multi_label": 0.8, "mse": 0.7, "huber": 0.7}


@pytest.mark.parametrize("loss", LOSSES)
def test_made_up_data_is_learnt_in_a_hundred_steps(loss: str, tmp_path: Path) -> None:
    flat = "name: tiny\ninput: [16]\nstem: [{linear: 64}, norm, act]\nhead: [{linear: 10}]\n"
    images = loss in ("cross_entropy", "bce")
    optimizer = "optimizer: adamw, schedule: linear"
    text = (NETWORK if images else flat) + recipe(f"loss: {loss}, {optimizer}", lr="0.01")
    printed = Script(tmp_path, text)(tmp_path / "run", "--steps", "96", "--batch-size", "128")
    score = float((tmp_path / "run" / "log.csv").read_text().splitlines()[-1].split(",")[5])
    assert score > LOSSES[loss]
    assert ("class  " if images else "output    0") in printed
    assert ("R^2" if loss in ("mse", "huber") else "accuracy") in printed


def test_r2_does_not_depend_on_where_targets_lie(tmp_path: Path) -> None:
    text = "name: tiny\ninput: [4]\nstem: [{linear: 10}]\n" + recipe("loss: mse")
    module = Script(tmp_path, text).module
    y = torch.randn(512, 10) + torch.tensor(1e4)
    x = y + 0.5 * torch.randn(512, 10)
    feed = [(a, b) for a, b in zip(x.split(64), y.split(64), strict=True)]
    _, score, _ = module.evaluate_values(torch.nn.Identity(), feed, "cpu")
    exact = 1 - (x - y).double().square().sum(0) / (y.double() - y.double().mean(0)).square().sum(0)
    assert score == pytest.approx(float(exact.mean()), abs=1e-3)


# Tensors ------------------------------------------------------------------------------


def tensors(path: Path, *shape: int, targets: int = 1) -> Path:
    inputs = torch.randn(96, *shape, generator=torch.Generator().manual_seed(0))
    values = inputs.flatten(1)[:, :targets] * 2 + 1
    torch.save({"train": (inputs[:64], values[:64]), "test": (inputs[64:], values[64:])}, path)
    return path


def test_a_file_of_tensors_is_learnt(tmp_path: Path) -> None:
    more = recipe("loss: mse", data="tensors", lr="0.1", epochs="80", batch_size="32")
    data = tensors(tmp_path / "data.pt", 4)
    printed = Script(tmp_path, LINE + more)(tmp_path / "run", "--data", str(data))
    assert "steps 80, batch 32, train 58, test 32, val 6, " in printed
    assert torch.load(tmp_path / "run" / "best.pt", weights_only=True)["run"]["best"] > 0.99


@pytest.mark.parametrize("shape", [(5,), (3, 2)])
def test_tensors_of_other_sizes_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    script = Script(tmp_path, LINE + recipe("loss: mse", data="tensors"))
    message = script.refuses(tmp_path / "run", "--data", str(tensors(tmp_path / "d.pt", *shape)))
    assert f"the train inputs are {(64, *shape)}, torch.float32" in message
    assert "they must be (64, 4), torch.float32" in message


def test_a_file_that_holds_no_tensors(tmp_path: Path) -> None:
    script = Script(tmp_path, LINE + recipe("loss: mse", data="tensors"))
    (tmp_path / "data.pt").write_bytes(b"PK")
    assert "save it with torch.save(" in script.refuses(tmp_path / "r", "--data", "nowhere.pt")
    assert "error: --data FILE" in script.refuses(tmp_path / "r")
    assert "data.pt" in script.refuses(tmp_path / "r", "--data", str(tmp_path / "data.pt"))


def test_tensors_are_augmented_and_resized_too(tmp_path: Path) -> None:
    said = "size: 16, augment: {flip: true, crop: 2, erase: 0.5}"
    source = Script(tmp_path, NETWORK + recipe(said, data="tensors")).path.read_text()
    for line in ("x = crop(x, 2)", "x = flip(x)", "x = erase(x, 0.5)", "x = resize(x, 16)"):
        assert f"            {line}\n" in source


# Folders ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three colours, a folder each."""
    root = tmp_path_factory.mktemp("images")
    for part, count in (("train", 16), ("val", 4)):
        for channel, name in enumerate(("red", "green", "blue")):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                image = bytes_of(20, 24, 3, seed=number, below=128)
                image[..., channel] += 100
                Image.fromarray(image.numpy()).save(root / part / name / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def of_folders(tmp_path_factory: pytest.TempPathFactory) -> Script:
    peers.torchvision_models()  # declares its ops where they do not load
    said = "augment: {flip: true, resized_crop: [0.3, 1], rand_augment: 2, erase: 0.1}, repeats: 2"
    text = THREE + recipe(said, data="folder", epochs="2", batch_size="12")
    return Script(tmp_path_factory.mktemp("script"), text, "tensorboard")


def test_a_folder_is_learnt_and_gone_on_with_inside_an_epoch(
    of_folders: Script, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ("--data", str(folder), "--workers")
    printed = of_folders(tmp_path / "whole", *data, "0")
    assert all(f"\n{name}  " in printed for name in ("red", "green", "blue"))
    monkeypatch.setattr(of_folders.module, "signals", [(15, 0.0)])
    with pytest.raises(SystemExit, match="143"):
        of_folders(tmp_path / "cut", *data, "2")
    state = torch.load(tmp_path / "cut" / "last.pt", weights_only=True)
    assert state["run"]["step"] == 1
    monkeypatch.undo()
    of_folders(tmp_path / "cut", *data, "2", "--resume")
    assert differing(tmp_path / "whole", tmp_path / "cut") == []


def test_folders_that_are_missing_or_others(
    of_folders: Script, folder: Path, tmp_path: Path
) -> None:
    message = of_folders.refuses(tmp_path / "run", "--data", str(tmp_path / "nowhere"))
    assert f"{tmp_path / 'nowhere' / 'train'} is not a directory" in message
    (tmp_path / "two" / "train" / "one").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "two" / "train" / "one" / "0.png")
    with pytest.raises(SystemExit, match=r"classes in .*train: 1, outputs in the spec: 3"):
        of_folders(tmp_path / "run", "--data", str(tmp_path / "two"))


# TensorBoard --------------------------------------------------------------------------


def test_tensorboard_is_asked_for_where_it_is_not(
    of_folders: Script, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    options = ("--data", str(folder), "--workers", "0", "--tensorboard")
    assert "pip install tensorboard" in of_folders.refuses(tmp_path, *options)


def test_tensorboard_is_told_every_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[tuple[Any, ...]]()

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            told.append((folder, purge_step))

        def add_scalar(self, *what: Any) -> None:
            told.append(what)

        def close(self) -> None:
            told.append(("closed", None, 2))

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    script = Script(tmp_path, NETWORK + recipe(), "tensorboard")
    script(tmp_path / "run", "--steps", "2", "--tensorboard")
    names, row = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert told[0] == (str(tmp_path / "run"), 0)
    assert told.pop() == ("closed", None, 2)
    logged = dict(zip(names.split(","), row.split(","), strict=True))
    for name in ("step", "epoch"):
        del logged[name]
    assert {name: f"{value:.6g}" for name, value, _ in told[1:]} == logged
    assert {step for *_, step in told[1:]} == {2}
