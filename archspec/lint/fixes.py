"""Fixes of findings: only the stretch that a fix names changes; comments and order stay."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from archspec.diagnostics import Edit, Fix, visible
from archspec.files import write_files
from archspec.lint.checked import Checked, is_fatal
from archspec.lint.deferred import checker
from archspec.lint.discover import beside_blocks
from archspec.lint.lookup import users
from archspec.lint.report import Finding, Report
from archspec.lint.run import is_left_out, lint_text, named, report_of
from archspec.lint.settings import Settings
from archspec.lint.sources import LINE_BREAK, Sources
from archspec.memo import Memo
from archspec.paths import display_path

MOST_ROUNDS = 10
MOST_TRIED = 10  # fixes per file, if not requested
BOM = "\ufeff"


def fix(files: Iterable[str], settings: Settings, write: bool = True) -> tuple[Report, str]:
    """Fix what can be fixed, in these files only.

    Returns the report of the remaining findings, and the changes as a diff. Without `write` no file
    is changed.
    """
    named = list(map(display_path, files))
    run = _Run(named, settings, write, beside_blocks(named, settings.exclude))
    report = run.fix()
    return run.shown(report), run.diff()


def fix_text(text: bytes, file: str, settings: Settings) -> tuple[Report, bytes, str]:
    """The same for a text as if it were in `file`: the remaining findings, the new text, the
    changes.
    """
    name, here = named(file, settings)
    run = _Run([name], here, write=False)
    run.held[name] = text
    try:
        run.text(name)
        passed = is_left_out(file, settings)
    except UnicodeDecodeError:
        passed = True
    if passed:
        return lint_text(text, file, settings), text, ""
    report = run.fix()
    return run.shown(report), run.fixed_bytes(name), run.diff()


def without_refused(report: Report, settings: Settings) -> Report:
    """The report without the fixes that `fix` would reject.

    Fixes of warnings only remove text without effect; of the others, a limited number per file is
    tried.
    """
    run = _Run([], settings, write=False)
    errors = tuple(finding for finding in report.findings if is_fatal(finding.diagnostic))
    for file, repairs in run.wanted(report._replace(findings=errors)).items():
        run.apply(report.sources.text(file), file, repairs[:MOST_TRIED])
    return run.without_refused(report)


class _Run:
    """Rounds of linting and fixing, until nothing can be fixed."""

    def __init__(
        self, files: list[str], settings: Settings, write: bool, beside: Iterable[str] = ()
    ) -> None:
        self.files, self.settings, self.write, self.beside = files, settings, write, list(beside)
        self.held: dict[str, bytes] = {}  # file -> its content
        self.marks: dict[str, str] = {}  # file -> its byte order mark
        self.before: dict[str, str] = {}  # file -> text before the first change, without mark
        self.after: dict[str, str] = {}
        self.refused: set[tuple[str, Fix | None]] = set()
        self.memo = Memo()
        self.fixed = 0

    def fix(self) -> Report:
        """The findings that remain when no fix improves anything."""
        for _ in range(MOST_ROUNDS):
            report = self.report()
            changes = self.changes(report)
            if not changes:
                return report
            self.after.update(changes)
            if self.write:
                fixed = {file: self.fixed_bytes(file) for file in changes}
                write_files(fixed, self.held)
                self.held.update(fixed)
        return self.report()

    def fixed_bytes(self, file: str) -> bytes:
        return (self.marks[file] + self.after[file]).encode()

    def report(self) -> Report:
        others = users(checker().files(self.beside, 1), self.files) if self.beside else ()
        checked = [*map(self.check, self.files), *others]
        return report_of(checked, self.settings, checker().codes, Sources(dict(self.after)))

    def check(self, file: str) -> Checked:
        if file in self.after:
            return self.checked(self.after[file], file)
        fresh = next(checker().files([file], 1))
        self.held[file] = fresh.text
        return fresh.checked

    def shown(self, report: Report) -> Report:
        """The remaining findings after all rounds, only with fixes that are worth offering."""
        return self.without_refused(report)._replace(fixed=self.fixed)

    def without_refused(self, report: Report) -> Report:
        """The report, only with fixes that are worth offering."""
        return report._replace(findings=tuple(map(self._offered, report.findings)))

    def _offered(self, finding: Finding) -> Finding:
        diagnostic = finding.diagnostic
        if (finding.span.file, diagnostic.fix) not in self.refused:
            return finding
        return finding._replace(diagnostic=diagnostic._replace(fix=None))

    def wanted(self, report: Report) -> dict[str, list[Fix]]:
        """File -> its fixes that have not been rejected."""
        wanted: dict[str, list[Fix]] = {}
        for finding in report.findings:
            repair = finding.diagnostic.fix
            file = finding.span.file
            if repair and file in report.files and (file, repair) not in self.refused:
                wanted.setdefault(file, []).append(repair)
        return wanted

    def changes(self, report: Report) -> dict[str, str]:
        """File -> text with the fixes of one round."""
        changed = {}
        for file, repairs in self.wanted(report).items():
            text = self.text(file)
            fixed = self.apply(text, file, repairs)
            if fixed != text:
                changed[file] = fixed
        return changed

    def text(self, file: str) -> str:
        if file not in self.after:
            text = self.held[file].decode()
            self.marks[file] = BOM * text.startswith(BOM)
            self.after[file] = self.before[file] = text.removeprefix(BOM)
        return self.after[file]

    def apply(self, text: str, file: str, repairs: list[Fix]) -> str:
        """One fix at a time, from the end of the file, each only if fewer findings remain."""
        end: tuple[int, int] | None = None
        found = self.alone(text, file)
        for repair in sorted(repairs, key=_start, reverse=True):
            last = max((e.span.end_line, e.span.end_column) for e in repair.edits)
            if any(edit.span.file != file for edit in repair.edits) or (end and last > end):
                continue  # overlaps a fix in this round: next round
            fixed = edited(text, repair.edits)
            left = self.alone(fixed, file)
            if not checker().parses(fixed, file) or not _is_better(left, found, repair):
                self.refused.add((file, repair))
                continue
            text, end, found = fixed, _start(repair), left
            self.fixed += 1
        return text

    def alone(self, text: str, file: str) -> Report:
        """The findings in one file with this text."""
        sources = Sources({file: text})
        return report_of([self.checked(text, file)], self.settings, checker().codes, sources)

    def checked(self, text: str, file: str) -> Checked:
        """One file with this text; results that it shares with others are computed once."""
        return checker().text(text, file, memo=self.memo.trimmed())

    def diff(self) -> str:
        parts: list[str] = []
        for file, old in self.before.items():
            if (new := self.after[file]) != old:
                lines = _lines(self.marks[file] + old), _lines(self.marks[file] + new)
                parts += difflib.unified_diff(*lines, f"a/{visible(file)}", f"b/{visible(file)}")
        return "".join(parts)


def _is_better(after: Report, before: Report, repair: Fix) -> bool:
    """Whether fewer findings remain, or the same number if another file shows the finding."""
    elsewhere = all(finding.diagnostic.fix != repair for finding in before.findings)
    return _left(after) < _left(before) or (elsewhere and _left(after) == _left(before))


def _left(report: Report) -> tuple[int, int, int]:
    """The number of errors in YAML and names, of other errors, and of warnings.

    Shapes are checked once all names are right, and warnings once all shapes are right, so a fix
    that
    reveals later findings counts by the earlier kind.
    """
    errors = [f.code for f in report.findings if is_fatal(f.diagnostic)]
    names = sum(code.startswith("AS1") for code in errors)
    return names, len(errors) - names, len(report.findings) - len(errors)


def _start(repair: Fix) -> tuple[int, int]:
    return min((edit.span.line, edit.span.column) for edit in repair.edits)


def _lines(text: str) -> list[str]:
    """The lines as `patch` and git count them: only a line feed ends a line."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + [f"{last}\n\\ No newline at end of file\n"] * bool(
        last
    )


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits applied, last first."""
    starts = [0, *(match.end() for match in LINE_BREAK.finditer(text))]

    def index(line: int, column: int) -> int:
        return min(starts[line - 1] + column - 1, len(text)) if line <= len(starts) else len(text)

    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        span = edit.span
        start, end = index(span.line, span.column), index(span.end_line, span.end_column)
        text = text[:start] + edit.text + text[end:]
    return text
