"""The result of a lint run, and what every format needs."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from archspec.diagnostics import Diagnostic, Span, plural
from archspec.lint.checked import Codes
from archspec.lint.discover import is_block
from archspec.lint.sources import Sources
from archspec.paths import repository_path


class Finding(NamedTuple):
    """A diagnostic with its code, and a fingerprint that does not change when lines move."""

    code: str
    diagnostic: Diagnostic
    fingerprint: str

    @property
    def span(self) -> Span:
        return self.diagnostic.span or Span("")


class Report(NamedTuple):
    """The result of a run.

    Attributes:
        files: every linted file, in order.
        findings: the reported findings, in order of file and location.
        unreadable: why files could not be opened, one sentence each.
        sources: the lines of the files.
        suppressed: how many findings comments suppress.
        known: how many findings the baseline has.
        fixed: how many findings `--fix` has fixed.
    """

    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    unreadable: tuple[str, ...]
    sources: Sources
    suppressed: int = 0
    known: int = 0
    fixed: int = 0

    @property
    def errors(self) -> int:
        return sum(f.diagnostic.severity == "error" for f in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors

    def exit_code(self, strict: bool = False) -> int:
        """0 clean, 1 findings (warnings if `strict`), 2 a file that cannot be opened."""
        if self.unreadable:
            return 2
        return 1 if self.errors or (strict and self.findings) else 0


def with_fingerprints(
    diagnostics: Iterable[Diagnostic], codes: Codes, sources: Sources
) -> tuple[Finding, ...]:
    """Each diagnostic as a finding; equal ones in equal lines are counted separately."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for diagnostic in diagnostics:
        file = repository_path(diagnostic.span.file if diagnostic.span else "")
        key = (diagnostic.rule, file, content(diagnostic, sources))
        seen[key] += 1
        text = "\0".join([*key, str(seen[key])])
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
        found.append(Finding(codes[diagnostic.rule], diagnostic, digest))
    return tuple(found)


def content(diagnostic: Diagnostic, sources: Sources) -> str:
    """The content by which a finding is recognized: its line, with normalized spaces."""
    return " ".join(sources.line(diagnostic.span).split())


def summary(report: Report) -> str:
    """The last line: "3 errors, 1 warning in 2 of 14 specs", or "14 specs are clean".

    It also counts the files that could not be read.
    """
    if not report.files and not report.findings:
        return ""
    left = {"fixed": report.fixed, "suppressed": report.suppressed, "in the baseline": report.known}
    hidden = ", ".join(f"{number} {what}" for what, number in left.items() if number)
    tail = f" ({hidden})" if hidden else ""
    number = len(report.unreadable)
    unread = f"; {plural(number, 'path')} could not be read" if number else ""
    return (_found(report) if report.findings else _clean(*_kinds(report))) + tail + unread


def _found(report: Report) -> str:
    counts = [(report.errors, "error"), (report.warnings, "warning")]
    counted = ", ".join(plural(number, word) for number, word in counts if number)
    linted = set(report.files)
    places = {f.span.file for f in report.findings}
    specs, blocks = _kinds(report)
    word = "file" if specs and blocks else "block" if blocks else "spec"
    if not places <= linted:  # in a file that was not linted itself, such as a base spec
        return f"{counted}; {plural(len(linted), word)} linted"
    return f"{counted} in {len(places)} of {plural(len(linted), word)}"


def _kinds(report: Report) -> tuple[int, int]:
    blocks = sum(map(is_block, report.files))
    return len(report.files) - blocks, blocks


def _clean(specs: int, blocks: int) -> str:
    """The summary of a run without findings: "14 specs are clean"."""
    kinds = " and ".join(plural(n, w) for n, w in ((specs, "spec"), (blocks, "block")) if n)
    return f"{kinds} {'is' if specs + blocks == 1 else 'are'} clean"
