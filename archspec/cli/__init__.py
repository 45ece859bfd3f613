"""The command line: one thin module a command; what is heavy is imported inside.

Exit codes: 0 clean, 1 findings, 2 usage or a file that cannot be opened.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from archspec import __version__
from archspec.cli import build, listing, show
from archspec.diagnostics import SpecError, UnreadableFile

COMMANDS = (build, show, listing)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="archspec",
        description="Convolutional networks described in YAML: checked, explained, built.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"archspec {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    args = parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except SpecError as error:
        from archspec.cli.report import print_diagnostics

        print_diagnostics(error.diagnostics)
        return 1
    except (UnreadableFile, OSError) as error:
        return _stopped(error)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("ARCHSPEC_TRACEBACK"):
            raise
        print(
            f"error: archspec itself failed ({type(error).__name__}: {error}); this is a bug.\n"
            "help: set ARCHSPEC_TRACEBACK=1 and report what it prints",
            file=sys.stderr,
        )
        return 2


def _stopped(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):  # the reader of a pipe has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    text = str(error)
    if isinstance(error, OSError):
        text = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    print(f"error: {text}", file=sys.stderr)
    return 2
