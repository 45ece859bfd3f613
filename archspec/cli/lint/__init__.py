"""`archspec lint`: what is wrong with specs, and what to write instead.

- options: what one can say
- settings: that, laid over a configuration file
- work: what the linter is asked to do, and what is written of it

A run in which nothing has changed needs the options alone.
"""

from __future__ import annotations

import argparse

from archspec.cli.lint.options import add_options

TYPE_CHECKING = False  # `typing` costs more than all that a run without changes needs
if TYPE_CHECKING:
    from typing import Any


def add_parser(commands: Any) -> None:
    """`archspec lint [PATHS]`."""
    parser = commands.add_parser(
        "lint",
        description="Checks specs, and files in folders `blocks` as blocks. Exit code 0: clean; "
        "1: findings; 2: usage, configuration, a file that cannot be opened, or no spec found.",
        allow_abbrev=False,
    )
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 clean, 1 findings, 2 nothing could be linted."""
    if not args.no_cache and _unchanged(args):
        return 0
    from archspec.cli.lint.work import lint

    return lint(args)


def _unchanged(args: argparse.Namespace) -> bool:
    from archspec.lint.quick import unchanged

    try:
        return unchanged(args)
    except Exception:  # told by the linter, in its words
        return False
