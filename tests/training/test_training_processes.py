"""Two processes equal one, and are killed and resumed like one.

The part of a batch that is process 1's is the second part of one process with two of them, with
the same seed. So both have the same statistics in batch norms, and differ by the order in which
gradients are added. Without batch norms the parts do not matter.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from resume import NETWORK, OFTEN, REGULARISERS, TORCHRUN, differing, finish, kill_while_it_restarts
from support.forks import Command, pair
from support.scripts import Script, recipe

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="no torchrun")
EPOCHS = 50  # of one step: each loss is a row of the log
DATA = {"data": "tensors", "epochs": str(EPOCHS), "batch_size": "64"}
FP32 = ("--precision", "fp32")
GROUPS = NETWORK.replace("stem:", "defaults: {norm: {group_norm: 4}}\nstem:")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 images to train with, 32 to validate, and 32 to test."""
    path, draw = tmp_path_factory.mktemp("data") / "data.pt", torch.Generator().manual_seed(0)

    def drawn(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.randint(10, (count,), generator=draw)
        return torch.randn(count, 1, 8, 8, generator=draw) + labels[:, None, None, None], labels

    torch.save({"train": drawn(64), "val": drawn(32), "test": drawn(32)}, path)
    return path


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """With batch norms and every regulariser."""
    text = NETWORK + recipe(REGULARISERS, **DATA)
    return Script(tmp_path_factory.mktemp("script"), text)


@pytest.fixture(scope="module")
def both(script: Script, data: Path) -> Path:
    """The run of two processes that nothing happened to."""
    out = script.path.parent / "both"
    for process in pair(script.path, out, "--data", str(data), "--accumulate", "1", *FP32):
        finish(process)
    return out


def state(out: Path) -> dict[str, Any]:
    """The last checkpoint of a run."""
    loaded: dict[str, Any] = torch.load(out / "last.pt", weights_only=True)
    return loaded


def losses(out: Path) -> torch.Tensor:
    """The training loss of every step."""
    rows = state(out)["run"]["rows"]
    assert [row["step"] for row in rows] == list(range(1, EPOCHS + 1))
    return torch.tensor([row["train_loss"] for row in rows], dtype=torch.float64)


def advised(message: str) -> str:
    seed = 'yield "seed", SEED (regularisers/base.py)'
    return f"{message}\nIf a regulariser draws random numbers after the loss, it has to {seed}."


def test_two_parts_of_one_process_are_the_parts_of_two(
    script: Script, data: Path, both: Path, tmp_path: Path
) -> None:
    script(tmp_path / "one", "--data", str(data), *FP32)
    one_by_one, at_once = losses(tmp_path / "one"), losses(both)
    torch.testing.assert_close(one_by_one, at_once, rtol=1e-5, atol=0, msg=advised)
    one, two = (dict(state(out)["trained"]) for out in (tmp_path / "one", both))
    for name in dict(script.module.Tiny().named_parameters()):
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-5)


def test_without_batch_norms_the_parts_do_not_matter(data: Path, tmp_path: Path) -> None:
    script = Script(tmp_path, GROUPS + recipe("momentum: 0.9, ema: 0.9", **DATA))
    script(tmp_path / "one", "--data", str(data), *FP32)
    for process in pair(script.path, tmp_path / "two", "--data", str(data), *FP32):
        finish(process)
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    torch.testing.assert_close(one, two, rtol=1e-5, atol=0)
    assert one[-1] < 0.9 * one[0]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
def test_killed_at_a_random_instant_torchrun_ends_it_in_the_same_bits(
    script: Script, data: Path, both: Path, tmp_path: Path
) -> None:
    """One worker is killed, and torchrun starts both again with the same command.

    Its workers are forked; `benchmarks/resume.py` starts it as users do.
    """
    options = ("--data", str(data), "--accumulate", "1", *FP32, *OFTEN)
    seconds = state(both)["run"]["rows"][-1]["seconds"]
    torchrun = ("-m", "support.torchrun", *TORCHRUN[3:], "--max-restarts=100", "--nproc-per-node=2")
    for share in (2, 8, 32):  # a run may be faster than the one that was timed, and end before
        out = tmp_path / f"run{share}"
        words = (str(script.path), "--out", str(out), "--resume", "auto", *options)
        run = Command(tmp_path, *torchrun, *words)
        if kill_while_it_restarts(run, out, iter([random.uniform(0, seconds / share)])):
            break
    else:
        pytest.fail("no run lasted until a worker could be killed")
    assert differing(both, out) == []
