"""`archspec infer`: infer a spec from a checkpoint.

Write a spec whose network has the same weights, by name and shape, as a checkpoint, with a list of
what shapes do not determine. It extends a built-in spec or one of yours, in the directory of FILE
or of the output (without -o, the working directory), or in specs/ in the directory of FILE or in
the working directory. A .safetensors file does not require torch. Exit code 0: a spec was found; 1:
no spec fits the file; 2: the file cannot be read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from archspec.cli.lines import note, say
from archspec.diagnostics import ArchspecError
from archspec.files import write_files
from archspec.infer import infer_file


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec infer CHECKPOINT`."""
    add = parser.add_argument
    add("checkpoint", metavar="FILE", help="a .safetensors, .pt, or .pth file")
    add("-o", "--output", metavar="FILE", help="write the spec to this file")
    add("--name", help="the name of the spec (default: that of the file)")
    add("--force", action="store_true", help="overwrite the file")


def run(args: argparse.Namespace) -> int:
    """See the description of the command."""
    output = Path(args.output) if args.output else None
    if output is not None and output.is_file() and not args.force:
        raise ArchspecError(f"{args.output} exists; pass --force to overwrite it")
    found = infer_file(args.checkpoint, args.name, output)
    if found.text is None:
        note(*f"error: {found.notes}".splitlines())
        return 1
    if output is None:
        print(found.text, end="")
        if found.file:
            note(f"save it next to {found.file}, where `extends` can find that spec")
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_files({output: found.text}, {} if args.force else {output: None})
        say(f"wrote {output.as_posix()}")
    note(*found.notes.splitlines())
    return 0
