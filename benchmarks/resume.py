"""Training runs killed with `kill -9` at random instants, against the run never touched.

    python benchmarks/resume.py [--runs 20] [--kills 3] [--flips 400] [--seed 0]

So many runs are one process in a shell loop, and so many are two under torchrun with gloo and
`--max-restarts 100`. Of each, a random process is killed, and once the run has gone on by itself
another one; nobody starts it again. Its weights, averages, optimizer and log must then be those
of the untouched run, to the bit. The recipe has every regulariser but early stopping, and
accumulation and bf16.

Then a disk is full in the middle of a run (a tiny tmpfs, which needs root), and single bits of
a checkpoint are flipped.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

import archspec
from archspec.language.train import regularisers
from archspec.language.train.regularisers.early_stopping import EarlyStopping

NETWORK = """\
name: tiny
input: [1, 8, 8]
stem: [{conv: {channels: 8, kernel: 3}}, norm, act]
stages:
  first: {block: basic, repeat: 2, channels: 8}
head: [global_avg_pool, flatten, {linear: 10}]
"""
NEEDED = "data: synthetic, epochs: 2, batch_size: 64, lr: 0.05"
# Early stopping may end a run before it is killed.
PARTS = [part for part in regularisers.REGULARISERS if part is not EarlyStopping]
REGULARISERS = ", ".join([*(part.example for part in PARTS), "accumulate: 2"])
RECIPE = f"train: {{{NEEDED},\n{REGULARISERS}}}\n"
OFTEN = ("--log-every", "1", "--save-every", "0.05")  # as often as there are instants to be killed
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone")
TIMES = ("images_per_second", "seconds")  # columns of log.csv that no two runs share


def write_script(folder: Path, text: str = NETWORK + RECIPE, options: Collection[str] = ()) -> Path:
    """The training script of a spec, network included, in a folder."""
    spec, path = folder / "tiny.yaml", folder / "train_tiny.py"
    spec.write_text(text, "utf-8")
    path.write_text(archspec.render_training(spec, single_file=True, options=options), "utf-8")
    return path


def module_of(script: Path) -> ModuleType:
    """A script's functions."""
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Runs ---------------------------------------------------------------------------------


def start(
    script: Path, out: Path, *options: str, processes: int = 1, **given: Any
) -> subprocess.Popen[str]:
    """A run of a script, with one thread a process."""
    launcher = [*TORCHRUN, f"--nproc-per-node={processes}"] if processes > 1 else [sys.executable]
    return popen([*launcher, str(script), "--out", str(out), *options], **given)


def popen(words: list[str], **given: Any) -> subprocess.Popen[str]:
    """A command, whose output can be read once it has ended."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **given.pop("env", {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(words, text=True, env=environment, **{**streams, **given})  # type: ignore[call-overload, no-any-return]


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """What a run printed, which must end with this exit code."""
    output, _ = process.communicate(timeout=600)
    assert process.returncode == code, f"exit code {process.returncode}\n{output}"
    return output


def workers(process: subprocess.Popen[str]) -> list[int]:
    """The processes that torchrun has started; none of a run by itself."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def kill(process: subprocess.Popen[str], *pids: int) -> None:
    """End a run at once: all of it, or these of its workers."""
    for pid in pids or (process.pid, *workers(process)):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=600)


def written(path: Path) -> int:
    """When a file was written, or 0 if there is none."""
    return path.stat().st_mtime_ns if path.exists() else 0


def wait_for_checkpoint(process: subprocess.Popen[str], out: Path) -> bool:
    """Wait for the next one; False if the run has ended before."""
    before = written(out / "last.pt")
    while process.poll() is None:
        if written(out / "last.pt") != before:
            return True
        time.sleep(0.005)
    return False


RESTARTED = ((1, "a shell loop"), (2, "torchrun, 2 processes"))
LOOP = 'until "$@"; do :; done'


def restarting(script: Path, out: Path, *options: str, processes: int) -> subprocess.Popen[str]:
    """A run that goes on by itself when a process of it is killed: by torchrun, or a shell."""
    torchrun = [*TORCHRUN, "--max-restarts=100", f"--nproc-per-node={processes}"]
    loop = ["sh", "-c", LOOP, "sh", sys.executable]
    words = [*(torchrun if processes > 1 else loop), str(script), "--out", str(out)]
    with out.with_suffix(".txt").open("w") as printed:  # a pipe may fill: every kill says a lot
        return popen([*words, "--resume", "auto", *options], stdout=printed)


def kill_while_it_restarts(
    process: subprocess.Popen[str], out: Path, instants: Iterator[float]
) -> list[bool]:
    """Kill a worker at random, at these seconds after a new checkpoint, and wait for the end.

    Gives, a kill, whether it hit in the middle of a write.
    """
    hits = []
    for instant in instants:
        if not wait_for_checkpoint(process, out):
            break
        time.sleep(instant)
        if alive := workers(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(alive), signal.SIGKILL)
                hits.append((out / "last.pt.part").exists())
    finish(process)
    return hits


def kill_again_and_again(
    begin: Callable[[], subprocess.Popen[str]], out: Path, instants: Iterator[float]
) -> Iterator[bool]:
    """One command, begun again after each kill, at these seconds after its first new checkpoint.

    Gives, a kill, whether it hit in the middle of a write.
    """
    for instant in instants:
        process = begin()
        if not wait_for_checkpoint(process, out):
            finish(process)
            return
        time.sleep(instant)
        if process.poll() is None:
            kill(process)
            yield (out / "last.pt.part").exists()
    finish(begin())


