"""`archspec build`: specs in, PyTorch source out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archspec.cli.files import Target, targets_in, text_of, write
from archspec.cli.lines import fail, note, say
from archspec.cli.options import add_settings, settings
from archspec.cli.rendering import DEPLOY, find_specs, render_all
from archspec.cli.report import print_diagnostics
from archspec.codegen import generated
from archspec.diagnostics import visible
from archspec.training import ON_REQUEST


def add_parser(commands: Any) -> None:
    """`archspec build [PATHS]`."""
    parser = commands.add_parser(
        "build",
        description="Renders specs into standalone PyTorch source, and specs that say `train` into "
        "a training script too. If one spec has findings, nothing is written.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="specs, folders of specs, names of shipped specs"
    )
    parser.add_argument(
        "-o", "--output", default="generated", metavar="DIR", help="where to (- prints it)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file is not up to date"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that were edited by hand"
    )
    parser.add_argument(
        "--single-file",
        action="store_true",
        help="put the network into its training script, instead of beside it",
    )
    parser.add_argument(
        "--with",
        dest="asked",
        type=_options,
        default=(),
        metavar="OPTIONS",
        help=f"options that a training script has only if asked for, of {','.join(ON_REQUEST)}",
    )
    parser.add_argument(
        "--outputs",
        metavar="LAYERS",
        help="give features instead, without training: the layers to return, e.g. layer2,layer4",
    )
    parser.add_argument(
        "--target",
        choices=("model", "deploy"),
        default="model",
        help="deploy: NAME_deploy.py for inference, with norms folded into convolutions and with "
        "from_training_checkpoint, which loads what training saved (default: model)",
    )
    add_settings(parser)
    parser.set_defaults(run=run)


def _options(text: str) -> list[str]:
    names = [name.strip().removeprefix("--") for name in text.split(",")]
    for name in names:
        if name not in ON_REQUEST:
            message = f"`{visible(name)}` is none of {', '.join(ON_REQUEST)}"
            raise argparse.ArgumentTypeError(message)
    return names


def run(args: argparse.Namespace) -> int:
    """0 written or up to date, 1 findings, 2 nothing to build."""
    outputs = None if args.outputs is None else [n.strip() for n in args.outputs.split(",")]
    deploy = args.target == "deploy"
    if deploy and args.single_file:
        fail("--single-file is about training scripts, and `--target deploy` writes none")
        return 2
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
    orphans = [] if args.paths else _orphans(folder, files, deploy)
    targets = targets_in(folder, files)
    if args.check:
        return _check(folder, targets, orphans)
    return _write(folder, targets, orphans, args.force)


# Files --------------------------------------------------------------------------------


def _orphans(folder: Path, files: dict[str, str], deploy: bool) -> list[Path]:
    """Generated files of this target whose spec is gone."""
    there = sorted(folder.glob("*.py")) if folder.is_dir() else []
    found = [path for path in there if path.name.endswith(DEPLOY) == deploy]
    return [p for p in found if p.name not in files and p.is_file() and generated(text_of(p))]


def _check(folder: Path, targets: list[Target], orphans: list[Path]) -> int:
    stale = [target for target in targets if not target.is_current]
    for target in stale:
        state = "is missing" if target.before is None else "is out of date"
        say(f"{target.path.as_posix()} {state}")
    for path in orphans:
        say(f"{path.as_posix()} has no spec that writes it")
    if stale or orphans:
        say("help: run `archspec build`, and delete what has no spec")
        return 1
    say(f"{_count(len(targets))} up to date in {folder.as_posix()}")
    return 0


def _write(folder: Path, targets: list[Target], orphans: list[Path], force: bool) -> int:
    """Writes what differs, but for files that were edited by hand: these are named, and exit 1."""
    changed = [target for target in targets if not target.is_current]
    edited = [] if force else [target for target in changed if target.is_edited]
    written = [target for target in changed if target not in edited]
    write(written)
    for path in orphans:
        note(f"warning: {path.as_posix()} has no spec that writes it; delete it")
    for target in edited:
        edit = f"{target.path.as_posix()} was edited by hand or not written by archspec"
        fail(f"{edit}; it was left as it is")
    if edited:
        note("help: move it, or overwrite it with --force")
    same = len(targets) - len(changed)
    say(f"{len(written)} written, {same} unchanged in {folder.as_posix()}")
    return 1 if edited else 0


def _count(number: int) -> str:
    return "1 file is" if number == 1 else f"{number} files are"
