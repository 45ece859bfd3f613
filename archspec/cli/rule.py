"""`archspec rule`: what a rule finds, why, and what to write instead."""

from __future__ import annotations

import argparse
from typing import Any

from archspec.cli.lines import fail
from archspec.lint.lookup import rule_codes
from archspec.lint.select import unknown_rule
from archspec.rules import RULES, Rule, by_code


def add_parser(commands: Any) -> None:
    """`archspec rule [RULE | --all]`."""
    parser = commands.add_parser(
        "rule",
        description="Explains a rule of the linter, or lists them all.",
        allow_abbrev=False,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("rule", nargs="?", metavar="RULE", help="a code (AS201) or a name")
    which.add_argument("--all", action="store_true", help="list the rules, a line each")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0, or 2 for a rule that does not exist."""
    if args.all:
        print("\n".join(_line(rule) for rule in sorted(RULES.values(), key=lambda r: r.code)))
        return 0
    rule = by_code(args.rule)
    if rule is None:
        fail(f"there is no rule `{args.rule}`", unknown_rule(args.rule, rule_codes()))
        return 2
    print(explain(rule))
    return 0


def _line(rule: Rule) -> str:
    fixable = "fix" if rule.fixable else ""
    return f"{rule.code}  {rule.name:<30} {rule.severity:<8} {fixable:<4} {rule.summary}"


def explain(rule: Rule) -> str:
    """A rule's page as text."""
    fixable = ", `--fix` fixes it" if rule.fixable else ""
    parts = [
        f"{rule.code} {rule.name} ({rule.severity}{fixable})",
        rule.summary,
        rule.why,
        f"Bad:\n\n{_indented(rule.bad.text)}",
        f"Good:\n\n{_indented(rule.good.text)}",
        rule.instead,
    ]
    return "\n\n".join(part for part in parts if part)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip().splitlines())