# Comparison ---------------------------------------------------------------------------


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a checkpoint, by its path."""
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{path}/{key}")
    else:
        yield path, value


def bits(value: Any) -> Any:
    """Equal where two values are equal to the bit."""
    if isinstance(value, Tensor):
        return value.dtype, value.shape, value.contiguous().view(-1).view(torch.uint8).tolist()
    return value


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Paths at which two checkpoints differ, apart from what measures time."""
    here, there = ({k: bits(v) for k, v in leaves(state)} for state in (one, other))
    timed = {"/run/seconds", "/run/lap"}
    for row in range(len(one["run"]["rows"])):
        timed |= {f"/run/rows/{row}/{name}" for name in TIMES}
    paths = sorted((here.keys() | there.keys()) - timed)
    return [path for path in paths if here.get(path) != there.get(path)]


def logged(out: Path) -> list[dict[str, str]]:
    """The rows of a run's log, apart from what measures time."""
    names, *rows = (out / "log.csv").read_text().splitlines()
    table = [dict(zip(names.split(","), row.split(","), strict=True)) for row in rows]
    return [{name: row[name] for name in row if name not in TIMES} for row in table]


def differing(one: Path, other: Path) -> list[str]:
    """What differs between two runs: their checkpoints and their logs."""
    found = [] if logged(one) == logged(other) else ["log.csv"]
    for name in ("last.pt", "best.pt"):
        states = (torch.load(out / name, weights_only=True) for out in (one, other))
        found += [f"{name}{path}" for path in differences(*states)]
    return found


# What is shown ------------------------------------------------------------------------


def untouched_run(script: Path, out: Path, processes: int) -> float:
    """Train without a kill; the seconds from the first checkpoint to the end."""
    process = start(script, out, *given(processes), processes=processes)
    wait_for_checkpoint(process, out)
    begin = time.monotonic()
    finish(process)
    return time.monotonic() - begin


def given(processes: int) -> list[str]:
    """Options of a run, so that the batch has two parts either way."""
    return [*OFTEN, "--accumulate", str(2 // processes)]


def killed_runs(script: Path, folder: Path, options: argparse.Namespace) -> None:
    draw = random.Random(options.seed)
    print("| restarted by | runs | kills | in the middle of a write | other weights | minutes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for processes, by in RESTARTED:
        begun, untouched = time.monotonic(), folder / f"untouched{processes}"
        longest = 1.5 * untouched_run(script, untouched, processes) / (options.kills + 1)
        hits, different = list[bool](), 0
        for number in range(options.runs):
            out = folder / f"killed{processes}_{number}"
            run = restarting(script, out, *given(processes), processes=processes)
            instants = [draw.uniform(0, longest) for _ in range(options.kills)]
            hits += kill_while_it_restarts(run, out, iter(instants))
            if found := differing(untouched, out):
                different += 1
                print(f"{out.name}: {found[:5]}", file=sys.stderr)
        minutes = (time.monotonic() - begun) / 60
        row = (by, options.runs, len(hits), sum(hits), different, f"{minutes:.1f}")
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def full_disk(script: Path, folder: Path) -> None:
    """A disk that holds two checkpoints and not the third; then it is made larger."""
    untouched, disk = folder / "untouched1", folder / "disk"
    size = (untouched / "last.pt").stat().st_size
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={5 * size // 2}", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        print("full disk: skipped, since a tmpfs cannot be mounted here")
        return
    try:
        output = finish(start(script, disk / "run", *OFTEN), 1)
        print(f"full disk: exit code 1, {output.strip().splitlines()[-2]}")
        step = torch.load(disk / "run" / "last.pt", weights_only=True)["run"]["step"]
        subprocess.run(["mount", "-o", f"remount,size={9 * size}", str(disk)], check=True)
        finish(start(script, disk / "run", *OFTEN, "--resume"))
        found = differing(untouched, disk / "run")
        print(f"  resumed from step {step} once there was room: {found or 'the same to the bit'}")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def flip(content: bytes, draw: random.Random) -> bytes:
    """A file with one bit changed."""
    bit = draw.randrange(8 * len(content))
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def outcome(module: ModuleType, path: Path, state: dict[str, Any]) -> str:
    """What loading a checkpoint that was `state` comes to."""
    try:
        found = module.load(path, state["settings"])
    except SystemExit:
        return "refused"
    same = {k: bits(v) for k, v in leaves(found)} == {k: bits(v) for k, v in leaves(state)}
    return "loaded, equal" if same else "loaded, different"


def flipped_bits(script: Path, folder: Path, options: argparse.Namespace) -> None:
    module, draw = module_of(script), random.Random(options.seed)
    whole = folder / "untouched1" / "last.pt"
    state = torch.load(whole, weights_only=True)
    damaged, counts = folder / "flipped.pt", Counter[str]()
    for _ in range(options.flips):
        damaged.write_bytes(flip(whole.read_bytes(), draw))
        counts[outcome(module, damaged, state)] += 1
    size = whole.stat().st_size
    print(f"single bits flipped in a checkpoint of {size:,} bytes: {options.flips}; {dict(counts)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=3, help="a run")
    parser.add_argument("--flips", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0, help="of the instants and the bits")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = write_script(folder)
        killed_runs(script, folder, options)
        full_disk(script, folder)
        flipped_bits(script, folder, options)


if __name__ == "__main__":
    main()
