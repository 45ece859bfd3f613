"""`archspec lint`: what is wrong with specs, and what to write instead.

- options: what one can say
- settings: that, laid over a configuration file
- work: what the linter is asked to do, and what is written of it
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
        description="Checks specs, and files in folders `blocks` as blocks. Exit code 0: clean; "
        "1: findings; 2: usage, configuration, a file that cannot be opened, or no spec found.",
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
