"""`archspec schema`: the JSON Schema of specs, for editors.

Print the JSON Schema (2020-12) of specs or of block files. An editor with a YAML language server
uses it for files that start with `# yaml-language-server: $schema=PATH`. In a project, the schema
includes the blocks in its files (`blocks/` and `specs/blocks/`), so that unknown blocks are marked
too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archspec.cli.project import FOLDERS, block_files, block_folders
from archspec.language.library import block_file
from archspec.schema import block_schema, spec_schema, text


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec schema [spec|block]`."""
    parser.add_argument("kind", nargs="?", choices=("spec", "block"), default="spec")


def run(args: argparse.Namespace) -> int:
    """0; raises `SpecError` for a block of the project that has findings."""
    made = block_schema(_own_blocks()) if args.kind == "block" else schema_of_project()
    print(text(made), end="")
    return 0


def schema_of_project() -> dict[str, Any]:
    """The schema of its specs; raises `SpecError` for a block that has findings."""
    return spec_schema(_own_blocks(), _own_specs())


def _own_specs() -> list[str]:
    """The names of the specs next to such a directory."""
    return [file.stem for folder in FOLDERS for file in Path(folder).parent.glob("*.yaml")]


def _own_blocks() -> dict[str, Any] | None:
    """The blocks of the project as written, by name; None outside of a project."""
    if not block_folders():
        return None
    return {file.stem: block_file(file)[0].raw for file in block_files()}
