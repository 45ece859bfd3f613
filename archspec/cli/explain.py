"""`archspec explain`: the meaning of a name or a rule, with an example.

Explain an op, a block, a key, or a rule: what it is for, its arguments, and an example. All
meanings of a name are shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from archspec.cli import COMMANDS
from archspec.cli.lines import columns, say
from archspec.cli.project import block_files
from archspec.diagnostics import ArchspecError, alike
from archspec.language import shipped
from archspec.language.library import block_file
from archspec.language.suggestions.elsewhere import elsewhere
from archspec.language.train.recipe import ELSEWHERE
from archspec.lint.discover import SUFFIXES, is_block
from archspec.lint.select import is_code, unknown_rule
from archspec.paths import posix
from archspec.reference import Code, Entry, Table, as_text, block_entry, plain, sections
from archspec.rules import RULES, Rule, by_code

MOST = 3  # names to suggest
SUMMARY = 90  # characters of a name


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec explain [NAME | --all]`, also as `archspec rule`."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="a name such as conv, bottleneck, or extends; the code (AS201) or name of a rule; "
        "the file of a block",
    )
    which.add_argument("--all", action="store_true", help="list all names, one per line")


def run(args: argparse.Namespace) -> int:
    """0; raises `SpecError` for a block with findings, and `ArchspecError` for an unknown name."""
    if args.all:
        say(*(_rules() if args.command == "rule" else _everything()))
        return 0
    known = [entry for entries in sections().values() for entry in entries]
    found = [*_own(args.name), *_named(args.name, known)]
    if not found:
        raise ArchspecError(f"unknown name `{args.name}`", _hint(args.name, known))
    say(*"\n\n\n".join(as_text(entry, columns()) for entry in found).split("\n"))
    return 0


def _named(name: str, known: Sequence[Entry]) -> list[Entry]:
    """The entries for a name, or for another framework's name: `nn.Conv2d`."""
    rule = by_code(name)
    found = [entry for entry in known if entry.name.lower() == name.lower()]
    found += [_rule_entry(rule)] if rule else []
    return found or [e for e in known if e.name in (elsewhere(name), ELSEWHERE.get(name))]


def _own(name: str) -> Iterator[Entry]:
    """The project's blocks with this name, or the block in this file."""
    named = [posix(name)] if name.endswith(SUFFIXES) and is_block(name) else []
    for file in dict.fromkeys((*named, *map(posix, block_files()))):
        if file in named or name == Path(file).stem:
            block, document = block_file(Path(file))
            yield block_entry("block of this project", file, block, document.data)


def _rule_entry(rule: Rule) -> Entry:
    fixable = ", `--fix` fixes it" if rule.fixable else ""
    examples = Code(rule.bad.text, "Example"), Code(rule.good.text, "Use instead")
    parts = (rule.summary, rule.why, *examples, rule.instead, rule.safety)
    name = f"{rule.code} {rule.name}"
    return Entry(f"{rule.severity}{fixable}", name, tuple(part for part in parts if part))


def names() -> Iterator[str]:
    """Everything that can be explained."""
    yield from (entry.name for entries in sections().values() for entry in entries)
    yield from (file.stem for file in block_files() if file.stem.isidentifier())
    yield from (name for rule in RULES.values() for name in (rule.name, rule.code))


# Unknown names ------------------------------------------------------------------------


def _hint(name: str, known: Sequence[Entry]) -> str:
    if name in shipped() or name.endswith(SUFFIXES):
        return f"to see a spec, run `archspec show {name}`"
    if name in COMMANDS:
        return f"it is a command: run `archspec {name} --help`"
    if is_code(name):
        return unknown_rule(name, {rule.name: rule.code for rule in RULES.values()})
    takers = [entry.name for entry in known if _takes(entry, name)]
    if takers:
        return f"it is an argument of {_listed(takers)}: run `archspec explain {takers[0]}`"
    lowered = {one.lower(): one for one in names()}
    near = [lowered[one] for one in alike(name.lower(), lowered, 0.6)[:MOST]]
    meant = f"did you mean {' or '.join(f'`{one}`' for one in near)}? " if near else ""
    return f"{meant}run `archspec explain --all` to see all names"


def _takes(entry: Entry, name: str) -> bool:
    tables = (part for part in entry.parts if isinstance(part, Table))
    return any(row[0] == f"`{name}`" for table in tables for row in table.rows)


def _listed(names: list[str]) -> str:
    first = ", ".join(f"`{name}`" for name in names[:MOST])
    return f"{first}, and {len(names) - MOST} more" if len(names) > MOST else first


# All names ----------------------------------------------------------------------------


def _everything() -> Iterator[str]:
    for title, entries in sections().items():
        wide = max(len(entry.name) for entry in entries)
        yield f"{title}:"
        yield from (f"  {entry.name:{wide}}  {_short(entry.summary)}".rstrip() for entry in entries)
        yield ""
    if files := block_files():
        yield from ("blocks of this project:", *(f"  {posix(file)}" for file in files), "")
    yield "rules:"
    yield from (f"  {line}" for line in _rules())


def _short(text: str) -> str:
    text = plain(text)
    return text if len(text) <= SUMMARY else f"{text[: SUMMARY - 4].rsplit(' ', 1)[0]} ..."


def _rules() -> Iterator[str]:
    for rule in sorted(RULES.values(), key=lambda rule: rule.code):
        fixable = "fix" if rule.fixable else ""
        yield f"{rule.code}  {rule.name:<30} {rule.severity:<8} {fixable:<4} {rule.summary}"
