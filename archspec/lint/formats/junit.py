"""JUnit XML: one suite per file, one failed case per finding.

It is valid by Jenkins' junit-10.xsd, which has a file for a suite, but no location for a case.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from archspec.diagnostics import visible
from archspec.lint.formats import Format, help_line
from archspec.lint.report import Finding, Report
from archspec.lint.style import Style

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def render(report: Report, style: Style) -> str:
    by_file: dict[str, list[Finding]] = {file: [] for file in report.files}
    for finding in report.findings:
        by_file.setdefault(finding.span.file, []).append(finding)
    tests = sum(max(1, len(found)) for found in by_file.values())
    root = Element("testsuites", _counts("archspec", tests, len(report.findings)))
    for file, found in by_file.items():
        _suite(root, visible(file), found)
    indent(root)
    return DECLARATION + tostring(root, "unicode")


def _counts(name: str, tests: int, failures: int) -> dict[str, str]:
    return {"name": name, "tests": str(tests), "failures": str(failures), "errors": "0"}


def _suite(root: Element, file: str, found: list[Finding]) -> None:
    counts = _counts(file, max(1, len(found)), len(found))
    suite = SubElement(root, "testsuite", counts, file=file)
    if not found:
        SubElement(suite, "testcase", name="clean", classname=file)
    for finding in found:
        one = finding.diagnostic
        name = f"{finding.code} {one.rule} (line {finding.span.line})"
        case = SubElement(suite, "testcase", name=name, classname=file)
        failure = SubElement(case, "failure", message=visible(one.message), type=one.severity)
        failure.text = f"{visible(str(one.span))}: {visible(one.message)}{help_line(finding)}"


FORMAT = Format(render)
