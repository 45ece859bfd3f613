"""SARIF 2.1.0, with the parts that GitHub's code scanning needs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from archspec import __version__
from archspec.diagnostics import Fix, Span, visible, visible_json
from archspec.lint.formats import Format, help_line, in_repository, place_inside
from archspec.lint.report import Finding, Report
from archspec.lint.style import Style
from archspec.paths import repository_path
from archspec.rules import RULES, Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"


def render(report: Report, style: Style) -> str:
    names = sorted({f.diagnostic.rule for f in report.findings}, key=lambda n: RULES[n].code)
    driver = {
        "name": "archspec",
        "semanticVersion": __version__,
        "rules": [_rule(RULES[name]) for name in names],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [_result(finding, names) for finding in report.findings],
    }
    return visible_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": _help(rule, "{}"), "markdown": _help(rule, "```yaml\n{}\n```")},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"problem.severity": rule.severity, "precision": "very-high"},
    }


def _help(rule: Rule, code: str) -> str:
    bad, good = _code(rule.bad, code), _code(rule.good, code)
    parts = [rule.why, "Example:", bad, "Use instead:", good, rule.instead, rule.safety]
    return "\n\n".join(part for part in parts if part)


def _code(example: Any, code: str) -> str:
    return code.replace("{}", example.text.rstrip())


def _result(finding: Finding, names: list[str]) -> dict[str, Any]:
    diagnostic = finding.diagnostic
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": names.index(diagnostic.rule),
        "level": diagnostic.severity,
        "message": {"text": f"{visible(diagnostic.message)}{help_line(finding)}"},
        "locations": [{"physicalLocation": _place(place_inside(finding))}],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint}:1"},
    }
    if diagnostic.labels:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _place(in_repository(label.span)),
                "message": {"text": visible(label.text)},
            }
            for number, label in enumerate(diagnostic.labels, 1)
        ]
    if diagnostic.fix:
        result["fixes"] = [_fix(diagnostic.fix)]
    return result


def _place(span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(span.file), "region": _region(span)}


def _artifact(file: str) -> dict[str, Any]:
    return {"uri": quote(file, errors="surrogateescape"), "uriBaseId": ROOT}


def _region(span: Span) -> dict[str, Any]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[Any]] = {}
    for edit in fix.edits:
        change = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(edit.span.file, []).append(change)
    return {
        "description": {"text": visible(fix.message)},
        "artifactChanges": [
            {"artifactLocation": _artifact(repository_path(file)), "replacements": edits}
            for file, edits in changes.items()
        ],
    }


FORMAT = Format(render)
