"""Findings mended in the text: only the stretch a fix names changes; comments and order stay."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from archspec.diagnostics import Edit, Fix, SpecError
from archspec.lint.check import Checked, check_path, check_text
from archspec.lint.report import Report
from archspec.lint.run import lint_text, named, report_of
from archspec.lint.settings import Settings
from archspec.lint.sources import LINE_BREAK, Sources
from archspec.record import field, record, replace
from archspec.source.files import decode, display_path, read_bytes
from archspec.source.writing import write_text

MOST_ROUNDS = 10
BOM = "\ufeff"


def fix(paths: Iterable[Path], settings: Settings, write: bool = True) -> tuple[Report, str]:
    """Mends what can be mended, in these files and no other.

    Returns the report of what is left, and the changes as a diff. Without `write` no file is
    touched.
    """
    run = _Run(list(paths), settings, write)
    run.mend()
    report = replace(run.report(), fixed=run.fixed)
    return report, run.diff()


def fix_text(text: bytes, file: str, settings: Settings) -> tuple[Report, bytes, str]:
    """The same for a text as if it stood in `file`: what is left, the text mended, the changes."""
    name, told = named(file, settings)
    try:
        before = decode(text, name)
    except SpecError:
        return lint_text(text, file, settings), text, ""
    run = _Run([Path(name)], told, write=False)
    run.before[name] = run.after[name] = before
    run.mend()
    bom = BOM if text.startswith(BOM.encode()) else ""
    mended = (bom + run.after[name]).encode()
    return replace(run.report(), fixed=run.fixed), mended, run.diff()


@record(eq=False, frozen=False)
class _Run:
    """Rounds of linting and mending, until nothing can be mended."""

    paths: list[Path]
    settings: Settings
    write: bool
    before: dict[str, str] = field(default_factory=dict)  # file -> text before the first change
    after: dict[str, str] = field(default_factory=dict)
    refused: set[tuple[str, Fix]] = field(default_factory=set)
    fixed: int = 0

    def mend(self) -> None:
        for _ in range(MOST_ROUNDS):
            changes = self.changes(self.report())
            if not changes:
                return
            for file, text in changes.items():
                self.after[file] = text
                if self.write:
                    write_text(Path(file), self.bom(file) + text)

    def report(self) -> Report:
        sources = Sources(dict(self.after))
        return report_of(map(self.check, self.paths), self.settings, sources)

    def check(self, path: Path) -> Checked:
        file = display_path(path)
        return check_text(self.after[file], file) if file in self.after else check_path(path)

    def changes(self, report: Report) -> dict[str, str]:
        """File -> text with the fixes of one round."""
        wanted: dict[str, list[Fix]] = {}
        for finding in report.findings:
            repair = finding.diagnostic.fix
            file = finding.span.file
            if repair and file in report.files and (file, repair) not in self.refused:
                wanted.setdefault(file, []).append(repair)
        changed = {}
        for file, repairs in wanted.items():
            text = self.text(file)
            mended = self.apply(text, file, repairs)
            if mended != text:
                changed[file] = mended
        return changed

    def text(self, file: str) -> str:
        if file not in self.after:
            self.after[file] = self.before[file] = decode(read_bytes(file), file)
        return self.after[file]

    def apply(self, text: str, file: str, repairs: list[Fix]) -> str:
        """One fix at a time, from the end of the file, each only if the file still parses."""
        end: tuple[int, int] | None = None
        for repair in sorted(repairs, key=_start, reverse=True):
            last = max((e.span.end_line, e.span.end_column) for e in repair.edits)
            if any(edit.span.file != file for edit in repair.edits) or (end and last > end):
                continue  # overlaps one that is done: next round
            mended = edited(text, repair.edits)
            if mended == text or not _parses(mended, file):
                self.refused.add((file, repair))
                continue
            text, end = mended, _start(repair)
            self.fixed += 1
        return text

    def bom(self, file: str) -> str:
        return BOM if read_bytes(file).startswith(BOM.encode()) else ""

    def diff(self) -> str:
        parts: list[str] = []
        for file, old in self.before.items():
            if (new := self.after[file]) != old:
                lines = _lines(old), _lines(new)
                parts += difflib.unified_diff(*lines, f"a/{file}", f"b/{file}")
        return "".join(parts)


def _start(repair: Fix) -> tuple[int, int]:
    return min((edit.span.line, edit.span.column) for edit in repair.edits)


def _lines(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n\\ No newline at end of file\n"
    return lines


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made, last first."""
    starts = [0, *(match.end() for match in LINE_BREAK.finditer(text))]

    def index(line: int, column: int) -> int:
        return min(starts[line - 1] + column - 1, len(text)) if line <= len(starts) else len(text)

    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        span = edit.span
        start, end = index(span.line, span.column), index(span.end_line, span.end_column)
        text = text[:start] + edit.text + text[end:]
    return text


def _parses(text: str, file: str) -> bool:
    from archspec.source import parse

    try:
        parse(text, file)
    except SpecError:
        return False
    return True
