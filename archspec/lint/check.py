"""One file -> its findings, for any selection of rules, independent of other files' findings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archspec.diagnostics import Diagnostic, Span, SpecError, in_order
from archspec.language import Spec, parse_text
from archspec.lint.checked import Checked, Suppression, is_fatal
from archspec.lint.comments import suppressions
from archspec.lint.discover import is_block
from archspec.memo import Memo
from archspec.rules import RULES
from archspec.rules.checking import all_of, check_block_text, check_spec
from archspec.source.files import decode
from archspec.source.folder import Files
from archspec.source.reader import parse


def check_text(
    text: str | bytes, file: str, *, memo: Memo | None = None, files: Files | None = None
) -> Checked:
    """The findings in a text, as if it were in `file`."""
    comments: tuple[Suppression, ...] = ()
    folder = Path(file).parent
    try:
        text = decode(text, file)
        comments = suppressions(text, file)
        if is_block(file):
            found = _located(check_block_text(text, file, memo=memo, files=files), file)
            return Checked(file, found, comments, not found)
        spec = parse_text(text, file, folder, memo=memo, files=files)
    except SpecError as error:
        found = _located(all_of(error, memo=memo), file)
        return Checked(file, found, comments, complete=False)
    return check_loaded(spec, file, comments, memo=memo)


def check_loaded(
    spec: Spec, file: str, comments: tuple[Suppression, ...], *, memo: Memo | None = None
) -> Checked:
    """The findings in a spec that was loaded from `file`, which has these comments.

    If settings changed the spec, no comment in the file counts as unused.
    """
    span = spec.where("name")
    name = (spec.name, span) if span else None
    findings = _located(check_spec(spec, memo=memo), file)
    complete = not spec.changed and _all_rules_ran(findings)
    script = spec.train is not None
    imports = spec.library.imports()
    return Checked(file, findings, comments, complete, name, script, imports)


def _all_rules_ran(findings: Iterable[Diagnostic]) -> bool:
    """An error without a rule of its own, found before the rules could run."""
    return not any(is_fatal(finding) and RULES[finding.rule].check is None for finding in findings)


def _located(findings: Iterable[Diagnostic], file: str) -> tuple[Diagnostic, ...]:
    """Each finding once, in order of location; one without a location is at the whole file."""
    return in_order(d if d.span else d._replace(span=Span(file)) for d in findings)


def parses(text: str, file: str) -> bool:
    """Whether archspec can read the text of a file as YAML."""
    try:
        parse(text, file)
    except SpecError:
        return False
    return True
