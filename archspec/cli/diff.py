"""`archspec diff`: what changed in the architecture from one spec to another."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from archspec.api import MEMO, analyze
from archspec.cli.options import add_settings, settings
from archspec.diff import FORMATS, compare
from archspec.language import Spec, load
from archspec.language.load import parse_text
from archspec.lint.discover import check_named
from archspec.paths import display_path
from archspec.rules.checking import check_spec
from archspec.source.revision import RevisionFiles

MOST_TEXTS = 6
LONGEST_VALUE = 24


class Side(NamedTuple):
    """One of the two: what it is called, and its spec."""

    name: str
    spec: Spec


def add_parser(commands: Any) -> None:
    """`archspec diff A B`, `archspec diff --git REV FILE`."""
    parser = commands.add_parser(
        "diff",
        description="Compares two networks: layers that changed, parameters, multiply-adds, "
        "memory, and receptive field, and how much of a checkpoint of the first fits the second.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "specs",
        metavar="SPEC",
        nargs="+",
        help="two YAML files or names of shipped specs; with --git one file",
    )
    parser.add_argument(
        "--git",
        dest="revision",
        metavar="REV",
        help="compare a file with itself at this revision of git, such as `main` or `HEAD~1`",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")
    parser.add_argument("--all", action="store_true", help="print every line, not the first five")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if the architectures differ"
    )
    add_settings(parser)
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """0, or 1 with `--exit-code` if they differ; findings are raised as `SpecError`."""
    wanted = 1 if args.revision is not None else 2
    if len(args.specs) != wanted:
        what = "one file with --git" if wanted == 1 else "two specs, or --git REV and one file"
        args.usage_error(f"expected {what}, found {len(args.specs)}")
    before, after = _sides(args)
    comparison = compare(
        analyze(before.spec),
        analyze(after.spec),
        (before.name, after.name),
        _texts(before.spec.data, after.spec.data),
        _findings(before.spec, after.spec),
    )
    print(FORMATS[args.format](comparison, args.all))
    return int(args.exit_code and not comparison.facts.equal)


def _sides(args: argparse.Namespace) -> tuple[Side, Side]:
    for named in args.specs:
        check_named(named)
    changes = settings(args)
    specs = [load(named, changes, memo=MEMO) for named in args.specs]
    if args.revision is not None:
        before = _at_revision(args.specs[0], args.revision, changes)
        same = before.name == specs[0].name
        name = f"{before.name} ({args.revision})" if same else before.name
        return Side(name, before), Side(specs[0].name, specs[0])
    names = [spec.name for spec in specs]
    if names[0] == names[1]:
        names = [display_path(named) for named in args.specs]
    return Side(names[0], specs[0]), Side(names[1], specs[1])


def _at_revision(file: str, revision: str, changes: Mapping[str, Any]) -> Spec:
    """The spec of a file, with what it extends and its blocks, as it was."""
    folder = os.path.dirname(file)
    files = RevisionFiles(folder, revision)
    text = files.read(file)
    spec = parse_text(text, display_path(file), Path(folder), memo=MEMO, files=files)
    return load(spec, changes, memo=MEMO, files=files) if changes else spec


def _findings(before: Spec, after: Spec) -> list[str]:
    """What lint finds in the second alone."""
    known = {(one.rule, one.message) for one in check_spec(before, memo=MEMO)}
    found = ((one.rule, one.message, one.code) for one in check_spec(after, memo=MEMO))
    new = dict.fromkeys(one for one in found if one[:2] not in known)
    return [f"{message} ({code})" for _, message, code in new]


def _texts(old: Any, new: Any) -> list[str]:
    """The keys of two specs that differ, with short values."""
    found = list(_differing(old, new, ""))
    more = [f"and {len(found) - MOST_TEXTS} more"] if len(found) > MOST_TEXTS else []
    return found[:MOST_TEXTS] + more


def _differing(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new or type(old) is not type(new):
        values = [_short(value) for value in (old, new)]
        yield f"{path} ({' -> '.join(values)})" if all(values) else path


def _short(value: Any) -> str:
    """A value that fits the line; "" for one that does not, or is none."""
    if value is None or isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST_VALUE and "\n" not in text else ""
