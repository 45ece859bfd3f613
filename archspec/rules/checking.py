"""The rules put to work."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archspec import resources
from archspec.diagnostics import Diagnostic, SpecError, merged
from archspec.lower import open_network
from archspec.rules.rule import RULES, Check
from archspec.rules.view import View, Written
from archspec.source import parse
from archspec.source.files import display_path
from archspec.spec import Library, Spec
from archspec.spec.blocks import block_of
from archspec.spec.check import check_block
from archspec.spec.problems import Problems, diagnose


def check_spec(spec: Spec) -> list[Diagnostic]:
    """Every finding about a spec that has been loaded, in order of place."""
    try:
        opened = open_network(spec)
    except SpecError as error:
        return list(error.diagnostics)
    view = View(spec, opened)
    found = [d for rule in RULES.values() if rule.check for d in rule.check(view)]
    return _sorted(d for d in found if _concerns(d, view))


def is_clean(spec: Spec) -> bool:
    """Whether no rule finds anything, in shipped specs neither."""
    view = View(spec, open_network(spec))
    return not any(True for rule in RULES.values() if rule.check for _ in rule.check(view))


def check_block_text(text: str | bytes, file: str) -> list[Diagnostic]:
    """Every finding about a block that stands in a file of its own, whoever uses it."""
    path = Path(file)
    data = parse(text, file)
    try:
        block = block_of(data)
    except Problems as error:
        raise SpecError(diagnose(p, data) for p in error.problems) from None
    library = Library({}, path.parent.parent)
    if errors := check_block(path.stem, block, library):
        return errors
    view = Written({path.stem: block}, library)
    return _sorted(d for check in _of_blocks() for d in check(view))


def _of_blocks() -> list[Check]:
    return [rule.check for rule in RULES.values() if rule.check and rule.of_blocks]


def _concerns(finding: Diagnostic, view: View) -> bool:
    """Whether it is this spec's affair: what a shipped spec does is told there."""
    span = finding.span
    if span is None or span.file == view.file or finding.severity == "error":
        return True
    return not span.file.startswith(display_path(resources.SPECS) + "/")


def _sorted(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One finding of a rule at a place, in order of place."""
    return list(SpecError(merged(findings)).diagnostics)
