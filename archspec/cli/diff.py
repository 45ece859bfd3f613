"""`archspec diff`: what changed in the architecture from one spec to another.

Compare two networks: the layers that changed, parameters, multiply-adds, memory, and receptive
field, and how much of a checkpoint of the first fits the second.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from archspec.analysis import Analysis, analyze_network
from archspec.cli.options import add_settings, settings
from archspec.diagnostics import Diagnostic, SpecError, UnreadableFile
from archspec.diff import FORMATS, Text, compare
from archspec.expand import expand_network
from archspec.files import check_named
from archspec.language import Spec, load
from archspec.language.load import parse_text
from archspec.memo import Memo
from archspec.paths import display_path
from archspec.rules.checking import check_spec
from archspec.source.revision import RevisionFiles

MOST_TEXTS = 6
LONGEST_VALUE = 24
FAMILIES = ("AS2", "AS3", "AS4")


class Side(NamedTuple):
    """One side of the comparison: its name, its spec, and its network."""

    name: str
    spec: Spec
    network: Analysis


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec diff A B`, `archspec diff --git REV FILE`."""
    add = parser.add_argument
    add(
        "specs",
        metavar="SPEC",
        nargs="+",
        help="two YAML files or names of built-in specs; with --git, one file",
    )
    add(
        "--git",
        dest="revision",
        metavar="REV",
        help="compare a file with itself at this git revision, such as `main` or `HEAD~1`",
    )
    add("--format", choices=tuple(FORMATS), default="text")
    add("--all", action="store_true", help="print all lines, not only the first five")
    add("--exit-code", action="store_true", help="exit 1 if the architectures differ")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """0, or 1 with `--exit-code` if they differ; findings are raised as `SpecError`."""
    wanted = 1 if args.revision is not None else 2
    if len(args.specs) != wanted:
        what = "one file with --git" if wanted == 1 else "two specs, or --git REV and one file"
        args.parser.error(f"expected {what}, found {len(args.specs)}")
    memo = Memo()
    before, after = _sides(args, memo)
    comparison = compare(
        before.network,
        after.network,
        (before.name, after.name),
        _texts(before.spec.data, after.spec.data),
        _findings(before, after, memo),
    )
    print(FORMATS[args.format](comparison, args.all))
    return int(args.exit_code and not comparison.facts.equal)


def _sides(args: argparse.Namespace, memo: Memo) -> tuple[Side, Side]:
    for named in args.specs:
        check_named(named)
    changes = settings(args)
    sides = [_side(load(named, changes, memo=memo), memo) for named in args.specs]
    if args.revision is not None:
        before, after = _at_revision(args.specs[0], args.revision, changes, memo), sides[0]
        if before.name == after.name:
            before = before._replace(name=f"{before.name} ({args.revision})")
        return before, after
    before, after = sides
    if before.name == after.name:
        names = map(display_path, args.specs)
        before, after = (one._replace(name=name) for one, name in zip(sides, names, strict=True))
    return before, after


def _side(spec: Spec, memo: Memo) -> Side:
    network = expand_network(spec, memo=memo)
    return Side(spec.name, spec, analyze_network(network, memo=memo))


def _at_revision(file: str, revision: str, changes: Mapping[str, Any], memo: Memo) -> Side:
    """The spec in a file, with its base specs and blocks, at a revision."""
    folder = os.path.dirname(file)
    files = RevisionFiles(folder, revision)
    text = files.read(file)
    try:
        spec = parse_text(text, display_path(file), Path(folder), memo=memo, files=files)
        spec = load(spec, changes, memo=memo, files=files) if changes else spec
        return _side(spec, memo)
    except SpecError as error:  # its lines are not those of the current file
        first = error.diagnostics[0]
        line = f"{first.span.file}:{first.span.line}: " if first.span else ""
        raise UnreadableFile(f"cannot use `{revision}`: {line}{first.message}") from None


def _findings(before: Side, after: Side, memo: Memo) -> list[str]:
    """Lint findings about shapes, architecture, and cost that only the second network has."""
    found = [one for one in _checked(after, memo) if one.code[:3] in FAMILIES]
    old = _checked(before, memo) if found else []
    known = {(one.rule, one.message) for one in old}
    new = (one for one in found if (one.rule, one.message) not in known)
    return [*dict.fromkeys(f"{one.message} ({one.code})" for one in new)]


def _checked(side: Side, memo: Memo) -> list[Diagnostic]:
    return check_spec(side.spec, memo=memo, network=side.network.network)


def _texts(old: Any, new: Any) -> list[Text]:
    """The keys in which two specs differ, with short values."""
    found = list(_differing(old, new, ""))
    more = [Text(f"and {len(found) - MOST_TEXTS} more")] if len(found) > MOST_TEXTS else []
    return found[:MOST_TEXTS] + more


def _differing(old: Any, new: Any, path: str) -> Iterator[Text]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new or type(old) is not type(new):
        values = (_short(old), _short(new))
        yield Text(path, values if all(values) else ())


def _short(value: Any) -> str:
    """A number, word, or flag that fits on the line; "" for anything else."""
    if not isinstance(value, (str, int, float)):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_VALUE and "\n" not in text else ""
