"""`archspec train`: a spec's training script, written to the directory of its run and started.

Build the training script of a spec with a `train` section and run it. Run the same command again to
resume. Options not listed below are passed to the script, such as --epochs 3 or --data synthetic.
Exits with the script's exit code.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from archspec.cli.files import Target, targets_in, text_of, write
from archspec.cli.options import add_settings, chosen
from archspec.cli.rendering import render_all, script_name
from archspec.cli.slurm import write_batch
from archspec.diagnostics import ArchspecError, Diagnostic, SpecError, visible
from archspec.extras import install
from archspec.files import write_files
from archspec.language import Spec
from archspec.language.train import EXAMPLE
from archspec.training import ON_REQUEST

REPLACES = os.name == "posix"  # whether a process can replace itself
STATE = ("last.pt", "best.pt", "log.csv")  # the files of a script in the directory of its run


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec train SPEC [options]`."""
    parser.usage = "archspec train SPEC [options] [options of the script]"
    parser.epilog = "`archspec train SPEC --help` shows the options of the script as well."
    _add_own_options(parser)
    parser.add_argument("spec", metavar="SPEC", help="a YAML file or the name of a built-in spec")
    rest = parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    rest.required = False  # so that errors do not name it


def _add_own_options(parser: argparse.ArgumentParser) -> None:
    """Those that are not passed to the script; they may also come after SPEC."""
    add = parser.add_argument
    add("--out", metavar="DIR", help="the directory of the run (default: runs/NAME)")
    add(
        "--nproc",
        type=_count,
        metavar="N",
        help="train with N processes (one per GPU) using torchrun",
    )
    add(
        "--slurm",
        action="store_true",
        help="write a file for SLURM's sbatch instead of starting the run",
    )
    add_settings(parser)


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1024:
        message = f"expected a process count from 1 to 1024, found `{visible(text)}`"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def run(args: argparse.Namespace) -> int:
    """The script's exit code; 1 for findings, 2 if it cannot be started."""
    passed = _read_rest(args)
    if args.help:
        args.parser.print_help()
    spec = _spec(args)
    said = {word.partition("=")[0] for word in passed}
    folder = Path(args.out or f"runs/{spec.name}")
    before = [] if args.help else _options_before(folder / script_name(spec))
    asked = [n for n in ON_REQUEST if args.help or f"--{n}" in said or n in before]
    files = _files(spec, asked)
    targets = [] if args.help else targets_in(folder, files)
    held = targets if args.help or asked == before else targets_in(folder, _files(spec, before))
    if not args.slurm and find_spec("torch") is None:
        raise ArchspecError(f"training requires torch: {install('torch')}")
    _check_run(folder, held)
    if args.help:
        return _script_help(files, script_name(spec))
    write(target for target in targets if not target.is_current)
    script = str(folder / script_name(spec))
    command = [script, "--out", str(folder), "--resume", "auto", *passed]  # the last one counts
    if args.slurm:
        write_batch(spec, folder, command, args.nproc)
        return 0
    if spec.library.imports():  # the directory in which a script of the project would start
        paths = (os.getcwd(), os.environ.get("PYTHONPATH", ""))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return become([sys.executable, *_launcher(args.nproc), *command])


def _read_rest(args: argparse.Namespace) -> list[str]:
    """Put archspec's options after SPEC into `args`; return the others, and all after `--`."""
    cut = args.rest.index("--") if "--" in args.rest else len(args.rest)
    parser = argparse.ArgumentParser("archspec train", add_help=False, allow_abbrev=False)
    _add_own_options(parser)
    parser.add_argument("-h", "--help", action="store_true")
    _, passed = parser.parse_known_args(args.rest[:cut], args)
    return [*passed, *args.rest[cut + 1 :]]


def _spec(args: argparse.Namespace) -> Spec:
    spec = chosen(args)
    if spec.train is None:
        message = "missing `train` section"
        raise SpecError([Diagnostic("missing-key", message, spec.where(), f"add `{EXAMPLE}`")])
    return spec


def _files(spec: Spec, asked: list[str]) -> dict[str, str]:
    files, findings = render_all([spec], {}, asked=asked)
    if findings:
        raise SpecError(findings)
    return files


def _options_before(script: Path) -> list[str]:
    """The options on request that a script has. A run may get more of them later."""
    text = text_of(script)
    return [name for name in ON_REQUEST if f'"--{name}"' in text]


def _check_run(folder: Path, targets: list[Target]) -> None:
    """Existing files must not be from another run, or edited by hand."""
    place = folder.as_posix()
    others = [t for t in targets if t.before is not None and not t.is_current]
    names = [target.path.name for target in targets]
    differ = [target.path.name for target in others]
    differ += [path.name for path in folder.glob("train_*.py") if path.name not in names]
    if targets and differ and any((folder / name).exists() for name in STATE):
        raise ArchspecError(
            f"{place} contains a run of a different spec or recipe, or with different "
            f"options: its {differ[0]} differs",
            f"choose a different --out, or remove {place}; to resume that run, use `python "
            f"{place}/train_NAME.py --out {place} --resume auto`",
        )
    for target in others:
        if target.is_edited:
            edit = "was edited by hand or was not generated by archspec"
            hint = "choose a different --out, or move the file"
            raise ArchspecError(f"{place}/{target.path.name} {edit}", hint)


def _launcher(processes: int | None) -> list[str]:
    if processes is None:
        return []
    return ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]


def _script_help(files: dict[str, str], script: str) -> int:
    print("\nOptions of the script:\n", flush=True)
    with TemporaryDirectory() as folder:
        write_files({Path(folder, name): text for name, text in files.items()})
        return subprocess.call([sys.executable, str(Path(folder, script)), "--help"])


def become(command: list[str]) -> int:
    """Replace this process by a command, so that it gets the signals and sets the exit code."""
    sys.stdout.flush()
    if REPLACES:
        os.execv(command[0], command)
    with subprocess.Popen(command) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # it gets the same signal, and saves its checkpoint
