"""Nothing lost: runs that are killed, signalled, damaged, or out of room, and go on.

`benchmarks/resume.py` does the same many times over, and on a disk that is really full.
"""

from __future__ import annotations

import errno
import os
import random
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from resume import (
    NETWORK,
    OFTEN,
    REGULARISERS,
    differing,
    finish,
    flip,
    kill_again_and_again,
    outcome,
)
from support.forks import Run
from support.scripts import Script, recipe

posix = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """With every regulariser, two parts a batch, 32 steps in two epochs."""
    text = NETWORK + recipe(REGULARISERS, epochs="2")
    return Script(tmp_path_factory.mktemp("script"), text)


@pytest.fixture(scope="module")
def untouched(script: Script) -> Path:
    """The run that nothing happened to."""
    out = script.path.parent / "untouched"
    script(out)
    return out


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """Without any; 16 steps in one epoch."""
    return Script(tmp_path_factory.mktemp("simple"), NETWORK + recipe())


@pytest.fixture(scope="module")
def done(simple: Script) -> Path:
    """A finished run of it."""
    out = simple.path.parent / "done"
    simple(out)
    return out


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    """A checkpoint of its own, to be damaged."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.pt").write_bytes((done / "last.pt").read_bytes())
    return tmp_path / "run" / "last.pt"


# The same command ---------------------------------------------------------------------


def test_the_same_command_starts_goes_on_and_ends(
    script: Script, untouched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, same = tmp_path / "run", ("--log-every", "1", "--resume", "auto")
    monkeypatch.setattr(script.module, "signals", [(int(signal.SIGTERM), 0.0)])
    with pytest.raises(SystemExit, match="143"):
        script(out, *same)
    assert torch.load(out / "last.pt", weights_only=True)["run"]["step"] == 1
    monkeypatch.undo()
    printed = script(out, *same)
    assert differing(untouched, out) == []
    before = (out / "last.pt").read_bytes()
    again = script(out, *same)
    assert "\ntest accuracy " in again
    assert again.splitlines()[1:] == printed.splitlines()[-len(again.splitlines()) + 1 :]
    assert (out / "last.pt").read_bytes() == before


# Killed and resumed -------------------------------------------------------------------


@posix
def test_killed_at_random_instants_it_ends_in_the_same_bits(
    script: Script, untouched: Path, tmp_path: Path
) -> None:
    def begin() -> Any:
        return Run(script.path, tmp_path / "run", *OFTEN, "--resume", "auto")

    seconds = float((untouched / "log.csv").read_text().splitlines()[-1].split(",")[9])
    instants = (random.uniform(0, seconds / 2) for _ in range(2))
    kills = list(kill_again_and_again(begin, tmp_path / "run", instants))
    assert kills
    assert differing(untouched, tmp_path / "run") == []


@posix
def test_signals_checkpoint_and_end_with_a_code_that_tells(
    script: Script, untouched: Path, tmp_path: Path
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        process = Run(script.path, tmp_path / "run", "--resume", "auto")
        while "\n" not in process.printed.read_text() and process.poll() is None:
            time.sleep(0.005)
        assert process.printed.read_text().startswith("tiny: 1 x cpu")
        time.sleep(random.uniform(0, 0.1))
        os.kill(process.pid, number)
        saved = f", saved in {tmp_path / 'run'}; --resume auto"
        assert re.search(rf"stopped at step \d+{saved}", finish(process, 128 + number))
        assert (tmp_path / "run" / "last.pt").exists()
    script(tmp_path / "run", "--resume")
    assert differing(untouched, tmp_path / "run") == []


def test_one_more_signal_ends_at_once(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = list[int]()
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(script.module, "signals", [])
    script.module.on_signal(signal.SIGINT, None)
    script.module.on_signal(signal.SIGINT, None)  # what a terminal sends, a launcher sends again
    assert not ended
    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)
    script.module.on_signal(signal.SIGTERM, None)
    assert ended == [143]


def test_the_best_weights_can_be_gone_on_from(
    script: Script, untouched: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    best = torch.load(untouched / "best.pt", weights_only=True)
    (tmp_path / "run" / "best.pt").write_bytes((untouched / "best.pt").read_bytes())
    script(tmp_path / "run", "--resume", "best.pt")
    if best["run"]["step"] < 32:
        assert differing(untouched, tmp_path / "run") == []


# Refused ------------------------------------------------------------------------------


def test_a_run_is_not_begun_over_another(simple: Script, done: Path) -> None:
    before = (done / "last.pt").read_bytes()
    assert "use --resume auto to resume it, or --out DIR to start another" in simple.refuses(done)
    assert (done / "last.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--batch-size", "128"), "steps = 16, now 32; batch_size = 256, now 128"),
        (("--batch-size", "128", "--steps", "16"), "batch_size = 256, now 128"),
        (("--seed", "1", "--lr", "0.1"), "lr = 0.05, now 0.1; seed = 0, now 1"),
        (("--accumulate", "2"), "parts = 1, now 2"),
    ],
)
@pytest.mark.parametrize("resume", [("--resume",), ("--resume", "auto")])
def test_a_run_goes_on_with_its_own_settings_only(
    simple: Script, done: Path, options: tuple[str, ...], name: str, resume: tuple[str, ...]
) -> None:
    told = f"was written with other settings: {name}\nhelp: "
    assert told in simple.refuses(done, *resume, *options)


def test_a_run_of_another_spec(done: Path, tmp_path: Path) -> None:
    other = Script(tmp_path, NETWORK + recipe("momentum: 0.8"))
    assert "was written with other settings: spec = " in other.refuses(done, "--resume")


def test_another_number_of_threads_is_warned_of(simple: Script, done: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        printed = simple(done, "--resume")
    finally:
        torch.set_num_threads(threads)
    told = f"warning: {done / 'last.pt'} had threads = {threads}, now {threads + 1}"
    assert f"{told}: bits may differ" in printed


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_checkpoint_cut_short(simple: Script, copy: Path, kept: float) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(kept * len(content))])
    message = simple.refuses(copy.parent, "--resume")
    assert f"{copy} is damaged" in message
    assert "--resume best.pt" in message
    assert len(copy.read_bytes()) == int(kept * len(content))


def test_no_checkpoint(simple: Script, tmp_path: Path) -> None:
    assert "does not exist" in simple.refuses(tmp_path / "run", "--resume")
    assert not (tmp_path / "run" / "last.pt").exists()


def test_a_file_that_is_no_checkpoint(simple: Script, copy: Path) -> None:
    torch.save({"weight": torch.ones(3)}, copy)
    assert "is damaged: 'settings'" in simple.refuses(copy.parent, "--resume")


def test_a_flipped_bit_never_gives_other_weights(simple: Script, copy: Path) -> None:
    content, draw = copy.read_bytes(), random.Random(0)
    state = torch.load(copy, weights_only=True)
    found = set()
    for _ in range(200):
        copy.write_bytes(flip(content, draw))
        found.add(outcome(simple.module, copy, state))
    assert found == {"refused", "loaded, equal"}


# A disk that is full, a loss that is not finite ---------------------------------------


def test_a_full_disk_leaves_the_old_checkpoint(
    script: Script, untouched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, part = list[int](), tmp_path / "run" / "last.pt.part"

    def fsync(file: int) -> None:
        written.append(file)
        if len(written) > 20 and part.exists() and os.path.samestat(os.fstat(file), part.stat()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    message = script.refuses(tmp_path / "run", "--log-every", "1", "--save-every", "0")
    assert "last.pt: No space left on device" in message
    assert not list((tmp_path / "run").glob("*.part"))
    monkeypatch.undo()
    script(tmp_path / "run", "--resume")
    assert differing(untouched, tmp_path / "run") == []


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_file_that_may_not_grow(simple: Script, tmp_path: Path) -> None:
    import resource

    path, limits = tmp_path / "last.pt", resource.getrlimit(resource.RLIMIT_FSIZE)
    simple.module.write(b"old", path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**26, limits[1]))
    try:
        with pytest.raises(SystemExit, match=r"could not write .*: File too large"):
            simple.module.write(bytes(2**26 + 1), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("options", [(), ("--log-every", "1", "--save-every", "0")])
def test_a_loss_that_is_not_finite_is_never_saved(
    simple: Script, tmp_path: Path, options: tuple[str, ...]
) -> None:
    message = simple.refuses(tmp_path, "--lr", "1e30", "--seed", "3", *options)
    assert "at step " in message
    assert re.search(r"with lr \d(\.\d)?e\+(2|3)\d\n", message)
    assert "lower --lr" in message
    for path in tmp_path.glob("*.pt"):
        state = torch.load(path, weights_only=True)
        assert all(bool(weight.isfinite().all()) for weight in state["model"].values())


def test_statistics_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    """Adam's steps are bounded, so that batch norms may hide an infinite variance."""
    script = Script(tmp_path, NETWORK + recipe("optimizer: adamw"))
    assert "at step " in script.refuses(tmp_path / "run", "--lr", "1e10", "--steps", "4")
    assert not list((tmp_path / "run").glob("*.pt"))
