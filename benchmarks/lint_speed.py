"""How long `archspec lint` takes, in CPU time, against an empty Python.

python benchmarks/lint_speed.py [--variants 10000] [--runs 15]

Prints medians: an empty interpreter, one spec cold (no cache), the same from the cache,
`import torch` and check-jsonschema on the same file where these are installed. The commands take
turns, and a ratio is that of one turn, so that a machine which is busy for a while slows both of
its sides. Then a folder of distinct variants (`extends` and a few lines) in one run, clean and
with one finding each, and `archspec.analyze` of one more variant.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from operator import truediv
from pathlib import Path
from subprocess import PIPE

from child import ROOT, Used, measure

BASES = ("resnet18", "resnet34", "resnet50", "resnext50_32x4d", "cifar_resnet20")


def lint_used(command: list[str], folder: Path) -> Used:
    """With compiled files, as users have them."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compiled = str(folder / "compiled")
    return measure(command, folder, XDG_CACHE_HOME=str(folder), PYTHONPYCACHEPREFIX=compiled)


def in_turns(rows: dict[str, list[str]], folder: Path, runs: int) -> dict[str, list[float]]:
    """The CPU seconds of each command in each turn; the first turn fills caches."""
    turns = [
        {what: lint_used(command, folder).seconds for what, command in rows.items()}
        for _ in range(runs + 1)
    ]
    return {what: [turn[what] for turn in turns[1:]] for what in rows}


UNUSED = "blocks: {unused: {body: [norm]}}"  # AS132
ANALYZE = """
import sys, time, archspec
files = sys.argv[1:]
for file in files[: len(files) // 2]:
    archspec.analyze(file)
start = time.process_time()
for file in files[len(files) // 2 :]:
    archspec.analyze(file)
print((time.process_time() - start) / (len(files) - len(files) // 2) * 1000)
"""


def write_variants(folder: Path, count: int, more: Sequence[str] = ()) -> None:
    """Specs of five to ten lines, no two alike, with more lines at the end."""
    draw = random.Random(0)
    folder.mkdir()
    for number in range(count):
        lines = [f"name: variant{number}", f"extends: {draw.choice(BASES)}", "stages:"]
        lines += [f"  layer{n}: {{repeat: {draw.randint(1, 8)}}}" for n in (1, 2, 3)]
        lines += [f"defaults: {{act: {draw.choice(('relu', 'silu', 'gelu'))}}}"]
        lines += [f"args: {{classes: {number + 2}}}", *more]
        (folder / f"variant{number}.yaml").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    lint = [sys.executable, "-m", "archspec", "lint"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "specs" / "resnet50.yaml", folder)
        one = ["resnet50.yaml"]
        rows = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "lint, cold": [*lint, "--no-cache", *one],
            "lint, from the cache": [*lint, *one],
        }
        if find_spec("torch"):
            rows["import torch"] = [sys.executable, "-c", "import torch"]
        if tool := shutil.which("check-jsonschema"):
            schema = str(ROOT / "docs" / "archspec.schema.json")
            rows["check-jsonschema"] = [tool, "--schemafile", schema, *one]
        else:
            print("check-jsonschema             is not installed: not measured")
        turns = in_turns(rows, folder, args.runs)
        empty = turns["python -c pass"]
        for what, took in turns.items():
            ratio = statistics.median(map(truediv, took, empty))
            print(f"{what:28} {statistics.median(took) * 1000:8.1f} ms {ratio:6.1f}x")
        for what, more in (("clean", []), ("a finding each", [UNUSED])):
            write_variants(folder / what, args.variants, more)
            used = lint_used([*lint, "--no-cache", "--jobs=1", what], folder)
            rate = f"{args.variants / used.seconds:8.0f} specs/s a core"
            said = f"{args.variants:,} variants, {what}"
            print(f"{said:30} {used.seconds:6.1f} s  {rate} {used.megabytes:6.0f} MB")
        files = sorted(map(str, (folder / "clean").iterdir()))[:1000]
        done = subprocess.run([sys.executable, "-c", ANALYZE, *files], stdout=PIPE, check=True)
        print(f"{'archspec.analyze':28} {float(done.stdout):8.1f} ms for one more variant")


if __name__ == "__main__":
    main()
