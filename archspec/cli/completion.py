"""`archspec completion`: a script for a shell, and the completions that the script requests.

Print a script that completes commands, options, and names in a shell. For bash, add this line to
~/.bashrc: eval "$(archspec completion bash)"
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from argcomplete import autocomplete
from argcomplete.completers import BaseCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from archspec.cli import ALIASES, COMMANDS, parser

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec completion SHELL`."""
    parser.add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace) -> int:
    """Always 0."""
    shell = "bash" if args.shell == "zsh" else args.shell  # one script for both
    print(shellcode(["archspec"], shell=shell))
    return 0


def complete() -> int:
    """Print completions for a shell that runs `archspec` with the line so far in `COMP_LINE`."""
    _, *words = os.environ["COMP_LINE"].split() or [""]
    command = words[0] if words and words[0] in {*COMMANDS, *ALIASES} else ""
    autocomplete(parser(command), always_complete_options=False, default_completer=Completer())
    return 0


class Completer(BaseCompleter):
    """Completes names for commands that take names, and files for others."""

    def __call__(self, *, prefix: str, action: argparse.Action, **_: Any) -> Iterable[str]:
        names = NAMES.get(str(action.metavar), tuple)()
        wanted = () if action.metavar in (None, "NAME") else FilesCompleter()(prefix=prefix)
        return [*names, *wanted]


def _specs() -> Iterable[str]:
    names: Iterable[str] = import_module("archspec.language").shipped()
    return names


def _names() -> Iterable[str]:
    names: Iterable[str] = import_module("archspec.cli.explain").names()
    return names


def _rules() -> Iterable[str]:
    rules = import_module("archspec.rules").RULES
    return [*rules, *(rule.code for rule in rules.values())]


# Argument names in `--help` -> the names that are completed; commands load them late.
NAMES: dict[str, Callable[[], Iterable[str]]] = {"SPEC": _specs, "NAME": _names, "RULES": _rules}
