"""One file -> its findings, whatever is selected; no other file's findings matter to it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from archspec.diagnostics import Diagnostic, Span, SpecError, UnreadableFile
from archspec.lint.comments import MARK, Suppression, suppressions
from archspec.lint.discover import is_block
from archspec.record import record, replace
from archspec.source.files import decode, display_path, read_bytes
from archspec.source.shared import HERE, Store, sharing


@record
class Checked:
    """What is known of one file.

    Attributes:
        file: the path as it is shown.
        findings: every finding, suppressed or not, in order of place.
        suppressions: the comments that suppress.
        complete: whether the file could be read to the end and all rules ran.
        name: a spec's name and where it is written.
        script: whether it has a recipe, so that a training script is written too.
        unreadable: why the file cannot be opened, if it cannot.
    """

    file: str
    findings: tuple[Diagnostic, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    complete: bool = True
    name: tuple[str, Span] | None = None
    script: bool = False
    unreadable: str = ""


def check_path(path: Path) -> Checked:
    """The findings of a file."""
    file = display_path(path)
    try:
        return check_text(read_bytes(path), file)
    except UnreadableFile as error:
        return Checked(file, unreadable=str(error))


def nothing_found(text: bytes, file: str, store: Store) -> Checked | None:
    """A clean file, told by pieces that it shares with others; None if it may not be clean."""
    from archspec.language import parse_text
    from archspec.rules import is_clean

    if is_block(file) or MARK.encode() in text:
        return None
    folder, stem = _folder_and_stem(file)
    with sharing(store), suppress(SpecError):
        spec = parse_text(decode(text, HERE), HERE, folder, but=stem)
        if spec.name == stem and is_clean(spec):
            span = spec.where("name")
            name = (spec.name, replace(span, file=file)) if span else None
            return Checked(file, name=name, script=spec.train is not None)
    return None


def _folder_and_stem(file: str) -> tuple[Path, str]:
    folder, name = os.path.split(file)
    return _folder(folder), os.path.splitext(name)[0]


@lru_cache(maxsize=256)
def _folder(name: str) -> Path:
    return Path(name)


def check_text(text: str | bytes, file: str) -> Checked:
    """The findings of a text as if it stood in `file`."""
    from archspec.language import parse_text

    comments: tuple[Suppression, ...] = ()
    folder = Path(file).parent
    try:
        text = decode(text, file)
        comments = suppressions(text, file)
        if is_block(file):
            from archspec.rules import check_block_text

            found = _located(check_block_text(text, file), file)
            return Checked(file, found, comments, not found)
        spec = parse_text(text, file, folder)
    except SpecError as error:
        return Checked(file, _located(error.diagnostics, file), comments, complete=False)
    from archspec.rules import check_spec

    span = spec.where("name")
    name = (spec.name, span) if span else None
    findings = _located(check_spec(spec), file)
    script = spec.train is not None
    return Checked(file, findings, comments, _all_rules_ran(findings), name, script)


def _all_rules_ran(findings: Iterable[Diagnostic]) -> bool:
    """An error that no rule looks for was found before the rules could run."""
    from archspec.rules import RULES

    return not any(is_fatal(finding) and RULES[finding.rule].check is None for finding in findings)


def is_fatal(finding: Diagnostic) -> bool:
    """Whether it keeps the spec from being built; then nothing can silence it."""
    return finding.severity == "error"


def _located(findings: Iterable[Diagnostic], file: str) -> tuple[Diagnostic, ...]:
    """Each once, in order of place; the whole file is the place of one that has none."""
    return SpecError(d if d.span else replace(d, span=Span(file)) for d in findings).diagnostics
