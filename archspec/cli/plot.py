"""`archspec plot`: curves of training runs.

Plot training runs: losses, accuracy or R2, learning rate, and the best evaluation of each. Exit
code 2: a run cannot be drawn, and nothing is written.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from archspec.cli.lines import fail, say
from archspec.diagnostics import visible
from archspec.files import write_files
from archspec.plot import FORMATS, PlotError, draw, log_file, read_logs

PICTURE = "curves.png"


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec plot RUN [RUN ...]`."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="the directory of a run, such as runs/resnet18, or a log.csv",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_picture,
        metavar="FILE",
        help=f"a .png or .svg file (default: {PICTURE} in the run's directory or, for several "
        "runs, in the working directory)",
    )


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix[1:].lower() not in FORMATS:
        endings = " or ".join(f".{form}" for form in FORMATS)
        raise argparse.ArgumentTypeError(f"`{visible(text)}` does not end in {endings}")
    return path


def run(args: argparse.Namespace) -> int:
    """See the description of the command."""
    os.environ.pop("MPLBACKEND", None)  # Jupyter sets one that may not be installed here
    runs = list(dict.fromkeys(args.runs))
    try:
        logs = read_logs(runs)
        output = args.output or _default(runs)
        named = {visible(name): log for name, log in logs.items()}
        picture = draw(named, output.suffix[1:].lower())
    except PlotError as error:
        for problem in error.problems:
            fail(problem)
        return 2
    output.parent.mkdir(parents=True, exist_ok=True)
    write_files({output: picture})
    say(f"wrote {output.as_posix()}")
    return 0


def _default(runs: list[str]) -> Path:
    """The default path of the picture; for several runs, an existing file is not replaced."""
    if len(runs) == 1:
        return log_file(runs[0]).with_name(PICTURE)
    if Path(PICTURE).exists():
        raise PlotError(f"{PICTURE} exists: pass the path of the picture with -o")
    return Path(PICTURE)
