"""`archspec build`: specs in, PyTorch source out.

Generate standalone PyTorch source from specs, and training scripts from specs with a `train`
section. If any spec has errors, nothing is written.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from archspec.cli.files import Target, targets_in, text_of, write
from archspec.cli.findings import print_diagnostics
from archspec.cli.lines import fail, note, say
from archspec.cli.options import add_settings, settings
from archspec.cli.rendering import DEPLOY, find_specs, render_all
from archspec.codegen import generated
from archspec.diagnostics import ArchspecError, visible
from archspec.training import ON_REQUEST


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec build [PATHS]`."""
    add, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="specs, directories of specs, or names of built-in specs",
    )
    add(
        "-o",
        "--output",
        default="generated",
        metavar="DIR",
        help="output directory (- for standard output)",
    )
    flag("--check", help="write nothing; exit 1 if a file is out of date")
    flag("--force", help="overwrite files that were edited by hand")
    flag("--single-file", help="put the network in its training script instead of a separate file")
    add(
        "--with",
        dest="asked",
        type=_options,
        default=(),
        metavar="OPTIONS",
        help=f"optional features to add to a training script: {','.join(ON_REQUEST)}",
    )
    add(
        "--outputs",
        metavar="LAYERS",
        help="build a feature extractor that returns these layers (no training script), e.g. "
        "layer2,layer4",
    )
    add(
        "--target",
        choices=("model", "deploy"),
        default="model",
        help="deploy: NAME_deploy.py for inference, with norms folded into convolutions and a "
        "function from_training_checkpoint that loads checkpoints of training (default: model)",
    )
    add_settings(parser)


def _options(text: str) -> list[str]:
    names = [name.strip().removeprefix("--") for name in text.split(",")]
    for name in names:
        if name not in ON_REQUEST:
            message = f"expected one of {', '.join(ON_REQUEST)}, found `{visible(name)}`"
            raise argparse.ArgumentTypeError(message)
    return names


def run(args: argparse.Namespace) -> int:
    """0 written or up to date, 1 findings, 2 nothing to build."""
    outputs = None if args.outputs is None else [n.strip() for n in args.outputs.split(",")]
    deploy = args.target == "deploy"
    if deploy and args.single_file:
        message = "--single-file is for training scripts, which `--target deploy` does not write"
        raise ArchspecError(message)
    given = (settings(args), outputs, args.single_file, args.asked, deploy)
    files, findings = render_all(find_specs(args.paths), *given)
    if findings:
        print_diagnostics(findings)
        note("nothing was written")
        return 1
    if args.output == "-":
        print("\n\n".join(text.rstrip("\n") for text in files.values()))
        return 0
    folder = Path(args.output)
    if folder.is_file():
        fail(f"`{args.output}` is a file", "pass a directory to -o, or `-` to print the source")
        return 2
    orphans = [] if args.paths else _orphans(folder, files, deploy)
    targets = targets_in(folder, files)
    if args.check:
        return _check(folder, targets, orphans)
    return _write(folder, targets, orphans, args.force)


# Files --------------------------------------------------------------------------------


def _orphans(folder: Path, files: dict[str, str], deploy: bool) -> list[Path]:
    """Generated files of this target whose spec no longer exists."""
    there = sorted(folder.glob("*.py")) if folder.is_dir() else []
    found = [path for path in there if path.name.endswith(DEPLOY) == deploy]
    return [p for p in found if p.name not in files and p.is_file() and generated(text_of(p))]


def _check(folder: Path, targets: list[Target], orphans: list[Path]) -> int:
    stale = [target for target in targets if not target.is_current]
    for target in stale:
        state = "is missing" if target.before is None else "is out of date"
        say(f"{target.path.as_posix()} {state}")
    for path in orphans:
        say(f"{path.as_posix()} is orphaned: no spec generates it")
    if stale or orphans:
        say("help: run `archspec build`, and delete orphaned files")
        return 1
    say(f"{_count(len(targets))} up to date in {folder.as_posix()}")
    return 0


def _write(folder: Path, targets: list[Target], orphans: list[Path], force: bool) -> int:
    """Write the files that differ; report files that were edited by hand, with exit code 1."""
    changed = [target for target in targets if not target.is_current]
    edited = [] if force else [target for target in changed if target.is_edited]
    written = [target for target in changed if target not in edited]
    write(written)
    for path in orphans:
        note(f"warning: {path.as_posix()} is orphaned: no spec generates it; delete it")
    for target in edited:
        edit = f"{target.path.as_posix()} was edited by hand or was not generated by archspec"
        fail(f"{edit}; it was not changed")
    if edited:
        note("help: move the file, or pass --force to overwrite it")
    same = len(targets) - len(changed)
    say(f"{len(written)} written, {same} unchanged in {folder.as_posix()}")
    return 1 if edited else 0


def _count(number: int) -> str:
    return "1 file is" if number == 1 else f"{number} files are"
