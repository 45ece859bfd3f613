"""What `archspec lint` takes for specs that were made to stop it.

python benchmarks/hostile.py [WORD ...] [--build]

A line a spec, each in a process of its own and without the cache: bytes of `net.yaml`, CPU
seconds above those of a clean small spec, peak memory, exit code. With words, only the bombs
with one of them in their names; with `--build`, `archspec build` instead. Fails if a command
does, or is killed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from child import ROOT, Used, measure

sys.path.insert(0, str(ROOT / "tests"))

from support.bombs import BOMBS, Files, net

LONGEST = 60  # seconds, then it is killed


def write(files: Files, folder: Path) -> None:
    (folder / "pyproject.toml").touch()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def used_for(command: list[str], files: Files) -> Used:
    """What a command takes in a folder with these files."""
    with tempfile.TemporaryDirectory() as name:
        write(files, Path(name))
        return measure(command, Path(name), LONGEST)


def run(name: str, make: Callable[[], Files], command: list[str], start: float) -> float:
    files = make()
    took, peak, code = used_for(command, files)
    size = len(files["net.yaml"].encode())
    print(f"{name:42} {size:9,} B {took - start:7.2f} s {peak:6.0f} MB {code:4}", flush=True)
    if code not in (0, 1):
        raise SystemExit(f"error: `{name}` ended with {code}")
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
    start = min(used_for(command, net()).seconds for _ in range(3))
    print(f"{'a clean small spec':42} {'':11} {start:7.2f} s")
    chosen = {n: m for n, m in BOMBS.items() if all(word in n for word in args.words)}
    worst = max(run(name, make, command, start) for name, make in chosen.items())
    print(f"{len(chosen)} specs, the worst {worst:.2f} s above the start")


if __name__ == "__main__":
    main()
