"""What one can say to `archspec lint`."""

from __future__ import annotations

import argparse

from archspec.lint import formats


def add_options(parser: argparse.ArgumentParser) -> None:
    """Files, and what to do with them."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders (default: specs; - is stdin)"
    )
    parser.add_argument("--strict", action="store_true", help="warnings exit 1 too")
    _add_rules(parser)
    _add_output(parser)
    _add_changes(parser)
    _add_configuration(parser)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "rules", "RULES are codes (AS304), beginnings of codes (AS3) or names, with commas"
    )
    group.add_argument("--select", metavar="RULES", help="only these")
    group.add_argument("--extend-select", metavar="RULES", help="these as well")
    group.add_argument("--ignore", metavar="RULES", help="not these")
    group.add_argument(
        "--per-file-ignores", metavar="PATTERN:RULE", action="append", help="not this one there"
    )
    group.add_argument("--exclude", metavar="PATTERN", action="append", help="leave files out")
    group.add_argument(
        "--force-exclude", action="store_true", help="even those that are named, as hooks do"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=formats.names(), help="default: full")
    group.add_argument("--output-file", metavar="FILE", help="write there")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    group.add_argument("--statistics", action="store_true", help="only how many, by rule")


def _add_changes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("changes")
    group.add_argument("--fix", action="store_true", help="fix what is safe to fix")
    group.add_argument("--diff", action="store_true", help="show what --fix would change")
    group.add_argument("--baseline", metavar="FILE", help="findings that are known")
    group.add_argument("--write-baseline", metavar="FILE", help="write down what is found")


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("configuration")
    group.add_argument("--stdin-filename", metavar="FILE", help="the name of what `-` reads")
    group.add_argument("--isolated", action="store_true", help="read no configuration file")
    group.add_argument("--show-settings", action="store_true", help="print them and do nothing")
    group.add_argument("--no-cache", action="store_true", help="check every file anew")
    group.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="processes at most (default: the cores)"
    )
