"""`archspec lint`: find problems in specs, and how to fix them.

- options: the command-line options
- settings: the options, which override a configuration file
- work: the operations of the linter, and their output
"""

from __future__ import annotations

import argparse
from typing import Any

from archspec.cli import formatter
from archspec.cli.lint.options import add_options
from archspec.cli.lint.work import lint
from archspec.lint import formats


def add_parser(commands: Any) -> None:
    """`archspec lint [PATHS]`."""
    parser = commands.add_parser(
        "lint",
        description=(
            "Check specs, and files in directories named `blocks` as blocks. Exit code 0: clean; "
            "1: findings; 2: invalid usage or configuration, a file that cannot be opened, or no "
            "specs found."
        ),
        allow_abbrev=False,
    )
    add_options(parser)
    parser.set_defaults(run=lint)
    parser.closing = _formats


def _formats() -> str:
    page = formatter("")
    page.start_section("formats")
    for name, text in formats.described().items():
        page.add_argument(argparse.Action([], name, help=text))
    page.end_section()
    return f"\n{page.format_help()}"
