"""The command line: one thin module per command, which is imported only if the command is used.

It has the functions `add_options` and `run`, and the second paragraph of its docstring is its
description in `--help`. A command imports only what it needs: `archspec --help` and a cached lint
import almost nothing.

Exit codes: 0 clean, 1 findings, 2 invalid usage or a file that cannot be opened.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from archspec import __version__
from archspec.cli.lines import columns, fail
from archspec.diagnostics import ArchspecError, SpecError, alike, did_you_mean, visible
from archspec.extras import advice

ALIASES = {"rule": "explain"}
MEANT = {  # other tools' names of commands
    **dict.fromkeys(("check", "validate", "format"), "lint"),
    **dict.fromkeys(("generate", "compile", "render"), "build"),
    **dict.fromkeys(("summary", "info", "print"), "show"),
    **dict.fromkeys(("compare",), "diff"),
    **dict.fromkeys(("new", "create"), "init"),
    **dict.fromkeys(("draw", "visualize"), "report"),
    "version": "--version",
    "help": "--help",
}
# command -> its module, and its line in `--help`
COMMANDS = {
    "init": ("init", "set up a project in the current directory"),
    "lint": ("lint", "check specs and blocks"),
    "build": ("build", "generate PyTorch source"),
    "train": ("train", "build a training script and run it"),
    "plot": ("plot", "plot training curves"),
    "show": ("show", "show layers, shapes, parameters, and multiply-adds"),
    "report": ("report", "write a page about networks: layers, plots, spec, and source"),
    "diff": ("diff", "show what changed from one network to another"),
    "list": ("listing", "list built-in specs, blocks, and ops"),
    "explain": ("explain", "explain an op, a block, a key, or a rule"),
    "verify": ("verify", "compare a network with its source, torch, and a peer"),
    "export": ("export", "export a network to another runtime, and compare the outputs"),
    "infer": ("infer", "infer a spec from a checkpoint"),
    "schema": ("schema", "print the JSON Schema of specs, for editors"),
    "completion": ("completion", "print a completion script for a shell"),
}

# These run no code but ours. Finding pydantic's plugins for them would mean reading the metadata of
# all installed packages.
READING = {"lint", "show", "report", "diff", "list", "explain", "rule", "schema"}


def formatter(prog: str) -> argparse.HelpFormatter:
    """The formatter of `--help`, as wide as the terminal."""
    return argparse.HelpFormatter(prog, width=columns())


class Parser(argparse.ArgumentParser):
    """A parser that reports an unknown option with its usage and a suggestion."""

    closing: Callable[[], str] | None = None  # the end of `--help`, made when it is shown

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=formatter, allow_abbrev=False, **options)

    def format_help(self) -> str:
        return super().format_help() + (self.closing() if self.closing else "")

    def error(self, message: str) -> NoReturn:
        super().error("\n".join(map(visible, message.split("\n"))))

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:  # argparse itself hides that it could not be written
            (file or sys.stderr).write(message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            meant = self._meant(unknown[0].partition("=")[0])
            self.error(f"unrecognized arguments: {visible(' '.join(unknown))}{meant}")
        return namespace, unknown

    def _meant(self, word: str) -> str:
        """The help for an unknown option: a similar one, its value, or an argument of the spec."""
        known, name = self._option_string_actions, word[2:]
        longer = [option for option in known if name and option.startswith(word)]
        longer += [option for option in known if len(option) > 5 and word.endswith(option[1:])]
        if "--format" in known and name in (known["--format"].choices or ()):
            longer.append(f"--format {name}")
        for near in longer or alike(word, known, 0.75):
            return f"\nhelp: did you mean `{near}`?"
        name = "input" if name.startswith("input") else name
        if "--set" not in known or not word.startswith("--") or not name.isidentifier():
            return ""
        path = name if name == "input" else f"args.{name}"
        return f"\nhelp: to change a value of the spec, use `--set {path}=...`"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            for near in alike(str(value).lower(), action.choices or (), 0.75):
                error.message += f"\nhelp: did you mean `{near}`?"
                break
            raise


def _module(name: str) -> ModuleType:
    return import_module(f"archspec.cli.{name}")


def parser(command: str = "") -> argparse.ArgumentParser:
    """The parser of one command; without a command, the common parser."""
    top = Parser(
        prog="archspec",
        description="Check, inspect, and build convolutional networks described in YAML.",
    )
    top.add_argument("--version", action="version", version=f"archspec {__version__}")
    commands = top.add_subparsers(prog="archspec", dest="command", metavar="COMMAND", required=True)
    if (name := ALIASES.get(command, command)) in COMMANDS:
        module, also = _module(COMMANDS[name][0]), [key for key in ALIASES if ALIASES[key] == name]
        text = (module.__doc__ or "").split("\n\n")[1]
        own = commands.add_parser(name, aliases=also, description=text)
        own.set_defaults(run=module.run, parser=own)
        module.add_options(own)
        return top
    if command and not command.startswith("-"):
        meant = did_you_mean(command, COMMANDS, aliases=MEANT)
        top.error(f"unknown command `{visible(command)}`\nhelp: {meant}")
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if "_ARGCOMPLETE" in os.environ:  # a shell asks for completions
            answered: int = _module("completion").complete()
            return answered
        name = words[0] if words else ""
        if name in READING:
            os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        args = parser(name).parse_args(words)
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _failed(error, words)


def command() -> int:
    """The command `archspec`: `main`, then exit at once.

    A normal exit would tear down everything that was imported, which is a tenth of a short run.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed before the start
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):  # escape what they cannot write
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _hear()
    try:
        code = main()
    except SystemExit as stopped:  # `--help`, wrong usage, SIGTERM
        code = _flushed(stopped.code)
    if _watched():  # a tracer has something to write at the end
        return code
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # reported already, if possible
        pass
    os._exit(code)


def _watched() -> bool:
    """Whether a debugger, a profiler, or a coverage tool is active."""
    monitoring: Any = getattr(sys, "monitoring", None)  # since Python 3.12
    tools = map(monitoring.get_tool, range(6)) if monitoring else ()
    return bool(sys.gettrace() or sys.getprofile() or any(tools))


def _hear() -> None:
    """Turn signals into exceptions, so that partly written files are removed."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _flushed(code: object) -> int:
    """The exit code, after the output is written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return _failed(error, [])
    return code if isinstance(code, int) else 0


def _failed(error: Exception, words: Sequence[str]) -> int:
    """Report an error, and return the exit code."""
    if isinstance(error, BrokenPipeError):  # the reader of a pipe has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    with suppress(OSError):  # if standard error cannot be written, there is still the exit code
        _tell(error, words)
    return error.exit_code if isinstance(error, ArchspecError) else 2


def _tell(error: Exception, words: Sequence[str]) -> None:
    if isinstance(error, SpecError):
        found = error.diagnostics
        if error.readable is not None:
            found = import_module("archspec.rules.checking").all_of(error)
        _module("findings").print_diagnostics(found)
        return
    if isinstance(error, ArchspecError):
        _module("findings").print_error(error)
        return
    text = _known(error, words)
    if text is not None:
        fail(text)
        return
    if os.environ.get("ARCHSPEC_TRACEBACK"):
        raise error
    fail(
        f"archspec itself failed ({type(error).__name__}: {error}); this is a bug.",
        "set ARCHSPEC_TRACEBACK=1 and report what it prints",
    )


def _known(error: Exception, words: Sequence[str]) -> str | None:
    """The message for an error that is not a bug in archspec."""
    if isinstance(error, ImportError):
        return advice(error, f"`archspec {' '.join(words[:1])}`")
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return None
