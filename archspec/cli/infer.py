"""`archspec infer`: infer a spec from a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archspec.cli.lines import fail, note, say
from archspec.files import write_files
from archspec.infer import main_text


def add_parser(commands: Any) -> None:
    """`archspec infer CHECKPOINT`."""
    parser = commands.add_parser(
        "infer",
        description=(
            "Read the names and shapes of a checkpoint's weights and write a spec with the same "
            "ones, and a list of what shapes do not determine. The spec extends a built-in spec "
            "or one of yours: next to FILE or the output (without -o, in the working directory), "
            "or in specs/ of the directory of FILE or of the working directory. Exit code 0: "
            "found; 1: no spec matches the file; 2: the file cannot be read. A .safetensors file "
            "does not require torch."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("checkpoint", metavar="FILE", help="a .safetensors, .pt or .pth file")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the spec to this file")
    parser.add_argument("--name", help="the name of the spec; default: that of the file")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """See the description of the command."""
    output = Path(args.output) if args.output else None
    if output is not None and output.is_file() and not args.force:
        fail(f"{args.output} exists; pass --force to overwrite it")
        return 2
    code, text, notes = main_text(args.checkpoint, args.name, output)
    if code:
        note(*f"error: {notes}".splitlines())
        return code
    if output is None:
        print(text, end="")
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_files({output: text}, {} if args.force else {output: None})
        say(f"wrote {output.as_posix()}")
    note(*notes.splitlines())
    return 0
