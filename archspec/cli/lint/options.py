"""The options of `archspec lint`."""

from __future__ import annotations

import argparse
from functools import partial

from archspec.cli import Parser, formatter
from archspec.cli.numbers import positive
from archspec.lint import formats


def add_options(parser: Parser) -> None:
    """`archspec lint [PATHS]`."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files and directories (default: specs; - is stdin)",
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 on warnings too")
    _add_rules(parser)
    _add_output(parser)
    _add_changes(parser)
    _add_configuration(parser)
    parser.closing = _formats


def _add_rules(parser: Parser) -> None:
    group = parser.add_argument_group(
        "rules", "RULES: comma-separated codes (AS304), code prefixes (AS3), or names"
    )
    add, rules = group.add_argument, partial(group.add_argument, metavar="RULES")
    rules("--select", help="run only these rules")
    rules("--extend-select", help="run these rules too")
    rules("--ignore", help="skip these rules")
    add(
        "--per-file-ignores",
        metavar="PATTERN:RULE",
        action="append",
        help="skip RULE in files matching PATTERN",
    )
    add("--exclude", metavar="PATTERN", action="append", help="skip files matching PATTERN")
    add(
        "--force-exclude",
        action="store_true",
        help="apply excludes to files named on the command line too (for pre-commit)",
    )


def _add_output(parser: Parser) -> None:
    add = parser.add_argument_group("output").add_argument
    add("--format", choices=formats.names(), help="default: full")
    add("--output-file", metavar="FILE", help="write the output to FILE")
    add("--color", choices=("auto", "always", "never"), default="auto")
    add("--statistics", action="store_true", help="only print the number of findings per rule")


def _add_changes(parser: Parser) -> None:
    add = parser.add_argument_group("changes").add_argument
    add("--fix", action="store_true", help="apply safe fixes")
    add("--diff", action="store_true", help="show what --fix would change")
    add("--baseline", metavar="FILE", help="report only findings that are not in FILE")
    add("--write-baseline", metavar="FILE", help="write current warnings to FILE")


def _add_configuration(parser: Parser) -> None:
    add = parser.add_argument_group("configuration").add_argument
    add("--stdin-filename", metavar="FILE", help="the file name to use for standard input (`-`)")
    add("--isolated", action="store_true", help="ignore configuration files")
    add("--show-settings", action="store_true", help="print the settings in effect and exit")
    add("--no-cache", action="store_true", help="check every file, ignoring the cache")
    jobs = "maximum number of processes (default: all cores)"
    add("--jobs", type=positive, default=0, metavar="N", help=jobs)


def _formats() -> str:
    page = formatter("")
    page.start_section("formats")
    for name, text in formats.described().items():
        page.add_argument(argparse.Action([], name, help=text))
    page.end_section()
    return f"\n{page.format_help()}"
