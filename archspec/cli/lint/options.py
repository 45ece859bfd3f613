"""The options of `archspec lint`."""

from __future__ import annotations

import argparse

from archspec.lint import formats


def add_options(parser: argparse.ArgumentParser) -> None:
    """Files, and what to do with them."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help=("files and directories (default: specs; - is stdin)"),
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 on warnings too")
    _add_rules(parser)
    _add_output(parser)
    _add_changes(parser)
    _add_configuration(parser)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "rules", "RULES: comma-separated codes (AS304), code prefixes (AS3), or names"
    )
    group.add_argument("--select", metavar="RULES", help="run only these rules")
    group.add_argument("--extend-select", metavar="RULES", help="run these rules too")
    group.add_argument("--ignore", metavar="RULES", help="skip these rules")
    group.add_argument(
        "--per-file-ignores",
        metavar="PATTERN:RULE",
        action="append",
        help=("skip RULE in files matching PATTERN"),
    )
    group.add_argument(
        "--exclude", metavar="PATTERN", action="append", help=("skip files matching PATTERN")
    )
    group.add_argument(
        "--force-exclude",
        action="store_true",
        help=("apply excludes to files named on the command line too (for pre-commit)"),
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=formats.names(), help="default: full")
    group.add_argument("--output-file", metavar="FILE", help="write the output to FILE")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    group.add_argument(
        "--statistics", action="store_true", help=("only print the number of findings per rule")
    )


def _add_changes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("changes")
    group.add_argument("--fix", action="store_true", help="apply safe fixes")
    group.add_argument("--diff", action="store_true", help="show what --fix would change")
    group.add_argument(
        "--baseline", metavar="FILE", help=("report only findings that are not in FILE")
    )
    group.add_argument("--write-baseline", metavar="FILE", help="write current warnings to FILE")


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("configuration")
    group.add_argument(
        "--stdin-filename", metavar="FILE", help=("the file name to use for standard input (`-`)")
    )
    group.add_argument("--isolated", action="store_true", help="ignore configuration files")
    group.add_argument(
        "--show-settings", action="store_true", help=("print the settings in effect and exit")
    )
    group.add_argument(
        "--no-cache", action="store_true", help=("check every file, ignoring the cache")
    )
    group.add_argument(
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help=("maximum number of processes (default: all cores)"),
    )
