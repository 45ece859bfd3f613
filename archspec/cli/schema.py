"""`archspec schema`: the JSON Schema of specs, for editors."""

from __future__ import annotations

import argparse
from typing import Any

from archspec.schema import block_schema, spec_schema, text


def add_parser(commands: Any) -> None:
    """`archspec schema [spec|block]`."""
    parser = commands.add_parser(
        "schema",
        description="Prints the JSON Schema (2020-12) of specs or of block files. An editor with "
        "a YAML language server reads it where a file opens with "
        "`# yaml-language-server: $schema=PATH`.",
        allow_abbrev=False,
    )
    parser.add_argument("what", nargs="?", choices=("spec", "block"), default="spec")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Always 0."""
    print(text(block_schema() if args.what == "block" else spec_schema()), end="")
    return 0
