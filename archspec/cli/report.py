"""`archspec report`: a page about a network, or about several.

Write one HTML page about a network: its picture, its layers, plots along the depth, the resolved
spec with the file and line of each value, the generated source, and lint findings. Several specs
are also compared. The page is one file and makes no request.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from archspec import __version__
from archspec.api import MEMO
from archspec.cli.lines import say
from archspec.cli.options import add_settings, settings
from archspec.diagnostics import ArchspecError
from archspec.files import check_named, write_files
from archspec.language import load
from archspec.paths import display_path
from archspec.report import Subject, page

GENERATED = b'content="archspec '


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec report SPEC [SPEC ...]`."""
    add = parser.add_argument
    add("specs", nargs="+", metavar="SPEC", help="a YAML file or the name of a built-in spec")
    add(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the page (default: NAME.html, or report.html for several; - is standard output)",
    )
    add("--force", action="store_true", help="overwrite a file that is not a report")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """0; raises `SpecError` for findings, and `ArchspecError` if the file is not a report."""
    subjects = chosen(args)
    text = page(subjects, __version__, MEMO)
    if args.output == Path("-"):
        print(text)
        return 0
    one = len(subjects) == 1
    output = args.output or Path(f"{subjects[0].spec.name if one else 'report'}.html")
    if not args.force and output.is_file() and GENERATED not in output.read_bytes()[:4096]:
        raise ArchspecError(f"{output.as_posix()} is not a report", "pass --force to overwrite it")
    output.parent.mkdir(parents=True, exist_ok=True)
    write_files({output: text})
    say(f"wrote {output.as_posix()}")
    return 0


def chosen(args: argparse.Namespace) -> list[Subject]:
    """The specs, each once, by name; those with equal names by file."""
    named = list(dict.fromkeys(args.specs))
    for one in named:
        check_named(one)
    changes = settings(args)
    specs = [load(one, changes, memo=MEMO) for one in named]
    names = [spec.name for spec in specs]
    return [
        Subject(spec.name if names.count(spec.name) == 1 else display_path(one), spec)
        for one, spec in zip(named, specs, strict=True)
    ]
