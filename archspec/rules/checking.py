"""The rules put to work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from archspec import resources
from archspec.diagnostics import Diagnostic, Severity, SpecError, merged
from archspec.language import Library, Spec
from archspec.language.blocks import block_of
from archspec.language.check import check_block
from archspec.language.problems import Problem, Problems, diagnose
from archspec.lower import open_network
from archspec.rules.rule import RULES, Check
from archspec.rules.view import View, Written
from archspec.source import parse
from archspec.source.extends import led_here
from archspec.source.files import lies_in
from archspec.source.findings import MAX_FINDINGS


def check_spec(spec: Spec) -> list[Diagnostic]:
    """Every finding about a spec that has been loaded, in order of place."""
    try:
        opened = open_network(spec)
    except SpecError as error:
        return led_here(error.diagnostics, spec.data)
    view = View(spec, opened)
    found = (d for d in _findings(view) if _concerns(d, view))
    return _sorted(led_here(found, spec.data))


def errors_of(spec: Spec) -> list[Diagnostic]:
    """The findings that keep a spec from being built."""
    return [finding for finding in check_spec(spec) if finding.severity == "error"]


def is_clean(spec: Spec) -> bool:
    """Whether no rule finds anything, in shipped specs neither."""
    return not any(True for _ in _findings(View(spec, open_network(spec))))


def _findings(view: View) -> Iterator[Diagnostic]:
    for check, concern in _checks():
        if concern is None or concern in view.concerns:
            yield from check(view)


@cache
def _checks() -> list[tuple[Check, str | None]]:
    """What looks at a spec, with the name of the rule where it needs a step of concern."""
    return [(r.check, r.name if r.concern else None) for r in RULES.values() if r.check]


def check_block_text(text: str | bytes, file: str) -> list[Diagnostic]:
    """Every finding about a block that stands in a file of its own, whoever uses it."""
    path = Path(file)
    data = parse(text, file)
    library = Library({}, path.parent.parent)
    try:
        block = block_of(data)
    except Problems as error:
        found = [diagnose(p, data) for p in error.problems]
        found += _in_the_rest(path.stem, data, error.problems, library)
        raise SpecError(found) from None
    if errors := check_block(path.stem, block, library):
        return errors
    view = Written({path.stem: block}, library)
    return _sorted(d for check in _of_blocks() for d in check(view))


def _in_the_rest(
    name: str, data: Mapping[str, Any], problems: Iterable[Problem], library: Library
) -> list[Diagnostic]:
    """What is wrong in a block besides; what has findings already is left out."""
    from archspec.language.rest import without

    rest = without({"blocks": {name: data}}, [p.below("blocks", name) for p in problems])
    if rest is None:
        return []
    try:
        return check_block(name, block_of(rest["blocks"][name]), library)
    except Problems as error:
        return [diagnose(p, rest["blocks"][name]) for p in error.problems]


def _of_blocks() -> list[Check]:
    return [rule.check for rule in RULES.values() if rule.check and rule.of_blocks]


def _concerns(finding: Diagnostic, view: View) -> bool:
    """Whether it is this spec's affair: what a shipped spec does is told there."""
    span = finding.span
    if span is None or span.file == view.file or finding.severity == "error":
        return True
    return not lies_in(span.file, resources.SPECS)


def _sorted(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One finding of a rule at a place, in order of place; of each rule not too many."""
    by_rule: dict[str, list[Diagnostic]] = {}
    for finding in SpecError(merged(findings)).diagnostics:
        by_rule.setdefault(finding.rule, []).append(finding)
    return list(SpecError(told for same in by_rule.values() for told in _told(same)).diagnostics)


def _told(same: list[Diagnostic]) -> list[Diagnostic]:
    """Findings of one rule; those that are too many are one, where the first of them is."""
    more = same[MAX_FINDINGS:]
    if not more:
        return same
    severity: Severity = "error" if any(d.severity == "error" for d in more) else "warning"
    message = f"and {len(more):,} more of this kind in this file"
    last = Diagnostic(more[0].rule, message, more[0].span, "mend these first", severity=severity)
    return [*same[:MAX_FINDINGS], last]
