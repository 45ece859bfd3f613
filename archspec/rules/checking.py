"""Applies the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from archspec import resources
from archspec.diagnostics import Diagnostic, Severity, SpecError, in_order, merged
from archspec.expand import expand_network
from archspec.ir.tree import ExpandedNetwork
from archspec.language import Library, Spec
from archspec.language.blocks import block_of
from archspec.language.check import check_block
from archspec.language.library import block_in
from archspec.language.limits import characters
from archspec.language.lines import at_user_line
from archspec.language.problems import Problem, Problems, diagnose
from archspec.language.recovery import without
from archspec.memo import Memo
from archspec.paths import folder_of_blocks, lies_in
from archspec.rules.rule import RULES, Check
from archspec.rules.view import View, Written
from archspec.source.document import Document, Inside, Part
from archspec.source.extends import led_here
from archspec.source.findings import MAX_FINDINGS
from archspec.source.folder import Files
from archspec.source.reader import parse


def check_spec(
    spec: Spec, *, memo: Memo | None = None, network: ExpandedNetwork | None = None
) -> list[Diagnostic]:
    """All findings about a loaded spec (and its `network`, if known), in order of location."""
    try:
        view = View(spec, network or expand_network(spec, memo=memo), memo)
    except SpecError as error:
        return _sorted(map(at_user_line, led_here(error.diagnostics, spec.document)))
    found = [finding for finding in _findings(view) if _concerns(finding, view)]
    return _sorted(map(at_user_line, led_here(found, spec.document))) if found else []


def errors_of(spec: Spec, *, memo: Memo | None = None) -> list[Diagnostic]:
    """The errors of a spec."""
    return [finding for finding in check_spec(spec, memo=memo) if finding.severity == "error"]


def all_of(error: SpecError, *, memo: Memo | None = None) -> tuple[Diagnostic, ...]:
    """The errors that prevent a spec from being read, and the other errors in it."""
    if error.readable is None:
        return error.diagnostics
    return in_order([*error.diagnostics, *errors_of(error.readable, memo=memo)])


def _findings(view: View) -> Iterator[Diagnostic]:
    for check, concern in _checks():
        if concern is None or concern in view.concerns:
            yield from check(view)


@cache
def _checks() -> list[tuple[Check, str | None]]:
    """The checks of a spec, with the name of the rule if it needs a step that concerns it."""
    return [(r.check, r.name if r.concern else None) for r in RULES.values() if r.check]


def check_block_text(
    text: str | bytes, file: str, *, memo: Memo | None = None, files: Files | None = None
) -> list[Diagnostic]:
    """All findings about a block in a file of its own, independent of its callers."""
    path = Path(file)
    document = parse(text, file)
    characters(document, "this block")
    library = Library({}, Path(folder_of_blocks(file)), files, memo)
    try:
        block = block_of(document.data)
    except Problems as error:
        found = [diagnose(p, document) for p in error.problems]
        found += _in_the_rest(path.stem, document, error.problems, library)
        raise SpecError(found) from None
    if errors := check_block(path.stem, block, document, library):
        return errors
    view = Written({path.stem: block}, library)
    return _sorted(d for check in _of_blocks() for d in check(view))


def _in_the_rest(
    name: str, document: Document, problems: Iterable[Problem], library: Library
) -> list[Diagnostic]:
    """The other findings in a block; its parts that already have findings are left out."""
    whole = Inside(document, "blocks", name)
    rest = without(whole, [p.below("blocks", name) for p in problems])
    if rest is None or name not in rest.data["blocks"]:
        return []
    part = Part(rest, "blocks", name)
    try:
        return check_block(name, block_in(part, memo=None), part, library)
    except SpecError as error:
        return list(error.diagnostics)


def _of_blocks() -> list[Check]:
    return [rule.check for rule in RULES.values() if rule.check and rule.of_blocks]


def _concerns(finding: Diagnostic, view: View) -> bool:
    """Whether a finding concerns this spec: those in a built-in spec are reported there."""
    span = finding.span
    if span is None or span.file == view.file or finding.severity == "error":
        return True
    return not lies_in(span.file, resources.SPECS)


def _sorted(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One finding per rule and location, in order of location, up to a limit per rule."""
    by_rule: dict[str, list[Diagnostic]] = {}
    for finding in in_order(merged(findings)):
        by_rule.setdefault(finding.rule, []).append(finding)
    return list(in_order(d for same in by_rule.values() for d in _limited(same)))


def _limited(same: list[Diagnostic]) -> list[Diagnostic]:
    """Findings of one rule; those over the limit become one, at the first of them."""
    more = same[MAX_FINDINGS:]
    if not more:
        return same
    severity: Severity = "error" if any(d.severity == "error" for d in more) else "warning"
    message = f"and {len(more):,} more of this rule in this file"
    hint = "fix these first"
    last = more[0]._replace(message=message, hint=hint, labels=(), severity=severity, fix=None)
    return [*same[:MAX_FINDINGS], last]
