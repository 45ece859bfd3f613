"""What `archspec lint` takes for specs that were made to stop it.

python benchmarks/hostile.py [WORD ...] [--build]

A line a spec, each in a process of its own and without the cache: bytes of `net.yaml`, CPU
seconds above those of a clean small spec, peak memory, exit code. With words, only the bombs
with one of them in their names; with `--build`, `archspec build` instead.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from bombs import BOMBS, Files, net  # noqa: E402

LONGEST = 60  # seconds, then it is killed


def write(files: Files, folder: Path) -> None:
    (folder / "pyproject.toml").touch()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def measure(command: list[str], files: Files) -> tuple[float, float, int]:
    """CPU seconds, peak megabytes and exit code of a command in a folder with these files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(files, folder)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with open(folder / "out.txt", "wb") as out:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=out, stderr=out, preexec_fn=_limited
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, process.returncode


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST))


def run(name: str, make: Callable[[], Files], command: list[str], start: float) -> float:
    files = make()
    took, peak, code = measure(command, files)
    size = len(files["net.yaml"].encode())
    print(f"{name:42} {size:9,} B {took - start:7.2f} s {peak:6.0f} MB {code:4}", flush=True)
    return took - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--build", action="store_true")
    args = parser.parse_args()
    tool = [sys.executable, "-m", "archspec"]
    command = [*tool, "lint", "--no-cache", "--format=full", "net.yaml"]
    if args.build:
        command = [*tool, "build", "net.yaml"]
    start = min(measure(command, net())[0] for _ in range(3))
    print(f"{'a clean small spec':42} {'':11} {start:7.2f} s")
    chosen = {n: m for n, m in BOMBS.items() if all(word in n for word in args.words)}
    worst = max(run(name, make, command, start) for name, make in chosen.items())
    print(f"{len(chosen)} specs, the worst {worst:.2f} s above the start")


if __name__ == "__main__":
    main()
