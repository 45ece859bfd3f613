"""Honest figures: weights are chosen on samples held out, and the test set is read once, last."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from PIL import Image
from torch import Tensor

from archspec.diagnostics import SpecError
from archspec.language import parse_text
from resume import NETWORK, differing
from support import peers
from support.scripts import Script, bytes_of, recipe

FLAT = "name: tiny\ninput: [4]\nstem: [{linear: 3}]\n"
THREE = NETWORK.replace("[1, 8, 8]", "[3, 8, 8]").replace("linear: 10", "linear: 3")
Parts = dict[str, tuple[Tensor, Tensor]]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script(tmp_path_factory.mktemp("script"), FLAT + flat("validation: 0.2"))


def flat(more: str = "") -> str:
    return recipe(more, data="tensors", epochs="3", batch_size="8")


def drawn(*parts: str) -> Parts:
    """Thirty samples a part, each with its own number in the first column."""
    data: Parts = {}
    for part in parts:
        x = torch.randn(30, 4, generator=torch.Generator().manual_seed(len(part)))
        x[:, 0] = torch.arange(30) + 100 * len(data)
        data[part] = x, torch.arange(30) % 3
    return data


def saved(folder: Path, *parts: str) -> str:
    torch.save(drawn(*parts), folder / "data.pt")
    return str(folder / "data.pt")


def rows(out: Path) -> list[dict[str, str]]:
    with open(out / "log.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# The samples held out -----------------------------------------------------------------


def test_the_seed_says_what_is_held_out(script: Script) -> None:
    splits = []
    for seed in (0, 0, 1):
        train, val = script.module.held_out(30, 0.2, seed)
        assert (len(train), len(val)) == (24, 6)
        assert torch.equal(torch.cat([train, val]).sort().values, torch.arange(30))
        splits.append(val.tolist())
    assert splits[0] == splits[1] != splits[2]


@pytest.mark.parametrize(
    ("parts", "sizes"), [(("train", "val"), (30, 30)), (("train", "test"), (24, 6))]
)
def test_a_validation_part_of_the_data_is_taken_as_it_is(
    script: Script, tmp_path: Path, parts: tuple[str, ...], sizes: tuple[int, int]
) -> None:
    printed = script(tmp_path / "run", "--data", saved(tmp_path, *parts))
    first = printed.splitlines()[0]
    assert f"train {sizes[0]}, " in first
    assert f"val {sizes[1]}, " in first


@pytest.mark.parametrize(("count", "share", "held"), [(10, 0.1, 1), (4, 0.1, 1), (10, 0.99, 10)])
def test_one_sample_at_least_is_held_out(
    script: Script, count: int, share: float, held: int
) -> None:
    kept, taken = script.module.held_out(count, share, 0)
    assert (len(kept), len(taken)) == (count - held, held)


# What reads which part ----------------------------------------------------------------


def watched(script: Script, out: Path, *options: str) -> tuple[list[float], str]:
    """The first number of what each evaluation was given, and what was printed."""
    seen = list[float]()
    evaluate = script.module.evaluate_classes

    def watch(net: Any, feed: Any, *more: Any) -> Any:
        batches = list(feed)
        seen.append(float(batches[0][0][0, 0]))
        return evaluate(net, batches, *more)

    with mock.patch.object(script.module, "evaluate_classes", watch):
        return seen, script(out, *options)


def test_the_test_set_is_read_once_at_the_end(script: Script, tmp_path: Path) -> None:
    data, out = saved(tmp_path, "train", "val", "test"), tmp_path / "run"
    seen, printed = watched(script, out, "--data", data)
    assert seen == [100, 100, 100, 200], "three epochs, and the test"
    state = torch.load(out / "last.pt", weights_only=True)
    best = torch.load(out / "best.pt", weights_only=True)
    log = rows(out)
    tested = [row for row in log if row["test_accuracy"]]
    assert [int(row["step"]) for row in tested] == [best["run"]["step"]]
    assert f"best val accuracy {best['run']['best']:.2%}: step " in printed
    assert f"test accuracy {float(tested[0]['test_accuracy']):.2%}: best.pt, read once" in printed
    validated = {row["step"]: float(row["val_accuracy"]) for row in log if row["val_accuracy"]}
    assert len(validated) == 3
    assert max(validated.values()) == pytest.approx(best["run"]["best"], abs=1e-6)
    assert validated[str(best["run"]["step"])] == max(validated.values())
    assert state["run"]["step"] == 9, "the last weights stay the last"
    again, told = watched(script, out, "--data", data, "--resume")
    assert again == [], "a finished run reads nothing"
    assert told.splitlines()[1:] == printed.splitlines()[-len(told.splitlines()) + 1 :]


def test_best_weights_are_what_is_tested(script: Script, tmp_path: Path) -> None:
    """Weights that get worse after the first epoch: the test is of those of the first."""
    data, out = saved(tmp_path, "train", "val", "test"), tmp_path / "run"
    evaluate = script.module.evaluate_classes
    scores = iter([0.9, 0.5, 0.1])

    def worse(net: Any, feed: Any, *more: Any) -> Any:
        loss, score, table = evaluate(net, feed, *more)
        return loss, next(scores, score), table

    with mock.patch.object(script.module, "evaluate_classes", worse):
        script(out, "--data", data)
    best = torch.load(out / "best.pt", weights_only=True)
    assert best["run"]["step"] == 3
    x, y = drawn("train", "val", "test")["test"]
    net = script.module.Tiny()
    net.load_state_dict(best["model"])
    right = float((net.eval()(x).argmax(1) == y).float().mean())
    (tested,) = [row for row in rows(out) if row["test_accuracy"]]
    assert tested["step"] == "3"
    assert float(tested["test_accuracy"]) == pytest.approx(right, abs=1e-6)


def test_killed_before_the_test_it_is_read_then(script: Script, tmp_path: Path) -> None:
    data, whole, cut = saved(tmp_path, "train", "test"), tmp_path / "whole", tmp_path / "cut"
    script(whole, "--data", data)
    evaluate, calls = script.module.evaluate_classes, list[int]()

    def killed(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return evaluate(*given)

    with (
        mock.patch.object(script.module, "evaluate_classes", killed),
        pytest.raises(KeyboardInterrupt),
    ):
        script(cut, "--data", data)
    assert not any(row["test_accuracy"] for row in rows(cut))
    script(cut, "--data", data, "--resume")
    assert differing(whole, cut) == []


def test_without_a_test_part_no_test_figure(script: Script, tmp_path: Path) -> None:
    data = saved(tmp_path, "train", "val")
    seen, printed = watched(script, tmp_path / "run", "--data", data)
    assert seen == [100] * 4, "the last says how each class of the best is found"
    assert "test" not in printed.replace(str(tmp_path), "")
    assert "best val accuracy" in printed
    assert not any(row["test_loss"] for row in rows(tmp_path / "run"))


# Without validation -------------------------------------------------------------------


def test_without_validation_all_is_trained_on_and_the_last_tested(tmp_path: Path) -> None:
    script = Script(tmp_path / "script", FLAT + flat("validation: 0"))
    data, out = saved(tmp_path, "train", "test"), tmp_path / "run"
    seen, printed = watched(script, out, "--data", data)
    assert seen == [100]
    assert ", train 30, test 30, " in printed
    assert ": last.pt, read once" in printed
    assert "val " not in printed
    assert not (out / "best.pt").exists()
    assert rows(out)[-1]["test_accuracy"]
    assert "no sample is left to evaluate with" in script.refuses(
        tmp_path / "other", "--data", saved(tmp_path, "train")
    )


def test_early_stopping_counts_epochs_since_the_best_evaluation(tmp_path: Path) -> None:
    script = Script(tmp_path / "script", FLAT + flat("validation: 0.2, early_stopping: 1"))
    data, scores = saved(tmp_path, "train", "val"), iter([0.5, 0.5, 0.6])
    table = torch.eye(3).long()
    evaluate = mock.Mock(side_effect=lambda *_: (1.0, next(scores), table))
    with mock.patch.object(script.module, "evaluate_classes", evaluate):
        script(tmp_path / "run", "--data", data)
    last = torch.load(tmp_path / "run" / "last.pt", weights_only=True)["run"]
    assert (last["best_step"], last["step"]) == (3, 6), "of 9, in epochs of 3"


def test_early_stopping_needs_validation() -> None:
    with pytest.raises(SpecError) as caught:
        parse_text(FLAT + flat("validation: 0, early_stopping: 2"), "net")
    (error,) = caught.value.diagnostics
    assert error.rule == "conflicting-keys"
    assert "`early_stopping` requires validation samples, but there are none" in error.message


# Folders ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_folders(tmp_path_factory: pytest.TempPathFactory) -> Script:
    peers.torchvision_models()  # declares its ops where they do not load
    said = "augment: {rand_augment: 2}, validation: 0.25"
    text = THREE + recipe(said, data="folder", batch_size="4")
    return Script(tmp_path_factory.mktemp("folders"), text)


def images(root: Path, *parts: str) -> str:
    for part in parts:
        for name in "abc":
            (root / part / name).mkdir(parents=True)
            for number in range(4):
                image = Image.fromarray(bytes_of(9, 9, 3, seed=number).numpy())
                image.save(root / part / name / f"{number}.png")
    return str(root)


@pytest.mark.parametrize(
    ("parts", "sizes", "tested"),
    [
        (("train", "val"), ", train 12, val 12, ", False),
        (("train", "val", "test"), ", train 12, val 12, test 12, ", True),
        (("train", "test"), ", train 9, test 12, val 3, ", True),
        (("train",), ", train 9, val 3, ", False),
    ],
)
def test_folders_that_there_are(
    of_folders: Script, tmp_path: Path, parts: tuple[str, ...], sizes: str, tested: bool
) -> None:
    data = images(tmp_path / "data", *parts)
    printed = of_folders(tmp_path / "run", "--data", data, "--workers", "0")
    assert sizes in printed
    assert ("read once" in printed) == tested
    assert "best val accuracy" in printed


def test_images_held_out_are_not_augmented(of_folders: Script, tmp_path: Path) -> None:
    data, batches = images(tmp_path / "data", "train"), of_folders.module.batches
    parts = list[Any]()

    def watch(data: Any, *more: Any) -> Any:
        parts.append(data)
        return batches(data, *more)

    with mock.patch.object(of_folders.module, "batches", watch):
        of_folders(tmp_path / "run", "--data", data, "--workers", "0", "--steps", "1")
    train, val = parts[:2]
    assert "rand_augment" in str(train.change)
    assert "rand_augment" not in str(val.change)
    paths = [path for part in (train, val) for path, _ in part.images]
    assert len({*paths}) == len(paths) == 12
