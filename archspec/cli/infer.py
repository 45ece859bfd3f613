"""`archspec infer`: from a checkpoint back to a spec."""

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
        description="Reads the names and shapes of a checkpoint's weights and writes the spec "
        "that has them, with what shapes cannot tell. It extends a shipped spec or one of yours: "
        "beside FILE or the output (without -o, in the working directory), or in specs/ of the "
        "folder of FILE or of the working directory. Exit code 0: found; 1: no spec explains the "
        "file; 2: the file cannot be read. A .safetensors file needs no torch.",
        allow_abbrev=False,
    )
    parser.add_argument("checkpoint", metavar="FILE", help="a .safetensors, .pt or .pth file")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the spec there")
    parser.add_argument("--name", help="of the spec; default: that of the file")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """See the description of the command."""
    output = Path(args.output) if args.output else None
    if output is not None and output.is_file() and not args.force:
        fail(f"{args.output} exists; --force overwrites it")
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
